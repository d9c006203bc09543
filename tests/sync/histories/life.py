"""Tablets with local stores like ODK Collect's, and a life: what came of a plan."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sync.entity_facts import ActFacts, DecisionFacts
from sync.entity_state import EntityState
from tests.sync.histories.facts import Fact, Record, Release, Saying, Undoing, Verdict, describe
from tests.sync.histories.plans import START, Step, draw_values
from tests.sync.histories.server import Server


@dataclass(slots=True)
class Row:
    """A stay as one tablet holds it."""

    version: int
    label: str
    values: dict[str, str]
    branch: str
    trunk: int | None = None
    online: bool = False
    dirty: bool = False


@dataclass(slots=True)
class Tablet:
    name: str
    rows: dict[str, Row] = field(default_factory=dict)
    queue: list[Record] = field(default_factory=list)
    sent: list[Record] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)  # the stays about which nobody will hear all that it said

    def download(self, served: dict[str, EntityState], gone: Callable[[str], bool], branch: Callable[[], str]) -> None:
        """Merge the list into the local store as Collect does: the higher version stands, of equals the server's."""
        for name, state in served.items():
            mine = self.rows.get(name)
            if mine is None or state.version > mine.version or (state.version == mine.version and mine.dirty):
                self.rows[name] = Row(
                    state.version, state.label, dict(state.properties), branch(), state.version, online=True
                )
            mine = self.rows[name]
            mine.online = True
        for name in [name for name, row in self.rows.items() if name not in served and (row.online or gone(name))]:
            del self.rows[name]


@dataclass(slots=True)
class Life:
    """What came of a plan: the server that lived it, everything it was told, and the story."""

    server: Server = field(default_factory=Server)
    tablets: list[Tablet] = field(default_factory=lambda: [Tablet(name) for name in "ABC"])
    facts: list[Fact] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    counted: int = 0

    def live(self, plan: Iterable[Step]) -> "Life":
        for name, *numbers in plan:
            self.counted += 1
            getattr(self, f"_{name}")(*numbers)
        self._end()
        return self

    def _end(self) -> None:
        for tablet in self.tablets:
            for record in tablet.queue:
                self._give(record)
        self.server.process()
        for tablet in self.tablets:
            self._download_to(tablet)

    def _tell(self, line: str) -> None:
        self.story.append(f"{self.counted:>3}. {line}")

    def _now(self) -> datetime:
        return START + timedelta(minutes=self.counted)

    def _uuid(self, kind: int) -> str:
        self.counted += 1
        return str(UUID(int=(kind << 100) | self.counted, version=4))

    def _give(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.server.take(fact)

    # Tablets

    def _create(self, a: int, _b: int, c: int) -> None:
        tablet = self.tablets[a % 3]
        name, values = self._uuid(1), {**draw_values(c), "site_id": "KLK", "etat": "arrive"}
        tablet.rows[name] = Row(1, f"Dossier {name[-2:]}", dict(values), self._uuid(2), dirty=True)
        self._write(tablet, Saying(name, values, creates=True))

    def _update(self, a: int, b: int, c: int) -> None:
        tablet = self.tablets[a % 3]
        if tablet.rows:
            self._write(tablet, self._say(tablet, sorted(tablet.rows)[b % len(tablet.rows)], c))

    def _round(self, a: int, b: int, c: int) -> None:
        """One record about several stays, now and then about one of them twice."""
        tablet = self.tablets[a % 3]
        names = sorted(tablet.rows)[: 2 + b % 2]
        if names:
            self._write(tablet, *(self._say(tablet, name, c + place) for place, name in enumerate([*names, names[0]])))

    def _spoil(self, a: int, b: int, c: int) -> None:
        tablet = self.tablets[a % 3]
        if tablet.rows:
            self._write(tablet, self._say(tablet, sorted(tablet.rows)[b % len(tablet.rows)], c), sound=False)

    def _say(self, tablet: Tablet, name: str, number: int) -> Saying:
        row, values = tablet.rows[name], draw_values(number)
        saying = Saying(name, values, base=row.version, trunk=row.trunk, branch=row.branch)
        row.version, row.dirty = row.version + 1, True
        row.values |= values
        return saying

    def _write(self, tablet: Tablet, *says: Saying, sound: bool = True, replaces: Record | None = None) -> None:
        skew = timedelta(minutes=(sum(map(ord, tablet.name)) * 7 + self.counted * 13) % 50 - 25)
        record = Record(
            f"uuid:{tablet.name}{self.counted}", says, self._now() + skew,
            replaces.instance_id if replaces else None, sound,
        )  # fmt: skip
        tablet.queue.append(record)
        self._tell(f"tablet {tablet.name} fills {describe(record)}")

    def _edit(self, a: int, b: int, c: int) -> None:
        tablet = self.tablets[a % 3]
        if not tablet.sent:
            return
        original = tablet.sent[b % len(tablet.sent)]
        # Now and then a repeat is left out.
        left = original.says[1:] if len(original.says) > 1 and c % 4 == 0 else original.says
        says = [self._say_again(tablet, one, c + place) for place, one in enumerate(left)]
        self._write(tablet, *says, replaces=original)

    def _say_again(self, tablet: Tablet, one: Saying, number: int) -> Saying:
        """The edited form reads the versions anew, where the tablet still has the row; or it keeps those it had."""
        values = {**one.values, **draw_values(number)} if one.creates else draw_values(number)
        if one.creates or one.entity not in tablet.rows or number % 2:
            return replace(one, values=values)
        return replace(self._say(tablet, one.entity, number), values=values)

    def _twin(self, a: int, b: int, c: int) -> None:
        tablet = self.tablets[a % 3]
        if tablet.sent:
            first = tablet.sent[b % len(tablet.sent)]
            twin = replace(first, says=tuple(replace(one, values=one.values | {"note": f"t{c}"}) for one in first.says))
            tablet.queue.append(twin)
            self._tell(f"tablet {tablet.name} fills a twin: {describe(twin)}")

    def _lose(self, a: int, b: int, _c: int) -> None:
        tablet = self.tablets[a % 3]
        if tablet.queue:
            lost = tablet.queue.pop(b % len(tablet.queue))
            tablet.lost |= {one.entity for one in lost.says}
            self._tell(f"tablet {tablet.name} loses {lost.instance_id}")

    def _send(self, a: int, b: int, c: int) -> None:
        """In order mostly; a thin link brings now and then a later one first."""
        tablet = self.tablets[a % 3]
        for _ in range(1 + b % 3):
            if tablet.queue:
                record = tablet.queue.pop(c % len(tablet.queue) if c % 3 == 0 else 0)
                tablet.sent.append(record)
                self._tell(f"tablet {tablet.name} sends {record.instance_id}")
                self._give(record)

    def _download(self, a: int, _b: int, _c: int) -> None:
        tablet = self.tablets[a % 3]
        self._download_to(tablet)
        held = ", ".join(f"{name[-2:]} at {row.version}" for name, row in sorted(tablet.rows.items()))
        self._tell(f"tablet {tablet.name} downloads the list: {held or 'empty'}")

    def _download_to(self, tablet: Tablet) -> None:
        def gone(name: str) -> bool:
            state = self.server.states.get(name)
            return state is not None and state.version > 0

        tablet.download(self.server.served(), gone, lambda: self._uuid(2))

    def _visit(self, a: int, b: int, c: int) -> None:
        """A tablet with a link: it fetches the list, fills a form and sends it, and the server judges at once."""
        self._download(a, b, c)
        self._update(a, b, c)
        self._send(a, 2, 1)
        self._process()

    # The server and its people

    def _process(self, *_numbers: int) -> None:
        self._tell(f"the server judges {len(self.server.unjudged)} records")
        self.server.process()

    def _verdict(self, _a: int, b: int, c: int) -> None:
        if self.server.standings:
            record = self.server.records[sorted(self.server.standings)[b % len(self.server.standings)]]
            kind = ("reject", "accept", "replay")[c % 3]
            self._give(Verdict(record.sha256, kind, self._now()))
            self._tell(f"a person says {kind} of {record.instance_id} ({record.sha256[:6]})")

    def _decide(self, _a: int, b: int, c: int) -> None:
        conflicts = self.server.conflicts()
        if conflicts:
            entity, name, candidates = conflicts[b % len(conflicts)]
            value = (*(value for _key, value in candidates), "0")[c % (len(candidates) + 1)]
            version = self.server.states[entity].version
            fact = DecisionFacts(0, self._uuid(3), name, value, candidates, version, self._now())
            self._give((entity, fact))
            self._tell(f"a person decides that {name} of {entity[-2:]} is {value}")

    def _undo(self, _a: int, b: int, _c: int) -> None:
        taken = [
            (entity, one.uuid) for entity, words in sorted(self.server.decisions.items()) for one in words.values()
        ]
        if taken:
            self._give(Undoing(*taken[b % len(taken)]))
            self._tell(f"a person takes back a decision about {taken[b % len(taken)][0][-2:]}")

    def _release(self, _a: int, b: int, _c: int) -> None:
        waiting = self.server.waiting()
        if waiting:
            entity, fact = waiting[b % len(waiting)]
            self._give(Release(entity, fact.record))
            self._tell(f"{fact.record} has waited too long about {entity[-2:]}")

    def _make(self, _a: int, _b: int, c: int) -> None:
        name = self._uuid(1)
        values = {**draw_values(c), "site_id": "KLK", "etat": "arrive"}
        self._act(name, "create", None, f"Dossier {name[-2:]}", values)

    def _change(self, _a: int, b: int, c: int) -> None:
        there = sorted(name for name, state in self.server.states.items() if state.exists)
        if there:
            self._act(there[b % len(there)], "update", None, None, draw_values(c))

    def _delete(self, _a: int, b: int, _c: int) -> None:
        there = sorted(name for name, state in self.server.states.items() if state.exists)
        if there:
            self._act(there[b % len(there)], "delete", None, None, {})

    def _restore(self, _a: int, b: int, _c: int) -> None:
        gone = sorted(name for name, state in self.server.states.items() if state.deleted_at)
        if gone:
            self._act(gone[b % len(gone)], "restore", None, None, {})

    def _act(self, name: str, action: str, base: int | None, label: str | None, values: dict[str, str]) -> None:
        base = self.server.states[name].version if action != "create" else None
        self._give((name, ActFacts(0, self._uuid(4), action, base, label, values, self._now())))
        self._tell(f"a person {action}s {name[-2:]}: {values}")
