"""Persons of several records: a function of the records, the active model and what people decided, kept up to date.

Whatever comes or goes, all records that it could bring together or part are decided from scratch: those that verdicts
and pairs heavy enough to link connect with it, and those whose link it may rival. So the order in which records,
verdicts and models came changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.orm import Session

from sync import link_rows as rows
from sync.link_around import Around, Component, explore, list_components
from sync.link_changes import tell_moves
from sync.link_models import Linking, list_linkings, settle_activation
from sync.link_placing import find_overlooked, place_records
from sync.link_questions import list_asked, list_between
from sync.link_rows import RecordRow
from sync.link_urgency import renew_urgency
from sync.link_verdicts import ask, read_questions, read_verdicts
from sync.linkage.component import decide_component
from sync.linkage.decision import Decision, Pair, Verdict
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
_READ = (
    *_TEXTS, "reference", "given_names", "sex", "nationality", "ended_at", "birth_date", "age", "age_band", "site_id",
)  # fmt: skip

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
        touched = place_records(connection, linking, left.keys(), came)
        if linking.active:
            gone = [left[home] for home in left.keys() - came.keys()]
            partners = {one.home for one in read_verdicts(connection, gone) if one.same}
            decide_around(connection, linking, {*came, *partners}, touched, now, "record")
    if edited := came.keys() & left.keys():
        renew_urgency(connection, edited)


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
        age_band=values["age_band"] or "",
        site_id=values["site_id"],
        **{name: values[name] or "" for name in _TEXTS},
    )


def decide_around(
    connection: Connection,
    linking: Linking,
    homes: Collection[int],
    identities: Collection[int],
    now: datetime,
    cause: str,
    *,
    with_rivals: bool = True,
) -> None:
    """Decide anew whose these records are, those with these identities, and all that are connected with them."""
    around = explore(connection, linking, homes, identities, with_rivals=with_rivals)
    before = read_questions(connection, around.identities)
    decisions = [_decide(around, component) for component in list_components(around)]
    moves = _move(connection, around, decisions)
    asked = [*list_asked(around, decisions), *list_between(connection, around, before)]
    told = {"at": now, "cause": cause, "model_id": linking.model_id}
    rows.add_changes(connection, [one | told for one in tell_moves(around.records, moves, asked)])
    if before or asked:
        ask(connection, before, asked, now)


def _decide(around: Around, component: Component) -> Decision:
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
    pairs, rivals = _expand(around, records), _find_rivals(around, component, records)
    return decide_component(references, pairs, around.linking.rules, verdicts, rivals)


def _expand(around: Around, records: Sequence[RecordRow]) -> list[Pair]:
    """The heavy pairs inside a component, told of records."""
    of = _group_records(records)
    within = [around.identities[one].own_pair for one, said_by in of.items() if len(said_by) > 1]
    between = [pair for pair in around.list_heavy(of) if pair.one in of and pair.other in of]
    visits = {one.reference: one.visit for one in records}
    return [
        Pair(
            min(left, right), max(left, right), around.bits(pair.bits), pair.corroborated, pair.conflict,
            beside=pair[:2] in around.told_apart and visits[left] == visits[right] is not None,
        )
        for pair in chain(within, between)
        for left in of[pair.one]
        for right in of[pair.other]
        if pair.one != pair.other or left < right
    ]  # fmt: skip


def _find_rivals(around: Around, component: Component, records: Sequence[RecordRow]) -> dict[str, float]:
    """How much each record weighs at most against one outside, but for whom people have kept apart."""
    of, inside = _group_records(records), set(component.identities)
    # People's word may bring one record here of several that say the same.
    parted = [around.identities[one].own_pair for one in of.keys() - inside]
    rivals: dict[str, float] = {}
    for pair in chain(around.list_heavy(of), filter(around.is_heavy, parted)):
        for one, other in {pair[:2], pair[1::-1]}:
            if one in of and other not in inside:
                bits = around.bits(pair.bits)
                here = of.get(other, ())
                claimed = [record for record in of[one] if not _is_kept_apart(around, record, other, here)]
                rivals |= {record: max(bits, rivals.get(record, bits)) for record in claimed}
    return rivals


def _is_kept_apart(around: Around, record: str, other: int, here: Sequence[str]) -> bool:
    """Whether nobody outside says the other identity from whom people have not kept the record apart."""
    apart = around.apart[record][other] if record in around.apart else 0
    if not apart and not here:
        return False
    size = around.identities[other].records if other in around.identities else around.sizes[other]
    # Who is here is none of those outside, whatever people said of them.
    said = (around.verdicts.get((record, one)) for one in here)
    return apart + len(here) - sum(one is not None and not one.same for one in said) >= size


def _group_records(records: Sequence[RecordRow]) -> dict[int, list[str]]:
    of: dict[int, list[str]] = {}
    for one in records:
        of.setdefault(one.identity, []).append(one.reference)
    return of


def _move(connection: Connection, around: Around, decisions: Sequence[Decision]) -> dict[int, int]:
    """Link the records of each person to the home of the first of them; who moved where."""
    by_reference = {one.reference: one for one in around.records.values()}
    moves = dict[int, int]()
    for references in chain.from_iterable(one.persons for one in decisions):
        records = [by_reference[one] for one in references]
        first = min(records, key=lambda one: one.order).home
        moves |= {one.home: first for one in records if one.person != first}
    rows.move_records(connection, moves)
    return moves


def forget_links(session: Session) -> None:
    """Take out all that was found of records, and link nobody: whoever calls then folds all records anew."""
    for table in (LinkQuestion, LinkPair, LinkKey, LinkWord, LinkMember, LinkIdentity):
        session.execute(delete(table))
    session.execute(update(LinkModelVersion).where(LinkModelVersion.filled_to.is_not(None)).values(filled_to=0))
    session.execute(update(LinkProgress).values(records=0, size=find_size(0), decided_to=None))


def read_persons(session: Session) -> dict[int, int]:
    """The person of each record, by home."""
    return {row[0]: row[1] for row in session.execute(select(PersonRecord.home_id, PersonRecord.person_id))}


def retell_changes(session: Session, since: int, before: Mapping[int, int], now: datetime) -> None:
    """In place of the changes since that number, tell only who belongs to another person than before all of them."""
    session.execute(delete(LinkChange).where(LinkChange.id > since))
    active = next(one for one in list_linkings(session.connection(), now) if one.active)
    told = {"at": now, "cause": "rebuild", "model_id": active.model_id, "asked_one_id": None, "asked_other_id": None}
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
    before = rows.find_members(connection, model.id, homes)
    touched = place_records(connection, linking, (), homes) if homes else set()
    changed = {home for home, _ in rows.find_members(connection, model.id, homes).items() - before.items()}
    if changed and linking.active:
        decide_around(connection, linking, changed, touched, now, "model")
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
        find_overlooked(connection, linking, homes)
    if homes:
        # Rivals have their own turn, but for pairs that were just found.
        shrunk = progress.cause == "shrunk"
        decide_around(connection, linking, homes, (), now, progress.cause, with_rivals=shrunk)
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
    find_overlooked(connection, linking, here)
    decide_around(connection, linking, here, (), now, "rebuild")
    return len(here)


def _next_homes(session: Session, after: int) -> dict[int, LinkRecord]:
    records = session.scalars(
        select(PersonRecord).where(PersonRecord.home_id > after).order_by(PersonRecord.home_id).limit(AT_ONCE)
    )
    return {one.home_id: read_link_record(one) for one in records}
