"""Java regular expressions → the regex package's, for whole matches in bounded time.

What Java would refuse is refused; what the two read differently is rewritten. Java's \\w, \\d, \\s are ASCII on a
JVM and Unicode on Android, so a pattern is kept in both readings: where they disagree nothing is claimed.
"""

from dataclasses import dataclass
from functools import lru_cache
from time import process_time

import regex

from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify, XPathRefused

LONGEST_PATTERN = 2_000
LONGEST_VALUE = 20_000
SECONDS = 0.1
# At most 40³ steps.
SHORT_VALUE, FEW_QUANTIFIERS = 40, 3

POSIX = {
    "Lower": "a-z", "Upper": "A-Z", "ASCII": r"\x00-\x7f", "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
    "Punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e", "Graph": r"\x21-\x7e", "Print": r"\x20-\x7e",
    "Blank": r" \t", "Cntrl": r"\x00-\x1f\x7f", "XDigit": "0-9a-fA-F", "Space": r" \t\n\x0b\f\r",
}  # fmt: skip
ASCII_CLASSES = {"d": "0-9", "w": "a-zA-Z_0-9", "s": r" \t\n\x0b\f\r"}
UNICODE_CLASSES = {"d": r"\p{Nd}", "w": r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d", "s": r"\p{White_Space}"}
OTHER_CLASSES = {"h": r" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000", "v": r"\n\x0b\f\r\x85\u2028\u2029"}
NOT_LINE_END = r"[^\n\r\x85\u2028\u2029]"
JAVA_PROPERTIES = {"javaLowerCase": r"\p{Ll}", "javaUpperCase": r"\p{Lu}", "javaWhitespace": r"\s",
                   "javaDigit": r"\p{Nd}", "javaLetter": r"\p{L}", "javaLetterOrDigit": r"[\p{L}\p{Nd}]"}  # fmt: skip
GROUP_STARTS = ("(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!")
SAME_IN_BOTH = "tnrfaAbBzZGXR"
SET_OPERATORS = "-~|:"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern in its JVM reading, and its Android reading where that differs."""

    ascii: "regex.Pattern[str]"
    unicode: "regex.Pattern[str] | None"
    # No group and few quantifiers: on a short text it ends soon, and the limit on its time costs more than the match.
    soon: bool


def matches(pattern: Pattern, value: str, environment: Environment) -> bool:
    """Whether the whole value matches; CannotVerify if that takes too long or depends on the tablet."""
    if pattern.soon and len(value) <= SHORT_VALUE and value.isascii():
        return pattern.ascii.fullmatch(value) is not None
    if len(value) > LONGEST_VALUE:
        raise CannotVerify("cannot_match_in_time")
    verdict = _timed_match(pattern.ascii, value, environment)
    in_doubt = pattern.unicode is not None and not value.isascii()
    if in_doubt and _timed_match(pattern.unicode or pattern.ascii, value, environment) != verdict:
        raise CannotVerify("cannot_match_surely")
    return verdict


def _timed_match(pattern: "regex.Pattern[str]", value: str, environment: Environment) -> bool:
    """Each match has its own limit, and all matches of a record together have one too."""
    if environment.pattern_seconds <= 0:
        raise CannotVerify("cannot_match_in_time")
    started = process_time()
    try:
        return pattern.fullmatch(value, timeout=SECONDS) is not None
    except TimeoutError:
        raise CannotVerify("cannot_match_in_time") from None
    finally:
        # A match that ends just below its limit costs the record as much as one that was cut off.
        environment.pattern_seconds -= process_time() - started


@lru_cache(maxsize=2048)
def compile_pattern(java: str) -> Pattern:
    """The pattern of a Java expression, or XPathRefused if Java would not compile it."""
    if len(java) > LONGEST_PATTERN:
        raise CannotVerify("cannot_use_pattern")
    narrow = _Translator(java, ASCII_CLASSES).translate()
    wide = _Translator(java, UNICODE_CLASSES).translate() if "\\" in java else narrow
    soon = "(" not in java and sum(map(java.count, "?*+{")) <= FEW_QUANTIFIERS
    return Pattern(_compiled(narrow, java), _compiled(wide, java) if wide != narrow else None, soon)


def _compiled(translated: str, java: str) -> "regex.Pattern[str]":
    try:
        return regex.compile(translated, regex.VERSION1)
    except (regex.error, OverflowError, RecursionError):
        raise XPathRefused("xpath_bad_pattern", pattern=java) from None


class _Translator:
    def __init__(self, java: str, classes: dict[str, str]) -> None:
        self.java = java
        self.position = 0
        self.classes = {**classes, **OTHER_CLASSES}
        # With (?s) a point is any character; such patterns keep Python's point.
        self.point = "." if "(?" in java and "s" in java.partition("(?")[2].partition(")")[0] else NOT_LINE_END

    def translate(self) -> str:
        pieces = []
        while self.position < len(self.java):
            pieces.append(self.piece())
        return "".join(pieces)

    def refuse(self) -> XPathRefused:
        return XPathRefused("xpath_bad_pattern", pattern=self.java)

    def take(self, count: int = 1) -> str:
        taken = self.java[self.position : self.position + count]
        self.position += count
        return taken

    def take_one(self) -> str:
        if self.position >= len(self.java):
            raise self.refuse()
        return self.take()

    def rest_starts(self, text: str) -> bool:
        return self.java.startswith(text, self.position)

    def piece(self) -> str:
        character = self.java[self.position]
        if character == "\\":
            return self.escape(in_class=False)
        if character == "[":
            return self.character_class()
        if character == "(":
            return self.group()
        if character == "{":
            return self.repetition()
        self.position += 1
        return self.point if character == "." else ("\\" + character if character in "]}" else character)

    def repetition(self) -> str:
        """Only {n}, {n,} and {n,m}: braces mean fuzzy matching to the regex package and are an error to Java."""
        end = self.java.find("}", self.position)
        least, comma, most = self.java[self.position + 1 : max(end, 0)].partition(",")
        if end < 0 or not least.isascii() or not least.isdigit() or (most and not most.isdigit()):
            raise self.refuse()
        if max(len(least), len(most)) > 4:
            raise CannotVerify("cannot_use_pattern")
        return self.take(end + 1 - self.position) if comma or not most else ""

    def group(self) -> str:
        if not self.rest_starts("(?"):
            if self.rest_starts("(*"):
                raise self.refuse()
            return self.take()
        for start in GROUP_STARTS:
            if self.rest_starts(start):
                return self.take(len(start))
        return self.named_group() if self.rest_starts("(?<") else self.flags()

    def named_group(self) -> str:
        end = self.java.find(">", self.position)
        name = self.java[self.position + 3 : max(end, 0)]
        if not (name.isascii() and name.isalnum() and name[0].isalpha()):
            raise self.refuse()
        return self.take(end + 1 - self.position)

    def flags(self) -> str:
        ends = [end for end in (self.java.find(mark, self.position) for mark in ":)") if end >= 0]
        if not ends:
            raise self.refuse()
        flags = self.java[self.position + 2 : min(ends)]
        if not flags or set(flags) - set("imsxuUd-"):
            raise self.refuse()
        if set(flags) & set("dxU"):
            raise CannotVerify("cannot_use_pattern")
        on, minus, off = (part.replace("u", "") for part in flags.partition("-"))
        self.take(min(ends) - self.position)
        return f"(?{on}{minus if off else ''}{off}" if on or off or self.rest_starts(":") else self.skip_empty()

    def skip_empty(self) -> str:
        self.position += 1
        return ""

    def escape(self, in_class: bool) -> str:
        letter = self.java[self.position + 1 : self.position + 2]
        if not letter:
            raise self.refuse()
        if letter in "pP":
            return self.property(in_class)
        if letter == "Q":
            return self.quotation()
        if letter.lower() in self.classes:
            return self.shorthand(letter, in_class)
        if letter.isascii() and letter.isalnum():
            return self.lettered(letter, in_class)
        self.position += 2
        return regex.escape(letter, special_only=False) if letter.isascii() else letter

    def shorthand(self, letter: str, in_class: bool) -> str:
        self.position += 2
        members = self.classes[letter.lower()]
        if letter.islower():
            return members if in_class else f"[{members}]"
        return f"[^{members}]"

    def lettered(self, letter: str, in_class: bool) -> str:
        if letter in "xu0ce":
            return self.character(letter)
        if letter in SAME_IN_BOTH and not (in_class and letter in "AbBzZGXR"):
            return self.take(2) if letter != "z" else self.take(2).upper()
        if letter.isdigit() and not in_class:
            return self.take(2)
        if letter == "k" and self.java[self.position + 2 : self.position + 3] == "<":
            end = self.java.find(">", self.position)
            name = self.java[self.position + 3 : max(end, 0)]
            self.position = end + 1
            return f"(?P={name})"
        raise self.refuse()

    def character(self, letter: str) -> str:
        """A character by its code: \\xhh, \\x{h…}, \\uhhhh, \\0nnn, \\cX, \\e."""
        self.position += 2
        if letter == "e":
            return r"\x1b"
        if letter == "c":
            return _code(ord(self.take_one()) ^ 64)
        if letter == "0":
            return _code(self.digits("01234567", 3, 8))
        if letter == "x" and self.rest_starts("{"):
            self.position += 1
            code = self.digits("0123456789abcdefABCDEF", 6, 16)
            self.position += 1
            return _code(code)
        return _code(self.digits("0123456789abcdefABCDEF", 2 if letter == "x" else 4, 16))

    def digits(self, allowed: str, most: int, base: int) -> int:
        start = self.position
        while self.position - start < most and self.java[self.position : self.position + 1] in tuple(allowed):
            self.position += 1
        if start == self.position:
            raise self.refuse()
        return int(self.java[start : self.position], base)

    def property(self, in_class: bool) -> str:
        negated = self.take(2)[1] == "P"
        if self.rest_starts("{"):
            end = self.java.find("}", self.position)
            name = self.java[self.position + 1 : max(end, 0)]
            self.position = end + 1
        else:
            name = self.take()
        if not name or not name.isascii():
            raise self.refuse()
        return _property(name, negated, in_class)

    def quotation(self) -> str:
        end = self.java.find("\\E", self.position)
        quoted = self.java[self.position + 2 : end if end >= 0 else None]
        self.position = end + 2 if end >= 0 else len(self.java)
        return str(regex.escape(quoted, special_only=False))

    def character_class(self) -> str:
        pieces = [self.take()]
        if self.rest_starts("^"):
            pieces.append(self.take())
        first = True
        while first or not self.rest_starts("]"):
            if self.position >= len(self.java):
                raise self.refuse()
            pieces.append(self.class_member())
            first = False
        return "".join(pieces) + self.take()

    def class_member(self) -> str:
        character = self.java[self.position]
        if character == "\\":
            return self.escape(in_class=True)
        if character == "[":
            return self.character_class()
        if self.rest_starts("&&"):
            return self.take(2)
        self.position += 1
        if character == "-" and not self.rest_starts("-"):
            return "-"
        # Doubled, these are set operators of the regex package, and [: opens a POSIX class; Java knows && alone.
        return "\\" + character if character in SET_OPERATORS + "]&" else character


def _property(name: str, negated: bool, in_class: bool) -> str:
    members = POSIX.get(name)
    if members is None:
        known = JAVA_PROPERTIES.get(name)
        if known is not None and not negated:
            return known
        return f"\\{'P' if negated else 'p'}{{{name.removeprefix('Is') if len(name) <= 4 else name}}}"
    if negated:
        return f"[^{members}]"
    return members if in_class else f"[{members}]"


def _code(code: int) -> str:
    return f"\\U{min(code, 0x10FFFF):08x}"
