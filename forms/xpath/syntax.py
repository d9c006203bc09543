"""The shape of a parsed expression. Meaning is compiler.py's, paths.py's and the functions' work."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Number:
    value: float


@dataclass(slots=True)
class Text:
    value: str


@dataclass(slots=True)
class Negative:
    operand: "Syntax"


@dataclass(slots=True)
class Chain:
    """Operators of one precedence in a row: a - b + c is (a, b, c) and ("-", "+"), read from the left."""

    operands: tuple["Syntax", ...]
    operators: tuple[str, ...]


@dataclass(slots=True)
class Call:
    name: str
    arguments: tuple["Syntax", ...]


@dataclass(slots=True)
class Step:
    axis: Literal["child", "attribute", "self", "parent"]
    name: str = ""
    predicates: tuple["Syntax", ...] = ()


@dataclass(slots=True)
class Path:
    """`start` is where the steps set out: the root, the context node, current(), or a secondary instance."""

    start: Literal["root", "context", "current", "instance"]
    steps: tuple[Step, ...]
    instance: str = ""


Syntax = Number | Text | Negative | Chain | Call | Path


def list_paths(syntax: Syntax) -> list[Path]:
    """Every path of an expression, those inside predicates and arguments included."""
    found: list[Path] = [syntax] if isinstance(syntax, Path) else []
    for part in list_parts(syntax):
        found += list_paths(part)
    return found


def list_parts(syntax: Syntax) -> tuple[Syntax, ...]:
    """The expressions directly inside an expression."""
    match syntax:
        case Chain():
            return syntax.operands
        case Call():
            return syntax.arguments
        case Negative():
            return (syntax.operand,)
        case Path():
            return tuple(predicate for step in syntax.steps for predicate in step.predicates)
        case _:
            return ()
