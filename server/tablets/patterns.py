"""A text that matches a regular expression of a form, for answers that a constraint demands.

Knows what forms use: classes, groups, alternatives, quantifiers. What it does not know, the constraint still judges.
"""

import string
from random import Random

_CLASSES = {"d": string.digits, "w": string.ascii_letters + string.digits + "_", "s": " "}
_ANY = string.ascii_lowercase + string.digits
_MOST_REPEATS = 4


def sample_pattern(pattern: str, rng: Random) -> str:
    """Make up a text for a pattern; anchors say nothing, since forms match the whole answer."""
    return _Sampler(pattern, rng).read_alternatives()


class _Sampler:
    """One pass over a pattern from the left; `at` is the next sign."""

    def __init__(self, pattern: str, rng: Random) -> None:
        self.pattern, self.rng, self.at = pattern, rng, 0

    def read_alternatives(self) -> str:
        branches = [self._read_branch()]
        while self._peek() == "|":
            self.at += 1
            branches.append(self._read_branch())
        return self.rng.choice(branches)

    def _read_branch(self) -> str:
        text = ""
        while self._peek() not in ("", "|", ")"):
            start = self.at
            piece = self._read_atom()
            least, most = self._read_quantifier()
            end = self.at
            count = self.rng.randint(least, most)
            text += piece if count else ""
            for _ in range(count - 1):
                self.at = start
                text += self._read_atom()
            self.at = end
        return text

    def _read_atom(self) -> str:
        sign = self._next()
        if sign in "^$":
            return ""
        if sign == "(":
            return self._read_group()
        if sign == "[":
            return self.rng.choice(self._read_class())
        if sign == "\\":
            return self._escaped(self._next())
        return self.rng.choice(_ANY) if sign == "." else sign

    def _read_group(self) -> str:
        if self.pattern.startswith("?:", self.at):
            self.at += 2
        text = self.read_alternatives()
        self.at += 1
        return text

    def _read_class(self) -> str:
        negated = self._peek() == "^"
        self.at += negated
        signs = ""
        while self._peek() not in ("", "]"):
            sign = self._next()
            signs += _CLASSES.get(self._peek(), self._peek()) if sign == "\\" else self._read_range(sign)
            self.at += sign == "\\"
        self.at += 1
        allowed = "".join(one for one in _ANY if one not in signs) if negated else signs
        return allowed or "-"

    def _read_range(self, first: str) -> str:
        """`a-z`, or the one sign."""
        if self._peek() != "-" or self.pattern[self.at + 1 : self.at + 2] in ("", "]"):
            return first
        last = self.pattern[self.at + 1]
        self.at += 2
        return "".join(map(chr, range(ord(first), ord(last) + 1)))

    def _escaped(self, sign: str) -> str:
        return self.rng.choice(_CLASSES[sign]) if sign in _CLASSES else sign

    def _read_quantifier(self) -> tuple[int, int]:
        sign = self._peek()
        if sign == "{":
            return self._read_bounds()
        self.at += sign in ("?", "*", "+")
        least, most = {"?": (0, 1), "*": (0, _MOST_REPEATS), "+": (1, _MOST_REPEATS)}.get(sign, (1, 1))
        return least, most

    def _read_bounds(self) -> tuple[int, int]:
        end = self.pattern.index("}", self.at)
        least, comma, most = self.pattern[self.at + 1 : end].partition(",")
        self.at = end + 1
        if not comma:
            return int(least), int(least)
        return int(least or 0), int(most or int(least or 0) + _MOST_REPEATS)

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _next(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1 : self.at]
