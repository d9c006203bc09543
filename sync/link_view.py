"""Two records of perhaps one person, with what a reviewer needs: what each says, the waterfall, who is around them.

Only records that the reader may read. Whose turn it is, is link_queue.py's word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from sync import link_rows as rows
from sync.link_decisions import Shown, find_waiting, list_records_of, select_about
from sync.link_documents import Documents, compare_documents
from sync.link_fold import read_link_record
from sync.link_inquiries import list_inquiries_about
from sync.link_models import Linking, find_linking
from sync.link_queue import scope_link_decisions
from sync.link_samples import find_sample
from sync.link_verdicts import read_verdicts
from sync.linkage.explain import Step, explain
from sync.linkage.features import Features
from sync.models import LinkDecision, LinkInquiry, LinkQuestion, LinkSample, PersonRecord
from sync.policy import Viewer
from sync.scopes import scope_people

_MOST_AROUND = 12
_MOST_RIVALS = 3
# Pages show tenths of bits.
_ROUNDED = 0.05


@dataclass(frozen=True, slots=True)
class Rival:
    """Another record that one of the two could be of the same person with."""

    side: int
    record: PersonRecord
    bits: float


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records, the others of its person, and who was met together with it."""

    record: PersonRecord
    mates: Sequence[PersonRecord]
    around: Sequence[PersonRecord]


@dataclass(frozen=True, slots=True)
class PairView:
    """Everything about two records at one moment, as far as its reader may know."""

    sides: tuple[Side, Side]
    steps: Sequence[Step]
    model_version: str
    rivals: Sequence[Rival]
    question: LinkQuestion | None
    # The two are drawn to measure the model. Weights are not shown then, so that they lead nobody.
    sample: LinkSample | None
    decisions: Sequence[LinkDecision]
    # The one that awaits a second person; until then nobody is asked about the two.
    waiting: LinkDecision | None
    inquiries: Sequence[LinkInquiry]
    # What they say against either answer: then it takes two people.
    documents: Documents

    @property
    def bits(self) -> float:
        return self.steps[-1].total if self.steps else 0.0

    @property
    def bits_of_persons(self) -> float | None:
        """What the two persons weigh against each other with all their records, where that is asked about and more
        than these two count."""
        asked = self.question.bits if self.question is not None else self.bits
        return asked if abs(asked - self.bits) > _ROUNDED else None

    @property
    def chance(self) -> float:
        """The model's probability that the two are of one person."""
        return 1 / (1 + 2 ** -max(-60.0, min(60.0, self.bits)))

    @property
    def is_asked(self) -> bool:
        """Whether an answer is wanted, for the two persons' sake or for the model's."""
        return self.question is not None or self.sample is not None

    @property
    def linked(self) -> bool:
        return self.sides[0].record.person_id == self.sides[1].record.person_id

    @property
    def shown(self) -> Shown:
        return Shown(self.model_version, [] if self.sample else self.steps)

    def needs_second(self, *, same: bool) -> bool:
        """Whether this answer goes against a document, so that another person must confirm it."""
        return self.documents.other_number if same else self.documents.same_number


def find_record(session: Session, viewer: Viewer, home_id: int) -> PersonRecord | None:
    """Find a record by its home, if the viewer may read it."""
    return session.scalar(_readable(viewer).where(PersonRecord.home_id == home_id))


def find_holding(session: Session, records: Sequence[PersonRecord]) -> dict[int, PersonRecord]:
    """By home, which other of these records of one person each is linked to: by somebody's word, else by weight."""
    linking = find_linking(session)
    if linking is None:
        return {}
    connection, by_home = session.connection(), {one.home_id: one for one in records}
    members = rows.find_members(connection, linking.model_id, by_home)
    identities = set(members.values())
    bits = {(pair.one, pair.other): pair.bits for pair in rows.read_pairs(connection, identities, linking.least)}
    bits |= {(one.id, one.id): one.own_bits for one in rows.read_identities(connection, identities).values()}
    weighed = [
        (bits[pair], home, other)
        for home, one in members.items()
        for other, another in members.items()
        if home != other and (pair := (one, another)) in bits
    ]
    held = {home: by_home[other] for _bits, home, other in sorted(weighed)}
    said = read_verdicts(connection, [one.reference for one in records])
    homes = {one.reference: one.home_id for one in records}
    return held | {homes[one.record]: by_home[one.home] for one in said if one.same and one.home in by_home}


def view_pair(session: Session, viewer: Viewer, one: PersonRecord, other: PersonRecord) -> PairView:
    """Look at two records that the viewer may read."""
    sides = (_view_side(session, viewer, one), _view_side(session, viewer, other))
    linking = find_linking(session)
    ends = {one.home_id, other.home_id}
    asked = select(LinkQuestion).where(LinkQuestion.one_id.in_(ends), LinkQuestion.other_id.in_(ends))
    question = session.scalar(asked)
    return PairView(
        sides=sides,
        steps=explain(linking.scorer, _read(linking, one), _read(linking, other)) if linking else [],
        model_version=linking.model.version if linking else "",
        rivals=_list_rivals(session, viewer, linking, sides) if linking else [],
        question=question,
        sample=find_sample(session, one, other) if question is None else None,
        decisions=_list_decisions(session, viewer, one, other),
        waiting=find_waiting(session, [one.reference], [other.reference]),
        inquiries=list_inquiries_about(session, one, other),
        documents=compare_documents(linking, *_list_deciding(session, one, other)),
    )


def _list_deciding(session: Session, one: PersonRecord, other: PersonRecord) -> list[Sequence[PersonRecord]]:
    """The records whose documents count: all of the two persons, whoever may read them; of one person these two."""
    if one.person_id == other.person_id:
        return [[one], [other]]
    return [list_records_of(session, side.person_id) for side in (one, other)]


def _list_decisions(session: Session, viewer: Viewer, one: PersonRecord, other: PersonRecord) -> Sequence[LinkDecision]:
    """What was said of the one against the other, newest first, of which the viewer may know every record."""
    about = scope_link_decisions(select_about(one.reference, other.reference), viewer)
    return session.scalars(about.order_by(LinkDecision.decided_at.desc(), LinkDecision.id)).all()


def _readable(viewer: Viewer) -> Select[PersonRecord]:
    found = select(PersonRecord).options(joinedload(PersonRecord.site), joinedload(PersonRecord.submission))
    return scope_people(found, viewer)


def _view_side(session: Session, viewer: Viewer, record: PersonRecord) -> Side:
    mates = _readable(viewer).where(PersonRecord.person_id == record.person_id).order_by(PersonRecord.ended_at)
    around = _readable(viewer).where(PersonRecord.submission_id == record.submission_id, PersonRecord.id != record.id)
    return Side(
        record,
        session.scalars(mates.order_by(PersonRecord.reference)).all(),
        session.scalars(around.order_by(PersonRecord.id).limit(_MOST_AROUND)).all(),
    )


def _read(linking: Linking, record: PersonRecord) -> Features:
    return linking.model.cleaner.clean(read_link_record(record))


def _list_rivals(session: Session, viewer: Viewer, linking: Linking, sides: Sequence[Side]) -> list[Rival]:
    """The heaviest others of each of the two, of other persons than these two."""
    connection = session.connection()
    homes = [side.record.home_id for side in sides]
    members = rows.find_members(connection, linking.model_id, homes)
    if len(members) < len(homes):
        return []
    pairs = rows.read_pairs(connection, set(members.values()), linking.least)
    first = rows.read_first_records(connection, linking.model_id, {pair.other for pair in pairs})
    known = {side.record.person_id for side in sides}
    best = {
        (side, record.home): pair.bits + linking.scorer.prior_bits
        for pair in sorted(pairs, key=lambda pair: pair.bits)
        for side, home in enumerate(homes)
        if members[home] == pair.one
        for record in first.get(pair.other, [])[:1]
        if record.person not in known
    }
    return _take_heaviest(session, viewer, best)


def _take_heaviest(session: Session, viewer: Viewer, best: dict[tuple[int, int], float]) -> list[Rival]:
    heaviest = sorted(best.items(), key=lambda item: -item[1])[:_MOST_RIVALS]
    found = session.scalars(_readable(viewer).where(PersonRecord.home_id.in_({home for (_, home), _ in heaviest})))
    by_home = {record.home_id: record for record in found}
    return [Rival(side, by_home[home], bits) for (side, home), bits in heaviest if home in by_home]
