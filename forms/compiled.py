"""A form version ready to judge records: its shapes with every expression compiled once, kept with the definition.

An expression that the engine refuses does not stop the others: it is kept as the reason why nothing can be said.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from forms.calculations import compute_with
from forms.clock import find_witnesses
from forms.definition import Field, FormDefinition
from forms.glance import calculation_test, glance_over, list_tests, look_closely
from forms.list_trees import build_inline, is_column
from forms.node import Node
from forms.readers import CALCULATED, PARSERS
from forms.shapes import FormShape, NodeShape, build_shapes
from forms.xpath.compiler import Expression, compile_expression, compile_syntax
from forms.xpath.environment import Environment, Test
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.part import Surroundings
from forms.xpath.syntax import Chain, Path, Step

DERIVED = "compiled"
CHOICES = ("select1", "select", "rank")


@dataclass(frozen=True, slots=True)
class Count:
    """How many instances of a repeat there have to be."""

    shape: NodeShape
    rule: Expression


@dataclass(slots=True)
class Rules:
    """The compiled expressions of one node, and the values of its choices where those are fixed."""

    field: Field
    required: Expression | None = None
    constraint: Expression | None = None
    calculate: Expression | None = None
    relevant: Expression | None = None
    # Judged never; but a tablet evaluates it, and refuses what fails or goes in a circle.
    readonly: Expression | None = None
    itemset: Expression | None = None
    # The row of the list that has the answer for its value: what a choice of one needs to know.
    membership: Expression | None = None
    choices: frozenset[str] = frozenset()
    counts: tuple["Count", ...] = ()
    # Whether no relevance rule at or above the node is left to chance, and whether they read lists.
    relevance_is_certain: bool = True
    relevance_reads_lists: bool = False
    refused: tuple[XPathRefused | CannotVerify, ...] = ()
    # Says of nearly all nodes that there is nothing to say.
    glance: Test = look_closely

    @property
    def asked(self) -> bool:
        """Whether a form control shows the node: only then does Collect check required and constraint."""
        return self.field.control is not None

    @property
    def typed(self) -> bool:
        """Whether a text can be wrong by its type. Choices are judged by their list."""
        return self.field.type in PARSERS and self.field.control not in CHOICES

    @property
    def is_replayed(self) -> bool:
        """Whether the calculation is compared: not what chance, the clock or the language of the tablet decide."""
        return self.is_computed and self.calculate is not None and self.calculate.replayable

    @property
    def is_computed(self) -> bool:
        """Whether the node's value follows from its calculation, at the time at which the record was filled.

        A question that may be typed over is not computed.
        """
        rule, field = self.calculate, self.field
        if rule is None or rule.is_chance or rule.worded:
            return False
        return field.control is None or field.readonly is not None


@dataclass(slots=True)
class CompiledForm:
    """One form version, compiled."""

    definition: FormDefinition
    shape: FormShape
    surroundings: Surroundings
    rules: dict[str, Rules] = field(default_factory=dict)
    # By path and kind of rule: relevant, required, constraint, calculate, repeat_count, itemset.
    refused: dict[tuple[str, str], XPathRefused | CannotVerify] = field(default_factory=dict)
    by_text: dict[str, Expression] = field(default_factory=dict)
    inline_lists: dict[str, Node] = field(default_factory=dict)
    # The lists among these that are more than rows and columns.
    branching: frozenset[str | None] = frozenset()
    # Paths of answers that name a file, and of those that hold the machine-readable zone of a document.
    files: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    # The slots of the nodes that tell when the record was filled.
    witnesses: dict[str, int] = field(default_factory=dict)


def compile_form(definition: FormDefinition) -> CompiledForm:
    """The compiled form of a definition: made at the first call, the same object ever after."""
    if DERIVED not in definition.derived:
        definition.derived[DERIVED] = _compile(definition)
    return cast(CompiledForm, definition.derived[DERIVED])


def _compile(definition: FormDefinition) -> CompiledForm:
    shape = build_shapes(definition)
    instances = frozenset(one.id for one in definition.instances)
    form = CompiledForm(definition, shape, Surroundings(definition, shape.slots, instances))
    form.files = frozenset(one.path for one in definition.fields if one.control == "upload" or one.type == "binary")
    form.zones = frozenset(one.path for one in definition.fields if one.person == "mrz")
    form.witnesses = find_witnesses(definition, shape.slots)
    form.inline_lists = {one.id: build_inline(one) for one in definition.instances if not one.src}
    form.branching = frozenset(one.id for one in definition.instances if one.tree is not None)
    _compile_below(form, shape.root, Rules(Field(shape.root.path, "group")), parent_always=True)
    return form


def _compile_below(form: CompiledForm, shape: NodeShape, above: Rules, parent_always: bool) -> None:
    rules = form.rules[shape.path] = _compile_rules(form, shape)
    shape.relevant = _relevance(form, shape.path, rules)
    shape.always_relevant = parent_always and shape.relevant is None
    if rules.calculate is not None and rules.field.type == "string":
        shape.read = CALCULATED.get(rules.calculate.kind, shape.read)
    if rules.calculate is not None and rules.is_computed:
        shape.compute = compute_with(rules.calculate, rules.field.type, shape.read)
    _inherit(rules, above)
    for below in (*shape.attributes.values(), *shape.children.values()):
        _compile_below(form, below, rules, shape.always_relevant)
    rules.refused = tuple(error for (path, _), error in form.refused.items() if path == shape.path)
    shape.rules = rules if _judges(rules) else None
    rules.glance = _glance(rules)


def _inherit(rules: Rules, above: Rules) -> None:
    own = rules.relevant
    rules.relevance_is_certain = above.relevance_is_certain and (own is None or not own.is_chance)
    rules.relevance_reads_lists = above.relevance_reads_lists or (own is not None and own.reads_lists)


def _glance(rules: Rules) -> Test:
    listed_elsewhere = rules.itemset is not None and rules.membership is None
    if rules.refused or rules.counts or listed_elsewhere or (rules.asked and rules.is_replayed):
        return look_closely
    constraint, required = (rules.constraint, rules.required) if rules.asked else (None, None)
    tests = list_tests(rules.field, rules.typed, rules.choices, rules.membership, constraint)
    replayed = rules.calculate if rules.is_replayed else None
    always = calculation_test(replayed, rules.field.type) if replayed is not None else None
    return glance_over(list(tests), required.condition if required is not None else None, always)


def _judges(rules: Rules) -> bool:
    """Whether anything about the node is to be judged, beyond its being there."""
    asked = rules.asked and (rules.required is not None or rules.constraint is not None)
    listed = rules.itemset is not None or bool(rules.choices)
    stands = bool(rules.counts) or bool(rules.refused) or rules.relevant is not None
    return asked or listed or stands or rules.typed or rules.is_replayed


def _relevance(form: CompiledForm, path: str, rules: Rules) -> Test | None:
    """The rule as nodes need it; one that was refused gives no verdict for any node below."""
    if rules.relevant is not None:
        return rules.relevant.test
    if (path, "relevant") not in form.refused:
        return None

    def unknown(_node: Node, _environment: Environment) -> bool:
        raise CannotVerify("cannot_use_rule")

    return unknown


def _compile_rules(form: CompiledForm, shape: NodeShape) -> Rules:
    field = shape.field or Field(shape.path, "group")
    return Rules(
        field=field,
        required=_expression(form, field, "required"),
        constraint=_expression(form, field, "constraint"),
        calculate=_expression(form, field, "calculate"),
        relevant=_expression(form, field, "relevant"),
        readonly=_expression(form, field, "readonly"),
        itemset=_itemset(form, field),
        membership=_membership(form, field),
        choices=_fixed_choices(form, field),
        counts=tuple(_counts(form, shape)),
    )


def _counts(form: CompiledForm, shape: NodeShape) -> Iterator[Count]:
    for below in shape.children.values():
        rule = _expression(form, below.field, "repeat_count") if below.field else None
        if rule is not None:
            yield Count(below, rule)


def _expression(form: CompiledForm, field: Field, kind: str) -> Expression | None:
    text: str | None = getattr(field, kind)
    return _compiled(form, field.path, kind, text) if text else None


def _compiled(form: CompiledForm, path: str, kind: str, text: str) -> Expression | None:
    try:
        # Forms repeat their rules; an expression does not depend on where it stands.
        if text not in form.by_text:
            form.by_text[text] = compile_expression(text, form.surroundings)
        return form.by_text[text]
    except (XPathRefused, CannotVerify) as error:
        form.refused[path, kind] = error.with_traceback(None)
        return None


def _itemset(form: CompiledForm, field: Field) -> Expression | None:
    """The expression that finds the choices, where they are more than a fixed list."""
    itemset = field.itemset
    if itemset is None or not itemset.nodeset or _fixed_choices(form, field):
        return None
    return _compiled(form, field.path, "itemset", itemset.nodeset)


def _membership(form: CompiledForm, field: Field) -> Expression | None:
    """The itemset narrowed to the answer, so that a filter is asked about one row and not about all."""
    itemset, found = field.itemset, _itemset(form, field)
    if itemset is None or found is None or field.control != "select1" or "position" in found.uses:
        return None
    path = found.syntax
    if not isinstance(path, Path) or path.start != "instance" or not is_column(itemset.value_ref):
        return None
    is_answer = Chain((Path("context", (Step("child", itemset.value_ref),)), Path("current", ())), ("=",))
    *before, last = path.steps
    narrowed = Step(last.axis, last.name, (is_answer, *last.predicates))
    return compile_syntax(found.text, Path("instance", (*before, narrowed), path.instance), form.surroundings)


def _fixed_choices(form: CompiledForm, field: Field) -> frozenset[str]:
    itemset = field.itemset
    if itemset is None or itemset.filtered or itemset.instance in form.branching:
        return frozenset()
    return frozenset(choice.value for choice in itemset.choices)
