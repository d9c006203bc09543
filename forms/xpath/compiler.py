"""The way in: the text of an expression and its form → an Expression, compiled once per form version."""

from collections.abc import Callable
from dataclasses import dataclass

from forms.node import Node
from forms.xpath import functions, operators, paths
from forms.xpath.environment import Environment, Evaluate, Raw
from forms.xpath.errors import XPathRefused
from forms.xpath.parser import DEEPEST, parse
from forms.xpath.part import FUNCTIONS, Kind, Part, Scope, scalar
from forms.xpath.syntax import Call, Chain, Negative, Number, Path, Syntax, Text, list_paths
from forms.xpath.values import Value, to_boolean, to_text

# What the tablet computed with these cannot be computed again: chance, its clock, itself.
UNREPEATABLE = frozenset(["now", "today", "random", "uuid", "once", "property", "randomize without a seed"])
CLOCK = frozenset(["now", "today"])
# These give the words of the language that was chosen on the tablet.
WORDED = frozenset(["jr:choice-name", "jr:itext", "format-date", "format-date-time"])

# One module per function family; importing them has filled FUNCTIONS.
FAMILIES = functions.FAMILIES


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

    @property
    def replayable(self) -> bool:
        """Whether evaluating it again must give what the tablet got."""
        return not self.uses & UNREPEATABLE

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
        return environment.evaluate(self.evaluate, node)

    def test(self, node: Node, environment: Environment) -> bool:
        return to_boolean(environment.evaluate(self.evaluate, node))

    def text_value(self, node: Node, environment: Environment) -> str:
        return to_text(environment.evaluate(self.evaluate, node))

    def nodes(self, node: Node, environment: Environment) -> list[Node]:
        """The nodes that the expression finds; none if it gives a value."""
        found = environment.evaluate_raw(self.raw, node)
        return found if isinstance(found, list) else []


def compile_expression(text: str, scope: Scope | None = None) -> Expression:
    """Compile an expression for a form; XPathRefused if the tablet would refuse it.

    Without a scope, paths are resolved as they come and every list is taken to exist.
    """
    own = Scope(
        definition=scope.definition if scope else None,
        slots=scope.slots if scope else {},
        instances=scope.instances if scope else set(),
    )
    own.compile = lambda syntax: _compile(syntax, own)
    try:
        syntax = parse(text)
        part = own.compile(syntax)
    except RecursionError:
        raise XPathRefused("xpath_too_deep", limit=DEEPEST) from None
    return Expression(text, syntax, part.value, part.raw, frozenset(own.uses), frozenset(_instances(syntax)), part.kind)


def _instances(syntax: Syntax) -> set[str]:
    return {path.instance for path in list_paths(syntax) if path.start == "instance"}


def _compile(syntax: Syntax, scope: Scope) -> Part:
    match syntax:
        case Number(value):
            return scalar(syntax, _always(value), "number")
        case Text(value):
            return scalar(syntax, _always(value), "text")
        case Path():
            return paths.compile_path(syntax, scope)
        case Negative(operand):
            return operators.compile_negative(syntax, scope.compile(operand))
        case Chain():
            return operators.compile_chain(syntax, [scope.compile(operand) for operand in syntax.operands])
        case Call():
            return _compile_call(syntax, scope)


def _always(value: Value) -> Callable[[Node, Environment], Value]:
    return lambda _node, _environment: value


def _compile_call(call: Call, scope: Scope) -> Part:
    known = FUNCTIONS.get(call.name)
    if known is None:
        raise XPathRefused("xpath_unknown_function", name=call.name)
    if not known.counts(len(call.arguments)):
        raise XPathRefused("xpath_arguments", name=call.name, count=len(call.arguments))
    scope.uses.add(call.name)
    return known.build(call, [scope.compile(argument) for argument in call.arguments], scope)
