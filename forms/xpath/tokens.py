"""Text of an expression → tokens, by the rules of JavaRosa's lexer.

They differ from XPath 1.0: what “-”, “*”, “and”, “or”, “div” and “mod” mean depends on the token before alone,
and a name consists of letters that have a case, so that a question named in Arabic fails on the tablet.
"""

import re
from typing import Literal, NamedTuple

from forms.xpath.errors import XPathRefused

LONGEST = 50_000

TokenKind = Literal["name", "prefixed-wildcard", "variable", "number", "string", "symbol", "end"]


PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class Token(NamedTuple):
    kind: TokenKind
    text: str
    number: float = 0.0


END = Token("end", "")
SPACE = " \n\t\f\r"
DIGITS = "0123456789"
DOUBLE_SYMBOLS = ("!=", "<=", ">=", "//", "..", "::")
SINGLE_SYMBOLS = "=<>+-*|/[]().,@"
WORD_OPERATORS = ("and", "or", "div", "mod")
# After these an operator is expected; after everything else, an operand.
OPERAND_ENDS = frozenset(["]", ")", ".", ".."])


def tokenize(expression: str) -> list[Token]:
    """The tokens of an expression, or XPathRefused where JavaRosa finds no token either."""
    if len(expression) > LONGEST:
        raise XPathRefused("xpath_too_long", limit=LONGEST)
    tokens: list[Token] = []
    position, after_operand = 0, False
    while position < len(expression):
        if expression[position] in SPACE:
            position += 1
            continue
        token, position = _next_token(expression, position, after_operand)
        tokens.append(token)
        after_operand = token.kind != "symbol" or token.text in OPERAND_ENDS
    return tokens


def _next_token(expression: str, start: int, after_operand: bool) -> tuple[Token, int]:
    character = expression[start]
    if character in DIGITS or (character == "." and expression[start + 1 : start + 2] in tuple(DIGITS)):
        return _number(expression, start)
    if character in "'\"":
        return _string(expression, start)
    if character == "$":
        return _variable(expression, start)
    if after_operand:
        return _operator(expression, start)
    if character == "*":
        return Token("name", "*"), start + 1
    if character == "-":
        return Token("symbol", "negative"), start + 1
    if _starts_name(character):
        return _name(expression, start)
    return _symbol(expression, start)


def _operator(expression: str, start: int) -> tuple[Token, int]:
    if expression[start] in "aodm":
        for word in WORD_OPERATORS:
            if expression.startswith(word, start):
                return Token("symbol", word), start + len(word)
    return _symbol(expression, start)


def _symbol(expression: str, start: int) -> tuple[Token, int]:
    if expression[start : start + 2] in DOUBLE_SYMBOLS:
        return Token("symbol", expression[start : start + 2]), start + 2
    if expression[start] in SINGLE_SYMBOLS:
        return Token("symbol", expression[start]), start + 1
    raise refused(expression, expression[start])


def _number(expression: str, start: int) -> tuple[Token, int]:
    end, seen_point = start, False
    while end < len(expression) and (expression[end] in DIGITS or (expression[end] == "." and not seen_point)):
        seen_point = seen_point or expression[end] == "."
        end += 1
    text = expression[start:end]
    return Token("number", text, float(text)), end


def _string(expression: str, start: int) -> tuple[Token, int]:
    end = expression.find(expression[start], start + 1)
    if end == -1:
        raise refused(expression, expression[start])
    return Token("string", expression[start + 1 : end]), end + 1


def _variable(expression: str, start: int) -> tuple[Token, int]:
    end = _qualified_name_end(expression, start + 1)
    if end == start + 1:
        raise refused(expression, "$")
    return Token("variable", expression[start + 1 : end]), end


def _name(expression: str, start: int) -> tuple[Token, int]:
    end = _qualified_name_end(expression, start)
    name = expression[start:end]
    if ":" not in name and expression[end : end + 2] == ":*":
        return Token("prefixed-wildcard", name), end + 2
    return Token("name", name), end


def _qualified_name_end(expression: str, start: int) -> int:
    end = _plain_name_end(expression, start)
    if end > start and expression[end : end + 1] == ":":
        local_end = _plain_name_end(expression, end + 1)
        if local_end > end + 1:
            return local_end
    return end


def _plain_name_end(expression: str, start: int) -> int:
    # Nearly all names are ASCII; where one goes on in another alphabet, each letter is asked about.
    plain = PLAIN_NAME.match(expression, start)
    end = plain.end() if plain else start
    if plain and expression[end : end + 1].isascii():
        return end
    while end < len(expression):
        character = expression[end]
        if not (_starts_name(character) or (end > start and (character in ".-" or character.isdigit()))):
            break
        end += 1
    return end


def _starts_name(character: str) -> bool:
    return character == "_" or character.islower() or character.isupper()


def refused(expression: str, found: str) -> XPathRefused:
    """The refusal of an expression at the piece of it that was not expected."""
    return XPathRefused("xpath_syntax", expression=expression[:200], found=found or "…")
