"""A submission against its form → findings. Cautious: nothing that a relevance rule could overturn is an error.

Structure, types, choices against the whole list, check digits of documents, and questions that are required
whatever else is answered.
"""

import re
from collections.abc import Iterator
from typing import cast

from forms.definition import Field, FormDefinition, Itemset, SecondaryInstance
from forms.errors import Finding
from forms.lists import ListRows, Lists
from forms.references import ancestor_paths
from forms.schema import load_answers
from forms.submission import Answer, Submission, attachment_names, list_answers, list_elements
from forms.travel_documents import validate_mrz
from forms.xml import descend, local_name, text_of

_ALWAYS = re.compile(r"""true\(\s*\)|1|(['"])(?:yes|true|1)\1""")
_DERIVED = "always_required"
_INDEX = re.compile(r"\[\d+\]")


def validate_submission(
    definition: FormDefinition, submission: Submission, lists: Lists, attachments: set[str] | None = None
) -> list[Finding]:
    """Everything that is wrong or doubtful, in a stable order; an encrypted record tells nothing.

    `attachments` are the names of the files that have come; None where that is not the question.
    """
    if submission.envelope is not None:
        return []
    answers = list_answers(submission, definition)
    return [
        *_structure(definition, submission),
        *_repeated(definition, answers),
        *_unknown(answers),
        *load_answers(definition, submission).findings,
        *_choices(definition, answers, lists),
        *validate_mrz(answers),
        *_required(definition, submission),
        *_missing_files(definition, submission, attachments),
    ]


def _structure(definition: FormDefinition, submission: Submission) -> Iterator[Finding]:
    root = f"/{definition.root}"
    if submission.form_id != definition.form_id:
        yield Finding(root, "structure", "error", "wrong_form", {"form_id": submission.form_id})
    if local_name(submission.root) != definition.root:
        yield Finding(root, "structure", "error", "wrong_root", rule=definition.root)


def _repeated(definition: FormDefinition, answers: list[Answer]) -> Iterator[Finding]:
    """Nodes that stand twice without being a repeat: which of the two counts, only a person can say."""
    places = dict.fromkeys(place for one in answers for place in (one.path, *ancestor_paths(one.path)))
    for place in places:
        field = definition.by_path.get(_INDEX.sub("", place))
        if field is not None and field.kind != "repeat" and place.endswith("]") and not place.endswith("[1]"):
            yield Finding(place, "structure", "error", "repeated_node")


def _unknown(answers: list[Answer]) -> Iterator[Finding]:
    # Other clients add nodes of their own; what nobody asked for does no harm.
    return (Finding(one.path, "unknown", "warning", "unknown_node", value=one.text) for one in answers if not one.field)


def _choices(definition: FormDefinition, answers: list[Answer], lists: Lists) -> Iterator[Finding]:
    instances = {one.id: one for one in definition.instances}
    for answer in answers:
        itemset = answer.field.itemset if answer.field else None
        if itemset is not None and answer.field is not None and answer.text:
            finding = _choice(answer, answer.field, itemset, instances.get(itemset.instance or ""), lists)
            if finding is not None:
                yield finding


def _choice(
    answer: Answer, field: Field, itemset: Itemset, instance: SecondaryInstance | None, lists: Lists
) -> Finding | None:
    if instance is not None and instance.filename is not None:
        return _listed_choice(answer, field, itemset, instance.filename, lists.find_list(instance.filename))
    # A list made of the record's own repeats has no choices here, and nothing can be said.
    known = {choice.value for choice in itemset.choices}
    if not known or known.issuperset(_tokens(answer, field)):
        return None
    return Finding(
        answer.path, "choice", "error", "not_a_choice", rule=itemset.nodeset or itemset.instance, value=answer.text
    )


def _listed_choice(
    answer: Answer, field: Field, itemset: Itemset, filename: str, held: ListRows | None
) -> Finding | None:
    params = {"list": filename}
    if held is None:
        return Finding(answer.path, "unverifiable", "warning", "list_not_held", params, value=answer.text)
    if held.values_of(itemset.value_ref).issuperset(_tokens(answer, field)):
        return None
    if not held.certain:
        # An entity list changes between filling and arrival: a stale choice is no error by itself.
        return Finding(answer.path, "unverifiable", "warning", "list_uncertain", params, value=answer.text)
    return Finding(answer.path, "choice", "error", "not_a_choice", params, rule=itemset.nodeset, value=answer.text)


def _tokens(answer: Answer, field: Field) -> list[str]:
    return [answer.text] if field.control == "select1" else answer.text.split()


def _required(definition: FormDefinition, submission: Submission) -> Iterator[Finding]:
    root = f"/{definition.root}"
    fields = _always_required(definition)
    containers = {one: list_elements(submission, definition, one) for one in {field.repeat or root for field in fields}}
    for field in fields:
        container = field.repeat or root
        steps = field.path.removeprefix(f"{container}/")
        for place, element in containers[container]:
            # An absent node counts as blank: Collect lets it pass, so the server must not.
            if not text_of(descend(element, steps.split("/"))):
                yield _unanswered(f"{place}/{steps}", field)


def _unanswered(place: str, field: Field) -> Finding:
    return Finding(place, "required", "error", "required", rule=field.required, message=field.required_message)


def _always_required(definition: FormDefinition) -> tuple[Field, ...]:
    """Questions required by a constant, with no relevance rule on themselves or around them."""
    if _DERIVED not in definition.derived:
        definition.derived[_DERIVED] = tuple(one for one in definition.fields if _is_always_required(definition, one))
    return cast(tuple[Field, ...], definition.derived[_DERIVED])


def _is_always_required(definition: FormDefinition, field: Field) -> bool:
    if field.kind != "question" or not _ALWAYS.fullmatch(field.required or ""):
        return False
    around = (definition.by_path.get(path) for path in ancestor_paths(field.path))
    return field.relevant is None and all(one is None or one.relevant is None for one in around)


def _missing_files(
    definition: FormDefinition, submission: Submission, attachments: set[str] | None
) -> Iterator[Finding]:
    if attachments is None:
        return
    root = f"/{definition.root}"
    for name in attachment_names(submission, definition):
        if name not in attachments:
            yield Finding(root, "attachment", "warning", "attachment_missing", {"name": name})
