"""JavaRosa's findings and ours, made comparable, and the list of differences that we mean (differences.toml).

Policy, common to all cases: JavaRosa blanks an answer of a wrong type or outside its choices without a word; the driver
reports it as `type` or `choice`, as we do. Such an answer is then judged no further on either side. Types are ours to
flag: a difference there has to be listed, but a verdict is about required, constraint and choice. Kinds that JavaRosa
does not know (relevant, unknown, structure, attachment) are ours alone and are not compared.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.oracle.client import Answer

LISTED = Path(__file__).with_name("differences.toml")
COMPARED = frozenset({"required", "constraint", "type", "choice"})
THROWN_AWAY = frozenset({"type", "choice"})


class Said(NamedTuple):
    """One thing that an engine says: a finding, or the relevance or value of a node."""

    path: str
    kind: str


class Difference(NamedTuple):
    """What only one engine says about a record, or what both say otherwise."""

    form: str
    by: str  # "javarosa" or "ours"
    kind: str
    path: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.form} {self.path}: {self.kind}, only {self.by} {self.detail}".rstrip()


@dataclass(frozen=True)
class Listed:
    """A difference that we accept. Every field that is given must match; `path` and `form` are regular expressions."""

    reason: str
    form: str = ".*"
    by: str = "javarosa|ours"
    kind: str = ".*"
    path: str = ".*"
    detail: str = ".*"

    def covers(self, difference: Difference) -> bool:
        return all(
            re.fullmatch(getattr(self, name), getattr(difference, name), re.DOTALL)
            for name in ("form", "by", "kind", "path", "detail")
        )


def read_listed(table: str) -> list[Listed]:
    return [Listed(**one) for one in tomllib.loads(LISTED.read_text(encoding="utf-8"))[table]]


@dataclass
class Tally:
    """How often the engines agreed, and where they did not."""

    cases: int = 0
    same_verdict: int = 0
    same_findings: int = 0
    unlisted: list[Difference] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)

    def share_of_verdicts(self) -> float:
        return self.same_verdict / self.cases

    def share_of_findings(self) -> float:
        return self.same_findings / self.cases

    def count(self, javarosa: set[Said], ours: set[Said]) -> None:
        self.cases += 1
        self.same_verdict += bool(javarosa) == bool(ours)
        self.same_findings += javarosa == ours

    def sort_out(self, differences: Iterable[Difference], listed: list[Listed]) -> None:
        for one in differences:
            covering = next((entry for entry in listed if entry.covers(one)), None)
            if covering is None:
                self.unlisted.append(one)
            else:
                self.used[covering.reason] += 1


def said_by_javarosa(answer: Answer) -> set[Said]:
    """JavaRosa's findings about what was sent: instances that it adds to reach a repeat's count were not sent."""
    said = {Said(one["path"], one["kind"]) for one in answer["findings"]}
    return {one for one in said if not any(one.path.startswith(added) for added in answer["added"])}


def said_by_us(findings: Iterable[tuple[str, str]]) -> set[Said]:
    return {Said(path, kind) for path, kind in findings if kind in COMPARED}


def judge_once(javarosa: set[Said], ours: set[Said]) -> tuple[set[Said], set[Said]]:
    """An answer that either throws away, for its type or as no choice, is judged no further on either side."""
    thrown_away = {one.path for one in javarosa | ours if one.kind in THROWN_AWAY}

    def judged(said: set[Said]) -> set[Said]:
        return {one for one in said if one.kind in THROWN_AWAY or one.path not in thrown_away}

    return judged(javarosa), judged(ours)


def without_types(said: set[Said]) -> set[Said]:
    return {one for one in said if one.kind != "type"}
