"""One record, judged by JavaRosa and by us: cases are made here, counted in a Tally, and their differences named."""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from random import Random

from tests.oracle.client import Answer, Oracle
from tests.oracle.compare import (
    Difference,
    Listed,
    Said,
    Tally,
    judge_once,
    said_by_javarosa,
    said_by_us,
    without_types,
)
from tests.oracle.corpus import Form
from tests.oracle.fills import Fill, fill_honestly, leaves, plain_path, sent_nodes, write_computed
from tests.oracle.mutations import MUTATIONS, change_calculation
from tests.oracle.ours import Judged, judge

FAILED_AT = re.compile(r"Error evaluating field '.*' \((.+)\)")


@dataclass(frozen=True)
class Case:
    """A record and how it came about."""

    form: Form
    label: str
    fill: Fill
    tampered: bool = False

    @property
    def name(self) -> str:
        return f"{self.form.name} ({self.label})"


def make_cases(form: Form, oracle: Oracle, seed: str) -> Iterator[Case]:
    """An honest fill, then one record for each mutation that applies to it."""
    random = Random(f"{form.name} {seed}")
    fill = fill_honestly(form, oracle, random)
    yield Case(form, "honest", fill)
    for mutation in MUTATIONS:
        changed = Fill(deepcopy(fill.root), fill.nodes)
        label = mutation(form, changed, random)
        if label is not None:
            yield Case(form, label, changed, tampered=mutation is change_calculation)


def compare_case(case: Case, oracle: Oracle, tally: Tally, listed: list[Listed]) -> None:
    """Let both judge a record, count, and sort the differences."""
    answer = oracle.validate(case.form.xml, case.fill.render(), case.form.media)
    computed = {node["path"]: node["value"] for node in answer.get("nodes", ()) if "value" in node}
    # What follows from a changed answer is still as it was: both have to compute it anew.
    ours = judge(case.form, case.fill.render(), computed)
    theirs, said = said_by_both(case.form, answer, ours)
    tally.count(without_types(theirs), without_types(said))
    differences = [*_compare_findings(case, answer, ours, theirs, said)]
    if "error" not in answer and not case.tampered:
        write_computed(case.form, case.fill.root, sent_nodes(answer))
        ours = judge(case.form, case.fill.render(), computed)
    tally.sort_out(name_differences(case, answer, ours, differences), listed)


def said_by_both(form: Form, answer: Answer, ours: Judged) -> tuple[set[Said], set[Said]]:
    if "error" in answer:
        # JavaRosa does not open the record at all; we have to say that we cannot verify it.
        return {Said("/", "error")}, {Said("/", "error")} if ours.doubts else set()
    computed = {path for path, one in form.definition.by_path.items() if one.calculate}
    theirs = {one for one in said_by_javarosa(answer) if one.kind != "type" or plain_path(one.path) not in computed}
    said = said_by_us((one.path, one.kind) for one in ours.findings if one.grade == "error")
    said |= {one for one in theirs if one.kind == "error" and one.path in ours.doubts}
    return judge_once(theirs, said)


def name_differences(case: Case, answer: Answer, ours: Judged, found: list[Difference]) -> list[Difference]:
    """The differences in what was found, and those in relevance and values where JavaRosa opened the record."""
    if "error" in answer:
        return found
    compare = _compare_tampering if case.tampered else _compare_nodes
    found = [*found, *compare(case, answer, ours)]
    if any(one.kind == "type" for one in found):
        # One goes on with an answer that the other takes for none: what differs elsewhere follows from it.
        found = [one if one.kind == "type" else one._replace(detail=f"{one.detail} after a type") for one in found]
    return found


def _compare_findings(
    case: Case, answer: Answer, ours: Judged, theirs: set[Said], said: set[Said]
) -> Iterator[Difference]:
    sent = {path: repr(element.text or "") for path, element, _ in leaves(case.form, case.fill.root)}
    sent["/"] = _failure(answer, ours)
    for by, only in (("javarosa", theirs - said), ("ours", said - theirs)):
        for one in sorted(only):
            doubt = f" unverified {ours.doubts[one.path]}" if one.path in ours.doubts else ""
            yield Difference(case.name, by, one.kind, one.path, sent.get(one.path, "''") + doubt)


def _failure(answer: Answer, ours: Judged) -> str:
    """Why JavaRosa did not open a record, and what we make of the node where it failed."""
    said = answer.get("error", "")
    found = FAILED_AT.search(said)
    path = plain_path(found.group(1)) if found else ""
    relevant = any(verdict for one, verdict in ours.relevance.items() if plain_path(one) == path)
    replayed = path in map(plain_path, ours.replayed)
    return f"{said.splitlines()[0]} relevant: {relevant} replayed: {replayed}" if said else "''"


def _compare_nodes(case: Case, answer: Answer, ours: Judged) -> Iterator[Difference]:
    """Relevance and calculated values, node by node, and calculations that we object to though JavaRosa made them."""
    for node in answer["nodes"]:
        path = node["path"]
        if path in ours.relevance and ours.relevance[path] is not node["relevant"]:
            yield Difference(case.name, "ours", "relevance", path, f"{node['relevant']} → {ours.relevance[path]}")
    for path, both in ours.disagreeing.items():
        yield Difference(case.name, "ours", "value", path, both)
    for one in ours.findings:
        if one.kind == "calculate":
            yield Difference(case.name, "ours", "calculate", one.path, one.value or "")


def _compare_tampering(case: Case, answer: Answer, ours: Judged) -> Iterator[Difference]:
    """A calculation that was changed on the way, and that can be replayed, has to be found."""
    found = {one.path for one in ours.findings if one.kind == "calculate"}
    nodes = sent_nodes(answer)
    for path, element, _ in leaves(case.form, case.fill.root):
        changed = path in ours.replayed - found and (element.text or "") != nodes[path]["value"].strip()
        if changed and case.label.endswith(path):
            yield Difference(case.name, "javarosa", "calculate", path, f"{nodes[path]['value']} → {element.text}")
