"""Families in the database: which rows belong together, and the standing of each as families.py decides it.

Also where the persons of an edit first stood, as places.py decides it from the records that were edited.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from forms.records import PersonRecord as PersonValues
from sync.families import Member, Standing, decide_family, trace_edits
from sync.judging import Work, judge
from sync.models import Decision, Encounter, PersonRecord, Submission
from sync.models.submissions import first_or_twin
from sync.places import is_repeated, keep_places
from sync.publishing import find_form_version, get_definition
from sync.references import make_reference
from sync.registry import Contribution, fold_family
from sync.releasing import release_submission
from sync.retained import read_retained
from sync.sealing import Seal, make_seal
from sync.states import refresh_state

_EDITED = select(Submission.form_id, Submission.deprecated_id).where(
    Submission.form_id.in_(bindparam("forms", expanding=True)),
    Submission.deprecated_id.in_(bindparam("names", expanding=True)),
)
# Enough for what is not encrypted.
_NO_SEAL = Seal()
_FIRSTS = select(Submission.twin_of_id).where(Submission.twin_of_id.in_(bindparam("ids", expanding=True)))


def find_related(session: Session, rows: Sequence[Submission]) -> set[int]:
    """Tell which of these belong to a family: most stand alone, and need no more than these two questions."""
    connection = session.connection()
    named = {"forms": list({one.form_id for one in rows}), "names": list({one.instance_id for one in rows})}
    edited = {(one.form_id, one.deprecated_id) for one in connection.execute(_EDITED, named)}
    firsts = set(connection.execute(_FIRSTS, {"ids": [one.id for one in rows]}).scalars())
    return {
        one.id
        for one in rows
        if one.deprecated_id or one.twin_of_id or one.id in firsts or (one.form_id, one.instance_id) in edited
    }


def settle_family(
    session: Session, submission: Submission, contribution: Contribution, now: datetime, seal: Seal = _NO_SEAL
) -> dict[int, Standing]:
    """Give everybody in the family of a freshly judged submission their standing, and let the one that counts speak.

    `seal` opens those of its edits that are encrypted.
    """
    family, standings = _settle(session, submission)
    if not submission.is_draft:
        _fold(session, submission, family, standings, contribution, now, seal)
    return standings


def settle_standings(session: Session, submission: Submission) -> dict[int, Standing]:
    """Give everybody in the submission's family their standing, and let nobody speak: the caller does."""
    return _settle(session, submission)[1]


def find_places(
    session: Session, submission: Submission, persons: Sequence[PersonValues], seal: Seal
) -> dict[str, str]:
    """Where each of these persons of a submission first stood, by path, in the edits that led to it (places.py).

    What cannot be read here and now tells nothing. `seal` opens what is encrypted.
    """
    if not any(is_repeated(one.path) for one in persons):
        return {}
    read = [_read_persons(session, one, seal) for one in _list_edited(session, submission)]
    return keep_places([*(one for one in read if one is not None), persons])


def _list_edited(session: Session, submission: Submission) -> list[Submission]:
    """The records that this one is an edit of, from the first."""
    if submission.deprecated_id is None:
        return []
    family = _find_family(session, submission)
    by_id = {one.id: one for one in family}
    return [by_id[one] for one in trace_edits(_list_members(session, family), submission.id)[:-1]]


def _read_persons(session: Session, row: Submission, seal: Seal) -> Sequence[PersonValues] | None:
    """Whom a record tells of; None for one that cannot be read, and for one that broke the processing."""
    if row.reason == "processing_failed":
        return None
    version = find_form_version(session, row.form_id, row.version, row.is_draft)
    work = Work(
        row.id,
        row.xml,
        row.received_at,
        language="",
        definition=get_definition(session, version) if version else None,
        seal=make_seal(seal.store, row, seal.keys),
        retained=read_retained(session, [row.id]).get(row.id),
        validates=False,
    )
    verdict = judge(work)
    return verdict.persons if verdict.is_read else None


def _settle(session: Session, submission: Submission) -> tuple[list[Submission], dict[int, Standing]]:
    session.flush()
    family = _find_family(session, submission)
    standings = decide_family(_list_members(session, family))
    for one in family:
        _write_standing(one, standings[one.id], judged=one is submission or one.processed_at is not None)
    session.flush()
    return family, standings


def _fold(
    session: Session,
    submission: Submission,
    family: list[Submission],
    standings: dict[int, Standing],
    contribution: Contribution,
    now: datetime,
    seal: Seal,
) -> None:
    counting = next((one for one in family if standings[one.id].counts), None)
    ids = [one.id for one in family]
    if counting is None:
        fold_family(session, ids, [], now)
    elif counting is submission:
        places = find_places(session, submission, contribution.persons, seal)
        fold_family(session, ids, [contribution.rooted(standings[submission.id].root_id, places)], now)
    elif counting.processed_at is not None and not _is_folded(session, counting, standings[counting.id].root_id, seal):
        # It counts, or under these names, only now that this record or decision came: judged anew, it folds itself in.
        release_submission(session, counting, "family_changed", None, now)


def _find_family(session: Session, submission: Submission) -> list[Submission]:
    """All records tied to this one by instanceID or deprecatedID, locked in one order so that workers never cross."""
    family = {submission.id: submission}
    names, seen = {submission.instance_id, submission.deprecated_id} - {None}, set[str | None]()
    while names - seen:
        fresh = names - seen
        seen |= fresh
        for one in session.scalars(_relatives(submission, fresh)):
            family[one.id] = one
            names |= {one.instance_id, one.deprecated_id} - {None}
    return [family[key] for key in sorted(family)]


def _relatives(submission: Submission, names: set[str | None]) -> Select[Submission]:
    tied = or_(first_or_twin(Submission.instance_id.in_(names)), Submission.deprecated_id.in_(names))
    same_form = (Submission.form_id == submission.form_id) & (Submission.is_draft == submission.is_draft)
    return select(Submission).where(same_form, tied).order_by(Submission.id).with_for_update()


def _list_members(session: Session, family: Sequence[Submission]) -> list[Member]:
    decided = _decision_times(session, family)
    return [_member(one, decided.get(one.id)) for one in family]


def _decision_times(session: Session, family: Sequence[Submission]) -> dict[int, datetime]:
    if all(one.decision is None for one in family):
        return {}
    query = select(Decision).where(Decision.submission_id.in_([one.id for one in family]))
    query = query.order_by(Decision.decided_at, Decision.id)
    return {one.submission_id: one.decided_at for one in session.scalars(query)}


def _member(row: Submission, decided_at: datetime | None) -> Member:
    # Locked and failed records, and those whose form is unknown, say nothing yet.
    own_reason = row.reason not in (None, "twin", "stale_edit")
    sound = not own_reason and not row.locked and (row.error_count == 0 or row.decision == "accept")
    return Member(row.id, row.instance_id, row.deprecated_id, row.xml_sha256, row.decision, decided_at, sound)


def _write_standing(row: Submission, standing: Standing, *, judged: bool) -> None:
    row.waits_for, row.superseded_by_id = standing.waits_for, standing.superseded_by
    if judged and row.reason in (None, "twin", "stale_edit"):
        row.reason = standing.reason
    refresh_state(row)


def _is_folded(session: Session, submission: Submission, root_id: str, seal: Seal) -> bool:
    """Whether what it says is in the registry, under the name of the record with which its edits began.

    And its persons under the places that they have by now: an edit, or a word, that came between may move them.
    """
    records = session.scalars(select(PersonRecord).where(PersonRecord.submission_id == submission.id)).all()
    if records:
        places = _find_places_anew(session, submission, records, seal)
        named = {one: make_reference(submission.form_id, root_id, places.get(one.path, one.path)) for one in records}
        return all(one.reference == reference for one, reference in named.items())
    encounters = select(Encounter.id).where(Encounter.submission_id == submission.id).limit(1)
    return session.scalar(encounters) is not None


def _find_places_anew(
    session: Session, submission: Submission, records: Sequence[PersonRecord], seal: Seal
) -> dict[str, str]:
    """The places of those whom a record that was judged before tells of; it is read only where they can move."""
    if not any(is_repeated(one.path) for one in records):
        return {}
    return find_places(session, submission, _read_persons(session, submission, seal) or (), seal)
