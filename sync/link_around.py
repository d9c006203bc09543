"""What is connected with some records: by pairs that weigh enough to link, and by people's word that two are one.

Then their rivals, with all that these are connected with: a record that comes may turn their links into questions.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

from sqlalchemy import Connection

from sync import link_rows as rows
from sync.link_models import Linking
from sync.link_rows import Identity, PairRow, RecordRow
from sync.link_verdicts import VerdictRow, has_verdicts, read_verdicts
from sync.linkage.judging import judge


@dataclass(slots=True)
class Around:
    """What is connected with the records that are looked at. Pairs are seen from their smaller identity."""

    linking: Linking
    came: int  # at most so many records are new
    judged: bool  # whether people have decided about anybody yet
    records: dict[int, RecordRow] = field(default_factory=dict)
    identities: dict[int, Identity] = field(default_factory=dict)
    pairs: dict[tuple[int, int], PairRow] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], VerdictRow] = field(default_factory=dict)
    # All records of these belong to one component; of crowded ones only those are read that links or verdicts touch.
    whole: set[int] = field(default_factory=set)
    crowded: set[int] = field(default_factory=set)
    # The component of each identity that is whole in one, and the identities of those too large to be decided.
    component_of: dict[int, int] = field(default_factory=dict)
    left_alone: set[int] = field(default_factory=set)
    # From how many records of which identities people have kept a record apart, and how many say each of these.
    apart: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    sizes: dict[int, int] = field(default_factory=dict)
    # Identities that are not of one person where two records of theirs were made at one site on one day.
    told_apart: set[tuple[int, int]] = field(default_factory=set)
    _heavy: dict[int, list[PairRow]] | None = None

    def bits(self, raw: float) -> float:
        """With the prior."""
        return raw + self.linking.scorer.prior_bits

    def is_heavy(self, pair: PairRow) -> bool:
        """Whether the pair can change a link."""
        return self.bits(pair.bits) >= self.linking.floor

    def list_heavy(self, identities: Iterable[int]) -> list[PairRow]:
        """The heavy pairs of these identities, each once."""
        if self._heavy is None:
            self._heavy = defaultdict(list)
            for pair in self.pairs.values():
                if self.is_heavy(pair):
                    self._heavy[pair.one].append(pair)
                    self._heavy[pair.other].append(pair)
        return list(dict.fromkeys(pair for one in identities for pair in self._heavy.get(one, ())))

    def list_links(self) -> list[PairRow]:
        """The pairs that weigh enough to link."""
        least = self.linking.rules.link_at - self.linking.scorer.prior_bits
        return [pair for pair in self.pairs.values() if pair.bits >= least]

    def is_decided(self, pair: PairRow) -> bool:
        """Whether a component decides about the pair: a heavy one, of two identities that are whole in it."""
        component = self.component_of.get(pair.one)
        inside = component is not None and component == self.component_of.get(pair.other)
        return inside and pair.one not in self.left_alone and self.is_heavy(pair)


def explore(
    connection: Connection,
    linking: Linking,
    homes: Collection[int],
    identities: Collection[int],
    *,
    with_rivals: bool = True,
) -> Around:
    """Follow pairs that weigh enough to link and verdicts of sameness from record to record, as far as they lead.

    Without the rivals only where nothing about the records has changed for them, or they are looked at in their turn.
    """
    around = Around(linking, len(homes), has_verdicts(connection))
    _follow(connection, around, homes, identities)
    if with_rivals:
        changed = {around.records[home].identity for home in homes if home in around.records}.union(identities)
        _follow(connection, around, (), _find_rivals(around, changed))
    _read_kept_apart(connection, around)
    _read_told_apart(connection, around)
    return around


def _find_rivals(around: Around, identities: Collection[int]) -> set[int]:
    heavy = [pair for pair in around.pairs.values() if around.is_heavy(pair)]
    near = {other for pair in heavy for one, other in (pair[:2], pair[1::-1]) if one in identities}
    return near - around.identities.keys()


def _read_kept_apart(connection: Connection, around: Around) -> None:
    """Of which identities the others are from whom people have kept these records apart."""
    apart = [one for one in around.verdicts.values() if not one.same]
    if apart:
        members = rows.find_members(connection, around.linking.model_id, {one.home for one in apart})
        known = rows.read_identities(connection, set(members.values()))
        around.sizes |= {identity: one.records for identity, one in known.items()}
        for one in apart:
            if one.home in members:
                around.apart[one.record][members[one.home]] += 1


def _read_told_apart(connection: Connection, around: Around) -> None:
    visits = defaultdict[int, set[tuple[int, date]]](set)
    for record in around.records.values():
        if record.visit:
            visits[record.identity].add(record.visit)
    met = [one[:2] for one in around.list_heavy(visits) if not visits[one.one].isdisjoint(visits.get(one.other, ()))]
    features = rows.read_features(connection, set(chain.from_iterable(met))) if met else {}
    around.told_apart = {(one, other) for one, other in met if judge(features[one], features[other]).told_apart}


def _follow(connection: Connection, around: Around, homes: Collection[int], identities: Collection[int]) -> None:
    new_homes, new_identities = set(homes), set(identities)
    while new_homes or new_identities:
        fresh = _add_records(around, rows.read_records_at(connection, around.linking.model_id, new_homes))
        new_identities |= {one.identity for one in fresh}
        fresh += _add_identities(connection, around, new_identities - around.identities.keys())
        new_identities = (_list_whole(around) | {one.identity for one in fresh}) - around.identities.keys()
        new_homes = _add_verdicts(connection, around, fresh) - around.records.keys()


def _add_records(around: Around, found: Iterable[RecordRow]) -> list[RecordRow]:
    fresh = [one for one in found if one.home not in around.records]
    around.records |= {one.home: one for one in fresh}
    return fresh


def _add_identities(connection: Connection, around: Around, new: Collection[int]) -> list[RecordRow]:
    """Take identities in with their pairs; return the records that come with them."""
    if not new:
        return []
    around.identities |= rows.read_identities(connection, new)
    for pair in rows.read_pairs(connection, new, around.linking.least):
        one, other = min(pair.one, pair.other), max(pair.one, pair.other)
        around.pairs[one, other] = pair._replace(one=one, other=other)
    whole = _list_whole(around) & around.identities.keys() - around.whole
    around.whole |= whole
    largest = around.linking.rules.largest
    around.crowded |= {one for one in whole if around.identities[one].records > largest}
    # A new record is mostly the only one that says what it says, and is here already.
    here = Counter(one.identity for one in around.records.values())
    unread = {one for one in whole - around.crowded if around.identities[one].records > here[one]}
    found = rows.read_records(connection, around.linking.model_id, unread)
    # Where there were too many before, nobody is linked but by people's word: thousands need not be read for one more.
    just = {one for one in whole & around.crowded if around.identities[one].records - around.came <= largest}
    found += rows.read_linked_records(connection, around.linking.model_id, just)
    return _add_records(around, found)


def _list_whole(around: Around) -> set[int]:
    """Identities whose records are all of one component: they weigh enough against each other, or against a third."""
    link_at = around.linking.rules.link_at
    alike = {one.id for one in around.identities.values() if around.bits(one.own_bits) >= link_at}
    return alike.union(*((pair.one, pair.other) for pair in around.list_links()))


def _add_verdicts(connection: Connection, around: Around, fresh: Sequence[RecordRow]) -> set[int]:
    """Take in what people said of these records; return whom they made one person with them."""
    found = read_verdicts(connection, {one.reference for one in fresh}) if around.judged else []
    around.verdicts |= {(one.record, one.other): one for one in found}
    return {one.home for one in found if one.same}


@dataclass(slots=True)
class Component:
    """Records that are decided together, and the identities that are whole in them."""

    homes: list[int] = field(default_factory=list)
    identities: list[int] = field(default_factory=list)


def list_components(around: Around) -> list[Component]:
    """The connected pieces, in no order that matters."""
    near = _find_neighbours(around)
    found, seen = list[Component](), set[tuple[str, int]]()
    for start in near:
        if start in seen:
            continue
        component, queue = Component(), [start]
        seen.add(start)
        while queue:
            kind, number = queue.pop()
            (component.homes if kind == "record" else component.identities).append(number)
            queue += (fresh := near[kind, number] - seen)
            seen |= fresh
        component.identities += _list_complete(around, component)
        around.component_of |= dict.fromkeys(component.identities, len(found))
        found.append(component)
    return found


def _list_complete(around: Around, component: Component) -> list[int]:
    """Identities of which every record is here by people's word, and none by its weight."""
    if len(component.homes) == 1:
        return []
    here = Counter(around.records[home].identity for home in component.homes)
    return [one for one in here if one not in around.whole and here[one] == around.identities[one].records]


def _find_neighbours(around: Around) -> dict[tuple[str, int], set[tuple[str, int]]]:
    by_reference = {one.reference: one.home for one in around.records.values()}
    edges = [(("identity", pair.one), ("identity", pair.other)) for pair in around.list_links()]
    edges += [
        (("record", home), ("identity", one.identity))
        for home, one in around.records.items()
        if one.identity in around.whole
    ]
    # A record that the model has not read yet joins when it does.
    edges += [
        (("record", by_reference[one.record]), ("record", one.home))
        for one in around.verdicts.values()
        if one.same and one.home in around.records
    ]
    near: dict[tuple[str, int], set[tuple[str, int]]] = {("record", home): set() for home in around.records}
    near |= {("identity", one): set() for one in around.whole}
    for one, other in edges:
        near[one].add(other)
        near[other].add(one)
    return near
