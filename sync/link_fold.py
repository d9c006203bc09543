"""Persons of several records: a function of the records, the active model and what people decided, kept up to date.

Whatever comes or goes, all records that it could bring together or part are decided from scratch: those that heavy
pairs and verdicts connect with it. So the order in which records, verdicts and models came changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.orm import Session

from sync import link_rows as rows
from sync.link_models import Linking, list_linkings, settle_activation
from sync.link_rows import Asked, Identity, PairRow, RecordRow, VerdictRow
from sync.linkage.blocking import find_keys
from sync.linkage.component import decide_component
from sync.linkage.decision import Decision, Pair, Reason, Verdict
from sync.linkage.features import Features, pack
from sync.linkage.judging import has_conflict, is_corroborated
from sync.linkage.model import find_size
from sync.linkage.record import LinkRecord
from sync.models import (
    LinkChange,
    LinkIdentity,
    LinkKey,
    LinkMember,
    LinkModelVersion,
    LinkPair,
    LinkProgress,
    LinkQuestion,
    LinkWord,
    PersonRecord,
)

_TEXTS = ("family_name", "birth_place", "mother_name", "phone", "document_type", "document_number")
_READ = (*_TEXTS, "reference", "given_names", "sex", "nationality", "ended_at", "birth_date", "age")

# So many records are read, or decided anew, in one transaction by the work behind an activation.
AT_ONCE = 200


def fold_links(connection: Connection, left: Mapping[int, str], came: Mapping[int, LinkRecord], now: datetime) -> None:
    """Decide anew whose the records are that came, and those that were together with the ones that left.

    By home; `left` tells references. The records stand in the registry by now, or not any more. A record that came in
    place of one of the same home may stand in both. The caller holds the registry's lock.
    """
    if not left and not came:
        return
    more = len(came.keys() - left.keys()) - len(left.keys() - came.keys())
    for linking in list_linkings(connection, now, more):
        touched = _place(connection, linking, left.keys(), came)
        if linking.active:
            gone = [left[home] for home in left.keys() - came.keys()]
            partners = {one.home for one in rows.read_verdicts(connection, gone) if one.same}
            decide_around(connection, linking, {*came, *partners}, touched, now, "record")


def read_link_record(one: PersonRecord | Mapping[str, Any]) -> LinkRecord:
    """A record of the registry as linkage reads it."""
    values = one if isinstance(one, Mapping) else {name: getattr(one, name) for name in _READ}
    ended_at = values["ended_at"]
    return LinkRecord(
        values["reference"],
        given_name=values["given_names"] or "",
        sex=values["sex"] if values["sex"] in ("1", "2") else "",
        nationality=values["nationality"] or "",
        recorded_on=ended_at.date() if ended_at else None,
        birth_date=values["birth_date"],
        age=values["age"],
        **{name: values[name] or "" for name in _TEXTS},
    )


def decide_around(
    connection: Connection,
    linking: Linking,
    homes: Collection[int],
    identities: Collection[int],
    now: datetime,
    cause: str,
) -> None:
    """Decide anew whose these records are, those with these identities, and all that are connected with them."""
    around = _explore(connection, linking, homes, identities)
    before = rows.read_questions(connection, around.identities)
    decisions = [_decide(around, component) for component in _list_components(around)]
    _move(connection, around, decisions, now, cause)
    asked = [*_list_asked(around, decisions), *_list_between(connection, around, before)]
    if before or asked:
        rows.ask(connection, before, asked, now)


def _place(connection: Connection, linking: Linking, left: Collection[int], came: Mapping[int, LinkRecord]) -> set[int]:
    """Give records the identities that the model reads of them; return the identities whose company changed."""
    before = rows.find_members(connection, linking.model_id, {*left, *came})
    features = {home: linking.model.cleaner.clean(record) for home, record in came.items()}
    placed = _find_or_add(connection, linking, features)
    changed = {home for home in {*before, *placed} if before.get(home) != placed.get(home)}
    moved = {home: placed[home] for home in changed & placed.keys()}
    rows.place_members(connection, linking.model_id, changed & before.keys(), moved)
    old = Counter(before[home] for home in changed & before.keys())
    more = Counter(moved.values())
    more.subtract(old)
    rows.count_records(connection, more)
    partners = rows.drop_unused(connection, linking.model_id, old, linking.model.cleaner) if old else []
    return {*old, *partners}


def _find_or_add(connection: Connection, linking: Linking, features: Mapping[int, Features]) -> dict[int, int]:
    """The identity of each record; new ones get their keys and pairs."""
    names = {home: rows.find_fingerprint(pack(one)) for home, one in features.items()}
    known = rows.find_identities(connection, linking.model_id, set(names.values())) if names else {}
    new = {names[home]: one for home, one in features.items() if names[home] not in known}
    if new:
        told = [(one, is_corroborated(one, one)) for one in new.values()]
        ids = rows.add_identities(connection, linking.model_id, linking.scorer, told)
        known |= dict(zip(new, ids, strict=True))
        _find_pairs(connection, linking, dict(zip(ids, new.values(), strict=True)))
    return {home: known[name] for home, name in names.items()}


def _find_pairs(connection: Connection, linking: Linking, new: Mapping[int, Features]) -> None:
    """Weigh identities against all that share a key with them, and write down what is worth a look."""
    keys = {identity: find_keys(one, linking.model.too_common) for identity, one in new.items()}
    rows.add_keys(connection, linking.model_id, keys)
    rows.add_words(connection, linking.model_id, linking.model.cleaner, new)
    _add_pairs(connection, linking, new, set())


def _add_pairs(
    connection: Connection, linking: Linking, own: Mapping[int, Features], known: Collection[tuple[int, int]]
) -> None:
    keys = {identity: find_keys(one, linking.model.too_common) for identity, one in own.items()}
    met = {(min(pair), max(pair)) for pair in rows.find_candidates(connection, linking.model_id, keys)}
    features = rows.read_features(connection, {end for pair in met for end in pair} - own.keys()) | dict(own)
    weighed = (_weigh(linking, *pair, features[pair[0]], features[pair[1]]) for pair in sorted(met.difference(known)))
    rows.add_pairs(connection, [pair for pair in weighed if pair is not None])


def _weigh(linking: Linking, one: int, other: int, left: Features, right: Features) -> PairRow | None:
    bits = linking.scorer.compare(left, right, linking.kept_from)
    if bits < linking.kept_from:
        return None
    return PairRow(one, other, bits, is_corroborated(left, right), has_conflict(left, right))


@dataclass(slots=True)
class _Around:
    """What is connected with the records that are looked at. Pairs are seen from their smaller identity."""

    linking: Linking
    came: int  # at most so many records are new
    records: dict[int, RecordRow] = field(default_factory=dict)
    identities: dict[int, Identity] = field(default_factory=dict)
    pairs: dict[tuple[int, int], PairRow] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], VerdictRow] = field(default_factory=dict)
    # All records of these belong to one component; of crowded ones only those are read that links or verdicts touch.
    whole: set[int] = field(default_factory=set)
    crowded: set[int] = field(default_factory=set)
    # Identities of components that are too large to be decided.
    left_alone: set[int] = field(default_factory=set)

    def bits(self, raw: float) -> float:
        """With the prior."""
        return raw + self.linking.scorer.prior_bits

    def is_heavy(self, pair: PairRow) -> bool:
        """Whether the pair can change a link."""
        return self.bits(pair.bits) >= self.linking.floor

    def list_heavy(self) -> list[PairRow]:
        """All heavy pairs."""
        return [pair for pair in self.pairs.values() if self.is_heavy(pair)]


def _explore(connection: Connection, linking: Linking, homes: Collection[int], identities: Collection[int]) -> _Around:
    """Follow heavy pairs and verdicts of sameness from record to record, as far as they lead."""
    around = _Around(linking, len(homes))
    new_homes, new_identities = set(homes), set(identities)
    while new_homes or new_identities:
        fresh = _add_records(around, rows.read_records_at(connection, linking.model_id, new_homes))
        new_identities |= {one.identity for one in fresh}
        fresh += _add_identities(connection, around, new_identities - around.identities.keys())
        new_identities = {end for end in _list_whole(around) if end not in around.identities}
        new_homes = _add_verdicts(connection, around, fresh) - around.records.keys()
    return around


def _add_records(around: _Around, found: Iterable[RecordRow]) -> list[RecordRow]:
    fresh = [one for one in found if one.home not in around.records]
    around.records |= {one.home: one for one in fresh}
    return fresh


def _add_identities(connection: Connection, around: _Around, new: Collection[int]) -> list[RecordRow]:
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
    found = rows.read_records(connection, around.linking.model_id, whole - around.crowded)
    # Where there were too many before, nobody is linked but by people's word: thousands need not be read for one more.
    just = {one for one in whole & around.crowded if around.identities[one].records - around.came <= largest}
    found += rows.read_linked_records(connection, around.linking.model_id, just)
    return _add_records(around, found)


def _list_whole(around: _Around) -> set[int]:
    """Identities whose records are all of one component: they weigh enough against each other, or against a third."""
    alike = {one.id for one in around.identities.values() if around.bits(one.own_bits) >= around.linking.floor}
    return alike.union(*((pair.one, pair.other) for pair in around.list_heavy()))


def _add_verdicts(connection: Connection, around: _Around, fresh: Sequence[RecordRow]) -> set[int]:
    """Take in what people said of these records; return whom they made one person with them."""
    found = rows.read_verdicts(connection, {one.reference for one in fresh})
    around.verdicts |= {(one.record, one.other): one for one in found}
    return {one.home for one in found if one.same}


@dataclass(slots=True)
class _Component:
    """Records that are decided together, and the identities that are whole in them."""

    homes: list[int] = field(default_factory=list)
    identities: list[int] = field(default_factory=list)


def _list_components(around: _Around) -> list[_Component]:
    """The connected pieces, in no order that matters."""
    near = _find_neighbours(around)
    found, seen = [], set[tuple[str, int]]()
    for start in near:
        if start in seen:
            continue
        component, queue = _Component(), [start]
        seen.add(start)
        while queue:
            kind, number = queue.pop()
            (component.homes if kind == "record" else component.identities).append(number)
            queue += (fresh := near[kind, number] - seen)
            seen |= fresh
        found.append(component)
    return found


def _find_neighbours(around: _Around) -> dict[tuple[str, int], set[tuple[str, int]]]:
    by_reference = {one.reference: one.home for one in around.records.values()}
    edges = [(("identity", pair.one), ("identity", pair.other)) for pair in around.list_heavy()]
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


def _decide(around: _Around, component: _Component) -> Decision:
    """Persons of a component. In one that is too large nobody is linked but by people's word."""
    records = [around.records[home] for home in component.homes]
    references = {one.reference for one in records}
    verdicts = [
        Verdict(one.record, one.other, one.same)
        for one in around.verdicts.values()
        if one.record in references and one.other in references
    ]
    size = max(len(records), sum(around.identities[one].records for one in component.identities))
    if size > around.linking.rules.largest:
        around.left_alone.update(component.identities)
        return decide_component(references, [], around.linking.rules, verdicts)
    return decide_component(references, _expand(around, component, records), around.linking.rules, verdicts)


def _expand(around: _Around, component: _Component, records: Sequence[RecordRow]) -> list[Pair]:
    """The heavy pairs of a component, told of records."""
    of = defaultdict[int, list[str]](list)
    for one in records:
        of[one.identity].append(one.reference)
    own = [around.identities[one] for one in component.identities if len(of[one]) > 1]
    within = [PairRow(one.id, one.id, one.own_bits, one.own_corroborated, conflict=False) for one in own]
    inside = set(component.identities)
    between = [pair for pair in around.list_heavy() if pair.one in inside]
    return [
        Pair(min(left, right), max(left, right), around.bits(pair.bits), pair.corroborated, pair.conflict)
        for pair in chain(within, between)
        for left in of[pair.one]
        for right in of[pair.other]
        if pair.one != pair.other or left < right
    ]


def _move(connection: Connection, around: _Around, decisions: Sequence[Decision], now: datetime, cause: str) -> None:
    """Link the records of each person to the home of the first of them."""
    by_reference = {one.reference: one for one in around.records.values()}
    moves = dict[int, int]()
    for references in chain.from_iterable(one.persons for one in decisions):
        records = [by_reference[one] for one in references]
        first = min(records, key=lambda one: one.order).home
        moves |= {one.home: first for one in records if one.person != first}
    rows.move_records(connection, moves)
    told = {"at": now, "cause": cause, "model_id": around.linking.model_id}
    changes = [
        {"home_id": home, "from_id": around.records[home].person, "to_id": to, **told} for home, to in moves.items()
    ]
    rows.add_changes(connection, changes)


def _list_asked(around: _Around, decisions: Sequence[Decision]) -> list[Asked]:
    """What the components themselves leave to people."""
    by_reference = {one.reference: one for one in around.records.values()}
    asked = []
    for question in chain.from_iterable(one.questions for one in decisions):
        one, other = by_reference[question.pair.one], by_reference[question.pair.other]
        ends = (one.home, other.home, one.identity, other.identity)
        asked.append(Asked(*ends, question.pair.bits, question.reason))
    return asked


def _list_between(connection: Connection, around: _Around, before: Sequence[Asked]) -> list[Asked]:
    """Pairs that no component decides: too light, or of one that is too large. Asked of one record for each identity.

    A hundred records that say the same would otherwise ask the same question a hundred times.
    """
    pairs = _list_undecided(around)
    first = _find_first(connection, around, before, {end for pair in pairs for end in pair[:2]})
    found = []
    for pair in pairs:
        ends = first[pair.one][:2] if pair.one == pair.other else [first[pair.one][0], first[pair.other][0]]
        one, other = sorted(ends, key=lambda record: record.reference)
        if one.person != other.person:
            bits = around.bits(pair.bits)
            reason: Reason = "size" if bits >= around.linking.rules.link_at else "weight"
            found.append((one, other, Asked(one.home, other.home, one.identity, other.identity, bits, reason)))
    return _drop_answered(connection, around.linking.model_id, found)


def _find_first(
    connection: Connection, around: _Around, before: Sequence[Asked], identities: set[int]
) -> dict[int, list[RecordRow]]:
    """The two records with the least references of each identity.

    Of a crowded one the question that is open names them, if they are still here; a new record may come before them.
    """
    model_id = around.linking.model_id
    named = {
        one.one_identity: (one.one, one.other)
        for one in before
        if one.one_identity == one.other_identity and one.one_identity in around.crowded & identities
    }
    found = rows.read_records_at(connection, model_id, set(chain.from_iterable(named.values())))
    still = Counter(one.identity for one in found)
    sure = {identity for identity in named if still[identity] == 2}
    fresh = {home for home, one in around.records.items() if one.identity in sure}
    found += rows.read_records_at(connection, model_id, fresh - {one.home for one in found})
    first = rows.read_first_records(connection, model_id, identities - sure)
    for one in sorted(found, key=lambda record: record.reference):
        if one.identity in sure and len(kept := first.setdefault(one.identity, [])) < 2:
            kept.append(one)
    return first


def _list_undecided(around: _Around) -> list[PairRow]:
    own = [PairRow(one.id, one.id, one.own_bits, one.own_corroborated, conflict=False) for one in _list_shared(around)]
    return [
        pair for pair in chain(around.pairs.values(), own) if pair.one in around.left_alone or not around.is_heavy(pair)
    ]


def _list_shared(around: _Around) -> list[Identity]:
    """Identities that several records say, and whose records are worth a look at each other."""
    return [one for one in around.identities.values() if one.records > 1 and one.own_bits >= around.linking.least]


def _drop_answered(
    connection: Connection, model_id: int, found: Sequence[tuple[RecordRow, RecordRow, Asked]]
) -> list[Asked]:
    """Without what people have said already, of these records or of others of the same two persons."""
    persons = {end.person for one, other, _ in found for end in (one, other)}
    mates = rows.read_records_of(connection, model_id, persons) if found and rows.has_verdicts(connection) else []
    person_of = {one.reference: one.person for one in mates}
    verdicts = rows.read_verdicts(connection, person_of)
    answered = {(person_of[one.record], one.person) for one in verdicts}
    return [asked for one, other, asked in found if (one.person, other.person) not in answered]


def forget_links(session: Session) -> None:
    """Take out all that was found of records, and link nobody: whoever calls then folds all records anew."""
    for table in (LinkQuestion, LinkPair, LinkKey, LinkWord, LinkMember, LinkIdentity):
        session.execute(delete(table))
    session.execute(update(LinkModelVersion).values(filled_to=None))
    session.execute(update(LinkProgress).values(records=0, size=find_size(0), decided_to=None))


def read_persons(session: Session) -> dict[int, int]:
    """The person of each record, by home."""
    return {row[0]: row[1] for row in session.execute(select(PersonRecord.home_id, PersonRecord.person_id))}


def retell_changes(session: Session, since: int, before: Mapping[int, int], now: datetime) -> None:
    """In place of the changes since that number, tell only who belongs to another person than before all of them."""
    session.execute(delete(LinkChange).where(LinkChange.id > since))
    active = next(one for one in list_linkings(session.connection(), now) if one.active)
    told = {"at": now, "cause": "rebuild", "model_id": active.model_id}
    changes = [
        {"home_id": home, "from_id": before[home], "to_id": person, **told}
        for home, person in read_persons(session).items()
        if before.get(home, person) != person
    ]
    rows.add_changes(session.connection(), changes)


def is_linking_due(session: Session) -> bool:
    """Tell whether records are still to be read by a model, or persons to be decided anew; reads only."""
    unread = select(LinkModelVersion.id).where(LinkModelVersion.filled_to.is_not(None)).limit(1)
    undecided = select(LinkProgress.id).where(LinkProgress.decided_to.is_not(None)).limit(1)
    return session.scalar(unread) is not None or session.scalar(undecided) is not None


def link_some(session: Session, now: datetime) -> bool:
    """Read, or decide anew, the next few records; return whether there was anything to do.

    The caller holds the registry's lock.
    """
    model = session.scalars(
        select(LinkModelVersion).where(LinkModelVersion.filled_to.is_not(None)).order_by(LinkModelVersion.id).limit(1)
    ).first()
    return _read_some(session, model, now) if model else _decide_some(session, now)


def _read_some(session: Session, model: LinkModelVersion, now: datetime) -> bool:
    connection = session.connection()
    homes = _next_homes(session, model.filled_to or 0)
    linking = next(one for one in list_linkings(connection, now) if one.model_id == model.id)
    unread = homes.keys() - rows.find_members(connection, model.id, homes).keys()
    if unread:
        _place(connection, linking, (), {home: homes[home] for home in unread})
    if unread and linking.active:
        decide_around(connection, linking, unread, (), now, "model")
    model.filled_to = max(homes) if homes else None
    session.flush()
    settle_activation(session, now)
    return True


def _decide_some(session: Session, now: datetime) -> bool:
    progress = session.scalars(select(LinkProgress).execution_options(populate_existing=True)).one_or_none()
    if progress is None or progress.decided_to is None:
        return False
    connection = session.connection()
    homes = _next_homes(session, progress.decided_to)
    linking = next(one for one in list_linkings(connection, now) if one.active)
    if homes and progress.cause == "shrunk":
        _look_again(connection, linking, homes)
    if homes:
        decide_around(connection, linking, homes, (), now, progress.cause)
    progress.decided_to = max(homes) if homes else None
    session.flush()
    return True


def look_again(session: Session, homes: Collection[int], now: datetime) -> int:
    """Find what should have been found of these records when they came, and decide them anew; how many are still there.

    The caller holds the registry's lock.
    """
    connection = session.connection()
    linking = next(one for one in list_linkings(connection, now) if one.active)
    here = rows.find_members(connection, linking.model_id, homes)
    _look_again(connection, linking, here)
    decide_around(connection, linking, here, (), now, "rebuild")
    return len(here)


def _look_again(connection: Connection, linking: Linking, homes: Collection[int]) -> None:
    """Find pairs that were too light to be kept while the registry was larger, or were overlooked."""
    identities = set(rows.find_members(connection, linking.model_id, homes).values())
    known = {(pair.one, pair.other) for pair in rows.read_pairs(connection, identities, float("-inf"))}
    features = rows.read_features(connection, identities)
    _add_pairs(connection, linking, features, known)


def _next_homes(session: Session, after: int) -> dict[int, LinkRecord]:
    records = session.scalars(
        select(PersonRecord).where(PersonRecord.home_id > after).order_by(PersonRecord.home_id).limit(AT_ONCE)
    )
    return {one.home_id: read_link_record(one) for one in records}
