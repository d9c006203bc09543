"""Families in the database: which rows belong together, and the standing of each as families.py decides it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from sync.families import Member, Standing, decide_family
from sync.models import Decision, Encounter, PersonRecord, Submission
from sync.models.submissions import first_or_twin
from sync.references import make_reference
from sync.registry import Contribution, fold_family
from sync.releasing import release_submission
from sync.states import refresh_state

_EDITED = select(Submission.form_id, Submission.deprecated_id).where(
    Submission.form_id.in_(bindparam("forms", expanding=True)),
    Submission.deprecated_id.in_(bindparam("names", expanding=True)),
)
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
    session: Session, submission: Submission, contribution: Contribution, now: datetime
) -> dict[int, Standing]:
    """Give everybody in the family of a freshly judged submission their standing, and let the one that counts speak."""
    family, standings = _settle(session, submission)
    if not submission.is_draft:
        _fold(session, submission, family, standings, contribution, now)
    return standings


def settle_standings(session: Session, submission: Submission) -> dict[int, Standing]:
    """Give everybody in the submission's family their standing, and let nobody speak: the caller does."""
    return _settle(session, submission)[1]


def _settle(session: Session, submission: Submission) -> tuple[list[Submission], dict[int, Standing]]:
    session.flush()
    family = _find_family(session, submission)
    decided = _decision_times(session, family)
    standings = decide_family(_member(one, decided.get(one.id)) for one in family)
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
) -> None:
    counting = next((one for one in family if standings[one.id].counts), None)
    ids = [one.id for one in family]
    if counting is None:
        fold_family(session, ids, [], now)
    elif counting is submission:
        fold_family(session, ids, [contribution.rooted(standings[submission.id].root_id)], now)
    elif counting.processed_at is not None and not _is_folded(session, counting, standings[counting.id].root_id):
        # It counts, or under this name, only now that this record or decision came: judged anew, it folds itself in.
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


def _is_folded(session: Session, submission: Submission, root_id: str) -> bool:
    """Whether what it says is in the registry, under the name of the record with which its edits began."""
    record = session.scalars(select(PersonRecord).where(PersonRecord.submission_id == submission.id).limit(1)).first()
    if record is not None:
        return record.reference == make_reference(submission.form_id, root_id, record.path)
    encounters = select(Encounter.id).where(Encounter.submission_id == submission.id).limit(1)
    return session.scalar(encounters) is not None
