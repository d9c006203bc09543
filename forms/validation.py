"""A submission against its form → findings: the public face of the validator.

Here stands what surrounds the answers: form and root, unknown nodes, twins, documents' check digits, files, and what
is said about entities. The form's own rules are judged in judgement.py, with the values and the semantics of JavaRosa.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from forms.clock import doubtful_moments, read_clock
from forms.compiled import CompiledForm, compile_form
from forms.definition import FormDefinition
from forms.entities import list_entity_findings, read_entity_changes
from forms.entity_claims import read_entity_claims
from forms.errors import Finding
from forms.judgement import Judge
from forms.list_trees import ListTrees
from forms.lists import Lists
from forms.node import Node
from forms.shapes import Record, build_record
from forms.submission import Answer, Submission
from forms.travel_documents import validate_mrz
from forms.xml import local_name
from forms.xpath.environment import Environment


def validate_submission(
    definition: FormDefinition,
    submission: Submission,
    lists: Lists,
    attachments: set[str] | None = None,
    *,
    received_at: datetime | None = None,
    language: str = "fr",
) -> list[Finding]:
    """Everything that is wrong or doubtful, in a stable order; an encrypted record tells nothing.

    `attachments` are the names of the files that have come; None where that is not the question. `received_at` stands
    in for the record's own time where it has none; `language` words the dates that rules compare.
    """
    if submission.envelope is not None:
        return []
    form = compile_form(definition)
    record = build_record(form.shape, submission.root)
    found = [
        *_structure(definition, submission),
        *_beyond_the_form(record),
        *_judge(form, record, lists, received_at, language),
        *_zones(form, record),
        *_missing_files(form, record, attachments),
        *list_entity_findings(read_entity_changes(definition, submission)),
        *list_entity_findings(read_entity_claims(definition, submission)),
    ]
    record.dissolve()
    return found


def _judge(
    form: CompiledForm, record: Record, lists: Lists, received_at: datetime | None, language: str
) -> list[Finding]:
    clock = read_clock(form.witnesses, record.slots, received_at)
    trees = ListTrees(form.definition, form.inline_lists, lists)
    environment = Environment(
        record.document,
        record.slots,
        now=clock.now,
        offset_ms=clock.offset_ms,
        find_list=trees.find,
        doubt=trees.doubt,
        other_times=partial(doubtful_moments, clock),
        language=language,
        texts=form.definition.texts,
    )
    return Judge(form, record, environment, trees).judge()


def _structure(definition: FormDefinition, submission: Submission) -> Iterator[Finding]:
    root = f"/{definition.root}"
    if submission.form_id != definition.form_id:
        yield Finding(root, "structure", "error", "wrong_form", {"form_id": submission.form_id})
    if local_name(submission.root) != definition.root:
        yield Finding(root, "structure", "error", "wrong_root", rule=definition.root)


def _beyond_the_form(record: Record) -> Iterator[Finding]:
    # Other clients add nodes of their own; what nobody asked for does no harm. An edit's deprecatedID is the
    # protocol's (OpenRosa metadata): no form asks for it.
    for path, text in record.unknown:
        if not path.endswith("/meta/deprecatedID"):
            yield Finding(path, "unknown", "warning", "unknown_node", value=text)
    # Of a question that stands twice without being a repeat only a person can say which of the two counts.
    for path, text in record.surplus:
        yield Finding(path, "structure", "error", "repeated_node", value=text or None)


def _zones(form: CompiledForm, record: Record) -> list[Finding]:
    return validate_mrz(
        [Answer(node.path(), form.rules[node.shape.path].field, node.text) for node in _nodes_of(record, form.zones)]
    )


def _missing_files(form: CompiledForm, record: Record, attachments: set[str] | None) -> Iterator[Finding]:
    """Files that answers name and that have not come: they may still be on their way, in a later post."""
    if attachments is None:
        return
    for node in _nodes_of(record, form.files):
        if node.text not in attachments and node.relevant is not False:
            yield Finding(node.path(), "attachment", "warning", "attachment_missing", {"name": node.text})


def _nodes_of(record: Record, paths: frozenset[str]) -> Iterator[Node]:
    """The answered nodes of some paths of the form."""
    if paths:
        yield from (node for node in record.nodes if node.text and node.shape.path in paths)
