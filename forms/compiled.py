"""A form version ready to judge records: its shapes with every expression compiled once, kept with the definition.

An expression that the engine refuses does not stop the others: it is kept as the reason why nothing can be said.
"""

from dataclasses import dataclass, field
from typing import cast

from forms.definition import Field, FormDefinition
from forms.list_trees import build_list
from forms.node import Node
from forms.shapes import FormShape, NodeShape, build_shapes
from forms.xpath.compiler import Expression, compile_expression
from forms.xpath.environment import Environment, Evaluate
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.part import Scope
from forms.xpath.values import Value

DERIVED = "compiled"


@dataclass(slots=True)
class Rules:
    """The compiled expressions of one node, and the values of its choices where those are fixed."""

    required: Expression | None = None
    constraint: Expression | None = None
    calculate: Expression | None = None
    repeat_count: Expression | None = None
    relevant: Expression | None = None
    itemset: Expression | None = None
    choices: frozenset[str] = frozenset()
    # False where a relevance rule at or above the node cannot be replayed: then nothing there is certain.
    relevance_is_certain: bool = True


@dataclass(slots=True)
class CompiledForm:
    """One form version, compiled."""

    definition: FormDefinition
    shape: FormShape
    scope: Scope
    rules: dict[str, Rules] = field(default_factory=dict)
    refused: dict[tuple[str, str], XPathRefused | CannotVerify] = field(default_factory=dict)
    inline_lists: dict[str, Node] = field(default_factory=dict)


def compile_form(definition: FormDefinition) -> CompiledForm:
    """The compiled form of a definition: made at the first call, the same object ever after."""
    if DERIVED not in definition.derived:
        definition.derived[DERIVED] = _compile(definition)
    return cast(CompiledForm, definition.derived[DERIVED])


def _compile(definition: FormDefinition) -> CompiledForm:
    shape = build_shapes(definition)
    instances = {one.id for one in definition.instances}
    form = CompiledForm(definition, shape, Scope(definition=definition, slots=shape.slots, instances=instances))
    form.inline_lists = {one.id: build_list(one.items) for one in definition.instances if not one.src}
    _compile_below(form, shape.root, Rules(), parent_always=True)
    return form


def _compile_below(form: CompiledForm, shape: NodeShape, above: Rules, parent_always: bool) -> None:
    rules = form.rules[shape.path] = _compile_rules(form, shape)
    shape.relevant = _relevance(form, shape.path, rules)
    shape.always_relevant = parent_always and shape.relevant is None
    rules.relevance_is_certain = above.relevance_is_certain and (rules.relevant is None or rules.relevant.replayable)
    for below in (*shape.attributes.values(), *shape.children.values()):
        _compile_below(form, below, rules, shape.always_relevant)


def _relevance(form: CompiledForm, path: str, rules: Rules) -> Evaluate | None:
    """The rule as nodes need it; one that was refused gives no verdict for any node below."""
    if rules.relevant is not None:
        return rules.relevant.evaluate
    if (path, "relevant") not in form.refused:
        return None

    def unknown(_node: Node, _environment: Environment) -> Value:
        raise CannotVerify("cannot_use_rule")

    return unknown


def _compile_rules(form: CompiledForm, shape: NodeShape) -> Rules:
    field = shape.field
    if field is None:
        return Rules()
    return Rules(
        required=_expression(form, field, "required"),
        constraint=_expression(form, field, "constraint"),
        calculate=_expression(form, field, "calculate"),
        repeat_count=_expression(form, field, "repeat_count"),
        relevant=_expression(form, field, "relevant"),
        itemset=_itemset(form, field),
        choices=_fixed_choices(field),
    )


def _expression(form: CompiledForm, field: Field, kind: str) -> Expression | None:
    text: str | None = getattr(field, kind)
    return _compiled(form, field.path, kind, text) if text else None


def _compiled(form: CompiledForm, path: str, kind: str, text: str) -> Expression | None:
    try:
        return compile_expression(text, form.scope)
    except (XPathRefused, CannotVerify) as error:
        form.refused[path, kind] = error.with_traceback(None)
        return None


def _itemset(form: CompiledForm, field: Field) -> Expression | None:
    """The expression that finds the choices, where they are more than a fixed list."""
    itemset = field.itemset
    if itemset is None or not itemset.nodeset or _fixed_choices(field):
        return None
    return _compiled(form, field.path, "itemset", itemset.nodeset)


def _fixed_choices(field: Field) -> frozenset[str]:
    itemset = field.itemset
    if itemset is None or itemset.filtered:
        return frozenset()
    return frozenset(choice.value for choice in itemset.choices)
