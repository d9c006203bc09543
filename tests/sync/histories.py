"""Generated histories: simulated tablets and a server that live through the steps of a plan, without a database.

A plan is a list of steps that mean something in any number, so that a failing one can be made shorter. Living through
it gives records, a journal and a story; fresh servers then get the same in any order. Tablets keep their rows as ODK
Collect does; the server folds with the code that is tested.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sync.branches import Issued
from sync.entity_facts import ActFacts, DecisionFacts, Folded, History, SaidFacts, fold_history
from sync.entity_fold import step_all
from sync.entity_state import EntityState
from sync.families import Member, Standing, decide_family
from sync.policy import programme

LIST = "dossiers"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
CHOICES = {
    "sexe": ("1", "2", "9"),
    "urgence": ("0", "1", "2", "3"),
    "etat": ("arrive", "transfere", "clos"),
    "note": ("a", "b", "c", "d"),
}

Step = tuple[str, int, int, int]
# How often each step is drawn while most is done on tablets, and when people look at what came of it.
IN_THE_FIELD = {
    "create": 2, "update": 14, "round": 3, "edit": 4, "twin": 2, "spoil": 2, "lose": 1, "send": 10, "download": 3,
    "process": 6, "make": 1, "change": 1, "delete": 1,
}  # fmt: skip
AT_THE_CENTRE = {
    "update": 8, "edit": 2, "send": 8, "download": 4, "process": 6, "verdict": 5, "decide": 12, "undo": 3,
    "release": 8, "change": 2, "delete": 1, "restore": 4, "visit": 8,
}  # fmt: skip


def draw_plan(seed: int) -> list[Step]:
    draw = random.Random(seed)

    def steps(weights: dict[str, int], most: int) -> list[Step]:
        names = draw.choices(list(weights), list(weights.values()), k=draw.randint(4, most))
        return [(name, draw.randrange(99), draw.randrange(99), draw.randrange(99)) for name in names]

    everyone = [("send", tablet, 2, 1) for tablet in range(3)] + [("process", 0, 0, 0)]
    listed = [("download", tablet, 0, 0) for tablet in range(3)]
    opening = [("create", 0, 0, draw.randrange(99)), *everyone, *listed]
    return [*opening, *steps(IN_THE_FIELD, 20), *everyone, *steps(AT_THE_CENTRE, 16)]


@dataclass(frozen=True, slots=True)
class Saying:
    """What a record says about one stay, and what its tablet had seen."""

    entity: str
    values: dict[str, str]
    creates: bool = False
    base: int | None = None
    trunk: int | None = None
    branch: str | None = None

    def render(self) -> str:
        offline = f' trunkVersion="{self.trunk or ""}" branchId="{self.branch or ""}"'
        seen = "" if self.creates else f' baseVersion="{self.base}"{offline}'
        label = f"<label>Dossier {self.entity[-2:]}</label>" if self.creates else ""
        act = "create" if self.creates else "update"
        entity = f'<meta><entity dataset="{LIST}" {act}="1" id="{self.entity}"{seen}>{label}</entity></meta>'
        return "".join(f"<{name}>{value}</{name}>" for name, value in self.values.items()) + entity


@dataclass(frozen=True, slots=True)
class Record:
    """One submission. `sound`: validation finds nothing wrong with it."""

    instance_id: str
    says: tuple[Saying, ...]
    ended_at: datetime
    deprecated_id: str | None = None
    sound: bool = True

    @property
    def form_id(self) -> str:
        return "arrivee" if self.says[0].creates else "tournee"

    @property
    def body(self) -> bytes:
        replaces = f"<deprecatedID>{self.deprecated_id}</deprecatedID>" if self.deprecated_id else ""
        meals = "" if self.sound else "vingt"
        told = "".join(f"<sejours>{one.render()}</sejours>" for one in self.says)
        return (
            f'<data id="{self.form_id}" version="1"><end>{self.ended_at.isoformat()}</end><repas>{meals}</repas>'
            f"{told}<meta><instanceID>{self.instance_id}</instanceID>{replaces}</meta></data>"
        ).encode()

    @property
    def sha256(self) -> str:
        return sha256(self.body).hexdigest()

    def facts(self, standing: Standing) -> Iterator[tuple[str, SaidFacts]]:
        counted: dict[str, int] = {}
        for one in self.says:
            counted[one.entity] = counted.get(one.entity, 0) + 1
            yield one.entity, SaidFacts(
                0, self.form_id, self.instance_id, standing.root_id, counted[one.entity], self.ended_at,
                "create" if one.creates else "update", one.base, one.trunk, one.branch,
                f"Dossier {one.entity[-2:]}" if one.creates else None, one.values, standing.counts,
                standing.superseded_by is not None,
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's word about a record."""

    sha256: str
    kind: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """That a record has waited for too long."""

    entity: str
    record: str


@dataclass(frozen=True, slots=True)
class Undoing:
    """That a decision was taken back."""

    entity: str
    uuid: str


Fact = Record | Verdict | Release | Undoing | tuple[str, ActFacts] | tuple[str, DecisionFacts]


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


def draw_values(number: int) -> dict[str, str]:
    draw = random.Random(number)
    return {name: draw.choice(values) for name, values in CHOICES.items() if draw.random() < 0.4}


def describe(record: Record) -> str:
    said = "; ".join(
        f"{'creates' if one.creates else 'updates'} {one.entity[-2:]}"
        + ("" if one.creates else f" at {one.base} (trunk {one.trunk}, branch {(one.branch or '')[-3:]})")
        + f" {one.values}"
        for one in record.says
    )
    edit = f" replacing {record.deprecated_id}" if record.deprecated_id else ""
    return f"{record.instance_id}{edit}{'' if record.sound else ' (with an error)'} ({record.sha256[:6]}): {said}"


def replay(life: Life, seed: int) -> Server:
    """A fresh server with the journal: the facts in any order, some of them twice, with pauses."""
    draw = random.Random(seed)
    facts = [*life.facts, *draw.sample(life.facts, len(life.facts) // 3)]
    draw.shuffle(facts)
    server = Server(life.server.issued)
    for fact in facts:
        server.take(fact)
        if draw.random() < 0.5:
            server.process()
    server.process()
    return server


def find_fault(plan: list[Step], seed: int) -> str | None:
    """What does not hold of the history that the plan makes; None where all does."""
    life = Life().live(plan)
    for number in (seed, seed + 1):
        again = replay(life, number)
        if again.lines() != life.server.lines():
            return f"another order says\n{_show(again)}\ninstead of\n{_show(life.server)}"
        for name, numbers in life.server.issued.items():
            if again.issued.get(name, [])[: len(numbers)] != numbers:
                return f"a number of {name[-2:]} changed its meaning"
    return _find_stale_row(life)


def _find_stale_row(life: Life) -> str | None:
    served = life.server.served()
    for tablet in life.tablets:
        for name, row in tablet.rows.items():
            state = served.get(name) if name not in tablet.lost else None
            if state is not None and (row.version, row.values) != (state.version, state.properties):
                return f"tablet {tablet.name} keeps {name[-2:]} at {row.version}, served at {state.version}"
        if missing := set(served) - set(tablet.rows):
            return f"tablet {tablet.name} has none of {missing}"
    return None


def _show(server: Server) -> str:
    waiting = [f"{fact.record} about {entity[-2:]}" for entity, fact in server.waiting()]
    return "\n".join([*server.lines(), f"waiting: {waiting}"])


def shorten(plan: list[Step], seed: int) -> list[Step]:
    """The shortest plan that still fails, leaving out one step after the other."""
    place = 0
    while place < len(plan):
        shorter = plan[:place] + plan[place + 1 :]
        if find_fault(shorter, seed):
            plan = shorter
        else:
            place += 1
    return plan


def tell_fault(seed: int) -> str | None:
    """A failing history as a readable story; None where all holds."""
    plan = draw_plan(seed)
    if find_fault(plan, seed) is None:
        return None
    short = shorten(plan, seed)
    short = shorten(short, seed)
    story = "\n".join(Life().live(short).story)
    return f"history {seed}\n{story}\n=> {find_fault(short, seed)}\nplan: {short}"
