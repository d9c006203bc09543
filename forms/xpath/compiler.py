"""The way in: the text of an expression and its form → an Expression, compiled once per form version."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from forms.node import Node
from forms.xpath import functions, operators, paths
from forms.xpath.environment import Environment, Evaluate, Raw, Test
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.parser import DEEPEST, parse
from forms.xpath.part import FUNCTIONS, Kind, Part, Scope, Surroundings, constant
from forms.xpath.syntax import Call, Chain, Negative, Number, Path, Syntax, Text
from forms.xpath.values import Value, to_boolean

# What the tablet computed with these cannot be computed again: chance, its clock, itself.
UNREPEATABLE = frozenset(["now", "today", "random", "uuid", "once", "property", "randomize without a seed"])
CLOCK = frozenset(["now", "today"])
# These give the words of the language that was chosen on the tablet.
WORDED = frozenset(["jr:choice-name", "jr:itext", "names of months and days"])

SITUATED = frozenset(["position", "jr:choice-name"])

# One module per function family; importing them has filled FUNCTIONS.
FAMILIES = functions.FAMILIES
NOTHING_KNOWN = Surroundings()


@dataclass(slots=True)
class Expression:
    """A compiled expression. `uses` are the functions it calls, `instances` the lists it reads."""

    text: str
    syntax: Syntax
    evaluate: Evaluate
    raw: Raw
    uses: frozenset[str]
    instances: frozenset[str]
    kind: Kind
    # Whether it asks where it stands: current() and position() need to be told.
    situated: bool
    # The value as a condition, for callers who have told the environment where it stands.
    condition: Test
    # The same for all callers. A rule that only compares is its own test.
    test: Test = field(init=False)

    def __post_init__(self) -> None:
        self.test = self.condition if self.kind == "boolean" and not self.situated else self._test

    @property
    def replayable(self) -> bool:
        """Whether evaluating it again must give what the tablet got."""
        return not self.uses & UNREPEATABLE

    @property
    def is_chance(self) -> bool:
        """Whether its result hangs on more than the record, its lists and its time."""
        return bool(self.uses & (UNREPEATABLE - CLOCK))

    @property
    def reads_clock(self) -> bool:
        return bool(self.uses & CLOCK)

    @property
    def reads_lists(self) -> bool:
        """Whether its result depends on lists beside the form."""
        return bool(self.instances) or "pulldata" in self.uses

    @property
    def worded(self) -> bool:
        """Whether its result depends on the language that the form was shown in."""
        return bool(self.uses & WORDED)

    def value(self, node: Node, environment: Environment) -> Value:
        """What the expression gives at a node. Raises CannotVerify where that is not known."""
        if self.situated:
            return cast(Value, environment.evaluate_raw(self.evaluate, node))
        try:
            return self.evaluate(node, environment)
        except RecursionError:
            raise CannotVerify("cannot_finish") from None

    def _test(self, node: Node, environment: Environment) -> bool:
        return to_boolean(self.value(node, environment))

    def nodes(self, node: Node, environment: Environment) -> list[Node]:
        """The nodes that the expression finds; none if it gives a value."""
        found = environment.evaluate_raw(self.raw, node)
        return found if isinstance(found, list) else []


def compile_expression(text: str, form: Surroundings = NOTHING_KNOWN) -> Expression:
    """Compile an expression for a form; XPathRefused if the tablet would refuse it."""
    try:
        return compile_syntax(text, parse(text), form)
    except RecursionError:
        raise XPathRefused("xpath_too_deep", limit=DEEPEST) from None


def compile_syntax(text: str, syntax: Syntax, form: Surroundings) -> Expression:
    """Compile what has been parsed; `text` is what findings say."""
    scope = Scope(form, _compile)
    part = scope.compile(syntax)
    return Expression(
        text=text,
        syntax=syntax,
        evaluate=part.value,
        raw=part.raw,
        uses=frozenset(scope.uses),
        instances=frozenset(path.instance for path in scope.paths if path.start == "instance"),
        kind=part.kind,
        condition=part.test(),
        # An indexed list, a choice's name or a predicate may ask from inside.
        situated=bool(scope.uses & SITUATED) or any(path.start == "current" for path in scope.paths),
    )


def _compile(syntax: Syntax, scope: Scope) -> Part:
    return _COMPILERS[type(syntax)](syntax, scope)


def _compile_path(path: Path, scope: Scope) -> Part:
    scope.paths.append(path)
    return paths.compile_path(path, scope)


def _compile_chain(chain: Chain, scope: Scope) -> Part:
    return operators.compile_chain(chain, [scope.compile(operand) for operand in chain.operands])


def _compile_call(call: Call, scope: Scope) -> Part:
    known = FUNCTIONS.get(call.name)
    if known is None:
        raise XPathRefused("xpath_unknown_function", name=call.name)
    if not known.counts(len(call.arguments)):
        raise XPathRefused("xpath_arguments", name=call.name, count=len(call.arguments))
    scope.uses.add(call.name)
    return known.build(call, [scope.compile(argument) for argument in call.arguments], scope)


_COMPILERS: dict[type, Callable[[Any, Scope], Part]] = {
    Number: lambda number, _scope: constant(number, number.value, "number"),
    Text: lambda text, _scope: constant(text, text.value, "text"),
    Path: _compile_path,
    Negative: lambda negative, scope: operators.compile_negative(negative, scope.compile(negative.operand)),
    Chain: _compile_chain,
    Call: _compile_call,
}
