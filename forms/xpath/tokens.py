"""Text of an expression → tokens, by the rules of JavaRosa's lexer.

They differ from XPath 1.0: what “-”, “*”, “and”, “or”, “div” and “mod” mean depends on the token before alone,
and a name consists of letters that have a case, so that a question named in Arabic fails on the tablet.
"""

import re
from typing import Literal, NamedTuple

from forms.xpath.errors import XPathRefused

LONGEST = 50_000

TokenKind = Literal["name", "prefixed-wildcard", "variable", "number", "string", "symbol", "end"]


class Token(NamedTuple):
    kind: TokenKind
    text: str
    number: float = 0.0


END = Token("end", "")
DOUBLE_SYMBOLS = ("!=", "<=", ">=", "//", "..", "::")
SINGLE_SYMBOLS = "=<>+-*|/[]().,@"
WORD_OPERATORS = ("and", "or", "div", "mod")
# After these an operator is expected; after everything else, an operand.
OPERAND_ENDS = frozenset(["]", ")", ".", ".."])

SPACE = " \n\t\f\r"
_NUMBER = r"(?P<number>\d+(?:\.\d*)?|\.\d+)"
_STRING = r"""(?P<string>'[^']*'|"[^"]*")"""
_SYMBOL = f"(?P<symbol>{'|'.join(map(re.escape, (*DOUBLE_SYMBOLS, *SINGLE_SYMBOLS)))})"
# Nearly all names are ASCII and stand alone; what goes on with a colon or in another alphabet is looked at closely.
_PLAIN_NAME = r"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*+)(?![^\x00-\x39\x3b-\x7f])"
_OPERAND = re.compile(f"[{SPACE}]*(?:{_PLAIN_NAME}|{_NUMBER}|{_STRING}|{_SYMBOL})", re.ASCII)
_WORD = f"(?P<word>{'|'.join(WORD_OPERATORS)})"
_OPERATOR = re.compile(f"[{SPACE}]*(?:{_WORD}|{_NUMBER}|{_STRING}|{_SYMBOL})", re.ASCII)
_SYMBOLS = {text: Token("symbol", text) for text in (*DOUBLE_SYMBOLS, *SINGLE_SYMBOLS, *WORD_OPERATORS)}
# The same signs where an operand is expected.
_OPERAND_SYMBOLS = {**_SYMBOLS, "-": Token("symbol", "negative"), "*": Token("name", "*")}


def tokenize(expression: str) -> list[Token]:
    """The tokens of an expression, or XPathRefused where JavaRosa finds no token either."""
    if len(expression) > LONGEST:
        raise XPathRefused("xpath_too_long", limit=LONGEST)
    tokens: list[Token] = []
    position, after_operand, end = 0, False, len(expression.rstrip(SPACE))
    while position < end:
        token, position = _next_token(expression, position, after_operand)
        tokens.append(token)
        after_operand = token.kind != "symbol" or token.text in OPERAND_ENDS
    return tokens


def _next_token(expression: str, start: int, after_operand: bool) -> tuple[Token, int]:
    found = (_OPERATOR if after_operand else _OPERAND).match(expression, start)
    kind = found.lastgroup if found is not None else None
    if found is None or kind is None:
        return _uncommon_token(expression, start, after_operand)
    text = found[kind]
    if kind == "name":
        return Token("name", text), found.end()
    if kind == "number":
        return Token("number", text, float(text)), found.end()
    if kind == "string":
        return Token("string", text[1:-1]), found.end()
    return (_SYMBOLS if after_operand else _OPERAND_SYMBOLS)[text], found.end()


def _uncommon_token(expression: str, start: int, after_operand: bool) -> tuple[Token, int]:
    while expression[start] in SPACE:
        start += 1
    return _variable(expression, start) if expression[start] == "$" else _name(expression, start, after_operand)


def _variable(expression: str, start: int) -> tuple[Token, int]:
    end = _qualified_name_end(expression, start + 1)
    if end == start + 1:
        raise refused(expression, "$")
    return Token("variable", expression[start + 1 : end]), end


def _name(expression: str, start: int, after_operand: bool) -> tuple[Token, int]:
    """A name with a prefix, before an axis, or in another alphabet."""
    end = start if after_operand else _qualified_name_end(expression, start)
    if end == start:
        raise refused(expression, expression[start])
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
    end = start
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
