"""What happens when a tablet opens a blank record: its rules and first actions are evaluated; a failure stops the form.

Only failures that hang on the form and its lists are found: not what the clock or an answer decides.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress

from lxml import etree

from forms.compiled import CompiledForm, Rules, compile_form
from forms.definition import FormDefinition
from forms.dependencies import COLUMNS
from forms.errors import FormProblem
from forms.list_trees import ListTrees
from forms.lists import Lists
from forms.node import Node
from forms.references import absolute_path
from forms.refused_models import OPENING_EVENTS, list_events
from forms.shapes import Record, build_record
from forms.xform import primary_instance
from forms.xpath.compiler import Expression, compile_expression
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify, XPathRefused

# What JavaRosa cannot evaluate either; all other doubts are ours alone.
FAILURES = frozenset(["cannot_compare_repeated", "cannot_convert", "cannot_use_function", "cannot_read_pattern"])
_EVALUATED = ("relevant", "required", "readonly", "calculate")


def list_failures_on_opening(html: etree._Element, definition: FormDefinition, lists: Lists) -> Iterator[FormProblem]:
    """The rules and actions that fail on the blank record, which is the form's own instance."""
    form = compile_form(definition)
    record = build_record(form.shape, primary_instance(html))
    environment = _environment(form, record, lists)
    actions = _first_actions(html, form)
    for node in record.nodes:
        path = node.shape.path
        filled = [(COLUMNS["calculate"], rule) for rule in actions.get(path, ())]
        for column, rule in (*_rules(form.rules.get(path)), *filled):
            if _fails(rule, node, environment):
                yield FormProblem("fails_on_opening", {"path": path}, sheet="survey", column=column, quoted=rule.text)
    record.dissolve()


def _rules(rules: Rules | None) -> Iterator[tuple[str, Expression]]:
    for kind in _EVALUATED:
        rule: Expression | None = getattr(rules, kind, None)
        if rule is not None:
            yield COLUMNS[kind], rule


def _first_actions(html: etree._Element, form: CompiledForm) -> dict[str, list[Expression]]:
    """By path what is computed and put into a node before the first question."""
    found = defaultdict(list)
    for action in html.iter("{*}setvalue"):
        if OPENING_EVENTS.intersection(list_events(action)) and action.get("value"):
            with suppress(XPathRefused):
                rule = compile_expression(action.get("value", ""), form.surroundings)
                found[absolute_path(action.get("ref") or "", "")].append(rule)
    return found


def _environment(form: CompiledForm, record: Record, lists: Lists) -> Environment:
    trees = ListTrees(form.definition, form.inline_lists, lists)
    # Without a time: what it decides is not known here.
    return Environment(
        record.document, record.slots, find_list=trees.find, doubt=trees.doubt, texts=form.definition.texts
    )


def _fails(rule: Expression, node: Node, environment: Environment) -> bool:
    try:
        rule.value(node, environment)
    except CannotVerify as error:
        return error.code in FAILURES
    return False
