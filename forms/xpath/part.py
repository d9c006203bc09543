"""A compiled piece of an expression and the registry of functions, filled by the modules in functions/."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from forms.definition import FormDefinition
from forms.node import Node
from forms.xpath.environment import Environment, Evaluate, Raw, Test, value_of
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.syntax import Path, Syntax
from forms.xpath.values import Value, to_boolean, to_number, to_text

Kind = Literal["text", "number", "boolean", "moment", "any"]


@dataclass(slots=True)
class Part:
    """`value` gives one value and refuses several nodes; `raw` keeps the nodes for functions that take them.

    `kind` is what `value` surely gives ("moment": a date or nothing); "any" when only the record tells.
    """

    syntax: Syntax
    value: Evaluate
    raw: Raw
    kind: Kind = "any"
    # The value of a part that is the same for every record.
    fixed: Value | None = None
    # Where the record keeps the one node that a path names, whatever the context.
    slot: int | None = None

    def number(self) -> Callable[[Node, Environment], float]:
        value = self.value
        if self.kind == "number":
            return value  # type: ignore[return-value]
        if value is value_of:
            return number_of
        return lambda node, environment: to_number(value(node, environment))

    def test(self) -> Test:
        value = self.value
        if self.kind == "boolean":
            return value  # type: ignore[return-value]
        return lambda node, environment: to_boolean(value(node, environment))

    def text(self) -> Callable[[Node, Environment], str]:
        value = self.value
        if self.kind == "text":
            return value  # type: ignore[return-value]
        return lambda node, environment: to_text(value(node, environment))


def number_of(node: Node, environment: Environment) -> float:
    """The number that a node holds."""
    value = node.cached
    return value if type(value) is float else to_number(value_of(node, environment))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What compiling may know about the form. Without a definition, paths are resolved as they come and every list
    is taken to exist.
    """

    definition: FormDefinition | None = None
    slots: Mapping[str, int] = field(default_factory=dict)
    instances: frozenset[str] = frozenset()


@dataclass(slots=True)
class Scope:
    """The compiling of one expression, and what it finds out: which functions and paths there are."""

    form: Surroundings
    compiler: "Callable[[Syntax, Scope], Part]"
    uses: set[str] = field(default_factory=set)
    paths: list[Path] = field(default_factory=list)

    def compile(self, syntax: Syntax) -> Part:
        """The part of an expression inside the one that is being compiled."""
        return self.compiler(syntax, self)


def scalar(syntax: Syntax, evaluate: Evaluate, kind: Kind = "any") -> Part:
    """A part that never gives nodes."""
    return Part(syntax, evaluate, evaluate, kind)


def constant(syntax: Syntax, value: Value, kind: Kind) -> Part:
    """A part that is the same for every record."""

    def evaluate(_node: Node, _environment: Environment) -> Value:
        return value

    return Part(syntax, evaluate, evaluate, kind, fixed=value)


Build = Callable[[Syntax, list[Part], Scope], Part]


@dataclass(frozen=True, slots=True)
class Function:
    counts: Callable[[int], bool]
    build: Build


FUNCTIONS: dict[str, Function] = {}


def builder(*names: str, counts: Callable[[int], bool]) -> Callable[[Build], Build]:
    """Register a function that compiles its own arguments' parts: for laziness, node-sets and context."""

    def register(build: Build) -> Build:
        for name in names:
            FUNCTIONS[name] = Function(counts, build)
        return build

    return register


def function(
    *names: str, least: int, most: int | None = None, kind: Kind = "any", pure: bool = True
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Register a plain function of values: every argument is evaluated, from the left, and unpacked.

    What a pure function gives for constants is computed once.
    """
    highest = least if most is None else most

    def register(apply: Callable[..., Value]) -> Callable[..., Value]:
        def build(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
            folded = _folded(apply, parts) if pure else None
            if folded is not None:
                return constant(syntax, folded, kind)
            return scalar(syntax, _applied(apply, [part.value for part in parts]), kind)

        for name in names:
            FUNCTIONS[name] = Function(lambda count: least <= count <= highest, build)
        return apply

    return register


def _folded(apply: Callable[..., Value], parts: list[Part]) -> Value | None:
    arguments = [part.fixed for part in parts]
    try:
        return None if None in arguments else apply(*arguments)
    except CannotVerify:
        # Said only if a record comes to evaluate it: if() may see to it that none does.
        return None


def _applied(apply: Callable[..., Value], values: list[Evaluate]) -> Evaluate:
    if len(values) == 1:
        only = values[0]
        return lambda node, environment: apply(only(node, environment))
    if len(values) == 2:
        first, second = values
        return lambda node, environment: apply(first(node, environment), second(node, environment))
    return lambda node, environment: apply(*[value(node, environment) for value in values])


def refuse_kind(name: str) -> XPathRefused:
    """The refusal of an argument that had to be a reference."""
    return XPathRefused("xpath_argument_kind", name=name)
