"""A server without a database: it keeps facts and folds them with the code that is tested."""

import json
from dataclasses import replace

from sync.branches import Issued
from sync.entity_facts import ActFacts, DecisionFacts, Folded, History, SaidFacts, fold_history
from sync.entity_fold import step_all
from sync.entity_state import EntityState
from sync.families import Member, Standing, decide_family
from sync.policy import programme
from tests.sync.histories.facts import Fact, Record, Release, Undoing, Verdict
from tests.sync.histories.plans import LIST


class Server:
    """Keeps facts and folds them as they come. Numbers that it is born with are those that another one served."""

    def __init__(self, issued: dict[str, list[Issued]] | None = None) -> None:
        self.records: dict[str, Record] = {}
        self.unjudged: list[Record] = []
        self.standings: dict[str, Standing] = {}
        self.verdicts: dict[str, list[Verdict]] = {}
        self.acts: dict[str, list[ActFacts]] = {}
        self.decisions: dict[str, dict[str, DecisionFacts]] = {}
        self.undone: set[str] = set()
        self.releases: dict[str, set[str]] = {}
        self.issued = {name: list(numbers) for name, numbers in (issued or {}).items()}
        served = {name: numbers[-1].number for name, numbers in self.issued.items() if numbers}
        self.states = {name: EntityState(LIST, name, version=number) for name, number in served.items()}
        self.folded: dict[str, Folded] = {}

    def take(self, fact: Fact) -> None:
        """Take in one fact, in whatever order they come; a record waits for its turn to be judged."""
        if isinstance(fact, Record):
            if fact.sha256 not in self.records:
                self.records[fact.sha256] = fact
                self.unjudged.append(fact)
        elif isinstance(fact, Verdict):
            said = self.verdicts.setdefault(fact.sha256, [])
            said += [fact] if fact not in said else []
            if fact.sha256 in self.standings:
                self._settle(self.records[fact.sha256])
        elif isinstance(fact, Release):
            self.releases.setdefault(fact.entity, set()).add(fact.record)
            self.fold(fact.entity)
        elif isinstance(fact, Undoing):
            self.undone.add(fact.uuid)
            self.fold(fact.entity)
        else:
            self._take_word(*fact)

    def _take_word(self, entity: str, fact: ActFacts | DecisionFacts) -> None:
        if isinstance(fact, ActFacts):
            acts = self.acts.setdefault(entity, [])
            acts += [fact] if fact not in acts else []
        else:
            self.decisions.setdefault(entity, {})[fact.uuid] = fact
        self.fold(entity)

    def process(self) -> None:
        for record in self.unjudged:
            self._settle(record)
        self.unjudged = []

    def _settle(self, record: Record) -> None:
        """What processing does with a judged record: its family's standings, then steps, else whole histories."""
        known = {one.sha256 for one in self.family(record)} & set(self.standings)
        touched = {one.entity for key in known for one in self.records[key].says}
        arrived = list(self.records)
        family = [one for one in self.family(record) if one.sha256 in {*known, record.sha256}]
        family.sort(key=lambda one: arrived.index(one.sha256))
        numbers = {number: one.sha256 for number, one in enumerate(family)}
        standings = decide_family(self._member(number, one) for number, one in enumerate(family))
        self.standings |= {numbers[number]: standing for number, standing in standings.items()}
        fresh: dict[str, list[SaidFacts]] = {}
        for entity, fact in record.facts(self.standings[record.sha256]):
            fresh.setdefault(entity, []).append(fact)
        for entity, facts in fresh.items():
            if entity not in touched and not self._step(entity, facts):
                touched.add(entity)
        for entity in sorted(touched):
            self.fold(entity)

    def _member(self, number: int, one: Record) -> Member:
        words = sorted(self.verdicts.get(one.sha256, ()), key=lambda word: word.decided_at)
        kind = words[-1].kind if words and words[-1].kind != "replay" else None
        at = words[-1].decided_at if words else None
        return Member(number, one.instance_id, one.deprecated_id, one.sha256, kind, at, one.sound or kind == "accept")

    def family(self, record: Record) -> list[Record]:
        names, found = {record.instance_id, record.deprecated_id} - {None}, {record.sha256: record}
        while True:
            tied = [one for one in self.records.values() if {one.instance_id, one.deprecated_id} & names]
            if len(found | {one.sha256: one for one in tied}) == len(found):
                return sorted(found.values(), key=lambda one: one.sha256)
            found |= {one.sha256: one for one in tied}
            names |= {name for one in tied for name in (one.instance_id, one.deprecated_id)} - {None}

    def _step(self, entity: str, facts: list[SaidFacts]) -> bool:
        before = self.states.get(entity, EntityState(LIST, entity))
        group = sorted(
            [(one.read(), one.counts) for one in facts],
            key=lambda one: (one[0].base_version or 0, not one[0].begins, one[0].rank),
        )
        stepped = step_all(before, group)
        if stepped is None:
            return False
        self.states[entity] = stepped[0]
        self.issued.setdefault(entity, []).extend(one.issued for one in stepped[1])
        return True

    def fold(self, entity: str) -> None:
        history = self.history(entity)
        folded = fold_history(history, programme().policy_for_list(LIST))
        self.states[entity], self.folded[entity] = folded.state, folded
        self.issued.setdefault(entity, []).extend([folded.issued] if folded.issued else [])

    def history(self, entity: str) -> History:
        said = [
            fact
            for key, standing in self.standings.items()
            for name, fact in self.records[key].facts(standing)
            if name == entity
        ]
        decisions = [replace(one, undone=one.uuid in self.undone) for one in self.decisions.get(entity, {}).values()]
        return History(
            0, self.states.get(entity, EntityState(LIST, entity)), said, self.acts.get(entity, ()), decisions,
            self.issued.get(entity, ()), self.releases.get(entity, ()),
        )  # fmt: skip

    def conflicts(self) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
        return [
            (entity, name, candidates)
            for entity, folded in sorted(self.folded.items())
            if self.states[entity].open_conflicts
            for name, candidates in sorted(folded.merged.conflicts.items())
        ]

    def waiting(self) -> list[tuple[str, SaidFacts]]:
        return [
            (entity, one.fact)
            for entity, folded in sorted(self.folded.items())
            for one in folded.waits
            if one.missing and isinstance(one.fact, SaidFacts)
        ]

    def served(self) -> dict[str, EntityState]:
        policy = programme().policy_for_list(LIST)
        return {name: state for name, state in self.states.items() if state.is_open(policy)}

    def lines(self) -> list[str]:
        """What the registry's digest is made of (entity_fold.entity_lines)."""
        rivals: dict[str, dict[str, list[list[str]]]] = {}
        for entity, name, candidates in self.conflicts():
            rivals.setdefault(entity, {})[name] = [list(one) for one in candidates]
        return sorted(
            json.dumps(
                {"entity": [LIST, name, state.label, state.properties, rivals.get(name, {})]},
                sort_keys=True, ensure_ascii=False,
            )
            for name, state in self.states.items()
            if state.exists
        )  # fmt: skip
