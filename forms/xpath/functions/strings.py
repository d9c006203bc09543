"""Text: joining, cutting, searching, translating, and regex()."""

from forms.node import Node
from forms.xpath.environment import Environment, Evaluate, value_of
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.functions.logic import list_values
from forms.xpath.part import Part, Scope, builder, function, scalar
from forms.xpath.patterns import compile_pattern, matches
from forms.xpath.syntax import Syntax, Text
from forms.xpath.values import JAVA_SPACE, Value, to_java_int, to_text

LONGEST_RESULT = 100_000


@function("string", least=1, kind="text")
def string(value: Value) -> Value:
    """By the rules of to_text."""
    return to_text(value)


@builder("concat", counts=lambda _count: True)
def concat(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """All arguments in a row; a single node-set gives all its answers."""
    if len(parts) != 1:
        texts = [part.text() for part in parts]
        return scalar(syntax, lambda node, environment: joined("", [text(node, environment) for text in texts]), "text")

    def evaluate(node: Node, environment: Environment) -> Value:
        return joined("", list(map(to_text, list_values(parts, node, environment))))

    return scalar(syntax, evaluate, "text")


@builder("join", counts=lambda count: count >= 1)
def join(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """As concat, with the first argument between the others."""
    separator, others = parts[0].text(), parts[1:]

    def evaluate(node: Node, environment: Environment) -> Value:
        return joined(separator(node, environment), list(map(to_text, list_values(others, node, environment))))

    return scalar(syntax, evaluate, "text")


def joined(separator: str, texts: list[str]) -> str:
    """The texts in one, unless that grows beyond all use: calculations that double each other end here."""
    if sum(map(len, texts)) + len(separator) * len(texts) > LONGEST_RESULT:
        raise CannotVerify("cannot_finish")
    return separator.join(texts)


@function("substr", least=2, most=3, kind="text")
def substr(value: Value, start: Value, end: Value | None = None) -> Value:
    """From 0, end exclusive, negative positions from the end."""
    text = to_text(value)
    length = utf16_length(text)
    first = _position(to_java_int(start), length)
    last = length if end is None else _position(to_java_int(end), length)
    return _utf16_slice(text, first, last) if first <= last else ""


def _position(position: int, length: int) -> int:
    return min(max(0, position + length if position < 0 else position), length)


def utf16_length(text: str) -> int:
    """Java counts 16-bit units: a character beyond the basic plane counts twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _utf16_slice(text: str, first: int, last: int) -> str:
    if utf16_length(text) == len(text):
        return text[first:last]
    units = text.encode("utf-16-le", "surrogatepass")[2 * first : 2 * last]
    return units.decode("utf-16-le", "surrogatepass")


@function("substring-before", least=2, kind="text")
def substring_before(value: Value, separator: Value) -> Value:
    """What stands before the first occurrence, "" if there is none."""
    before, found, _after = _partition(value, separator)
    return before if found else ""


@function("substring-after", least=2, kind="text")
def substring_after(value: Value, separator: Value) -> Value:
    """What stands after the first occurrence, "" if there is none."""
    return _partition(value, separator)[2]


def _partition(value: Value, separator: Value) -> tuple[str, bool, str]:
    text, mark = to_text(value), to_text(separator)
    if not mark:
        return "", True, text
    before, found, after = text.partition(mark)
    return before, bool(found), after


@function("translate", least=3, kind="text")
def translate(value: Value, source: Value, target: Value) -> Value:
    """Each character replaced by its counterpart, or dropped where it has none."""
    characters, replacements = to_text(source), to_text(target)
    table: dict[int, str | None] = {}
    for position, character in enumerate(characters):
        table.setdefault(ord(character), replacements[position] if position < len(replacements) else None)
    return to_text(value).translate(table)


@function("contains", least=2, kind="boolean")
def contains(value: Value, part: Value) -> Value:
    """Whether a text holds another."""
    return to_text(part) in to_text(value)


@function("starts-with", least=2, kind="boolean")
def starts_with(value: Value, start: Value) -> Value:
    """Whether a text begins with another."""
    return to_text(value).startswith(to_text(start))


@function("ends-with", least=2, kind="boolean")
def ends_with(value: Value, end: Value) -> Value:
    """Whether a text ends with another."""
    return to_text(value).endswith(to_text(end))


def _own_or_context(parts: list[Part]) -> Evaluate:
    """The argument, or the answer at the context node where there is none."""
    return parts[0].value if parts else value_of


@builder("string-length", counts=lambda count: count <= 1)
def string_length(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The length of a text in 16-bit units."""
    value = _own_or_context(parts)
    return scalar(syntax, lambda node, environment: float(utf16_length(to_text(value(node, environment)))), "number")


@builder("normalize-space", counts=lambda count: count <= 1)
def normalize_space(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """A text with single spaces."""
    value = _own_or_context(parts)
    return scalar(syntax, lambda node, environment: squeeze(to_text(value(node, environment))), "text")


def squeeze(text: str) -> str:
    """One space for each run of Java's \\s, none at the ends."""
    text = text.strip(JAVA_SPACE)
    for space in "\t\n\x0b\f\r":
        text = text.replace(space, " ")
    return " ".join(piece for piece in text.split(" ") if piece)


@builder("regex", counts=lambda count: count == 2)
def regex(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """Whether the whole text matches. A pattern that is written out is compiled, or refused, at publishing."""
    text, pattern = parts[0].text(), parts[1].text()
    if isinstance(parts[1].syntax, Text):
        fixed = compile_pattern(parts[1].syntax.value)
        return scalar(syntax, lambda node, environment: matches(fixed, text(node, environment), environment), "boolean")

    def evaluate(node: Node, environment: Environment) -> Value:
        value = text(node, environment)
        try:
            made = compile_pattern(pattern(node, environment))
        except XPathRefused:
            # Made of an answer, which no message may quote.
            raise CannotVerify("cannot_read_pattern") from None
        return matches(made, value, environment)

    return scalar(syntax, evaluate, "boolean")
