"""One submission, one step further: judged by the form that it names, given its place among twins and edits, folded.

Judging reads and computes only; applying writes. The two are apart so that SQLite's write lock is held for
milliseconds. Sessions, commits and the loop are the server's (server/processing.py).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session, undefer

from forms.definition import FormDefinition
from forms.errors import Finding, FormsError
from forms.lists import HeldLists
from forms.records import Encounter, PersonRecord, read_encounters, read_person_records, read_times
from forms.submission import attachment_names, parse_submission
from forms.validation import validate_submission
from sync.attachments import AttachmentStore
from sync.devices import record_clock
from sync.families import Member, Standing, decide_family
from sync.list_files import load_lists
from sync.models import Decision, Form, FormVersion, Submission, SubmissionEvent, SubmissionFinding
from sync.models import Encounter as EncounterRow
from sync.models import PersonRecord as PersonRow
from sync.parts import expect_files
from sync.publishing import find_form_version, get_definition
from sync.registry import Contribution, fold_family
from sync.releasing import release_submission
from sync.states import refresh_state

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
# A tablet's clock may be set a little wrong; less than this proves nothing.
CLOCK_TOLERANCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Work:
    """One submission to judge, with all that judging needs: from here on no database is asked."""

    id: int
    xml: bytes
    received_at: datetime
    language: str
    version_id: int | None = None
    definition: FormDefinition | None = None
    lists: HeldLists = field(default_factory=HeldLists)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What judging said. `reason` is why the submission could not be judged by a form."""

    work: Work
    reason: str | None = None
    findings: Sequence[Finding] = ()
    files: Sequence[str] = ()
    persons: Sequence[PersonRecord] = ()
    encounters: Sequence[Encounter] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None


def list_work(session: Session, store: AttachmentStore, now: datetime, limit: int) -> list[Work]:
    """List what is due, oldest first, at most `limit`."""
    due = or_(Submission.next_attempt_at.is_(None), Submission.next_attempt_at <= now)
    query = select(Submission).where(Submission.processed_at.is_(None), due).order_by(Submission.id).limit(limit)
    rows = session.scalars(query.options(undefer(Submission.xml))).all()
    versions: dict[tuple[str, str, bool], FormVersion | None] = {}
    lists: dict[int, HeldLists] = {}
    return [_prepare(session, store, row, versions, lists) for row in rows]


def judge(work: Work) -> Verdict:
    """Hold one submission against its form; pure."""
    if work.definition is None:
        return Verdict(work, reason=work.reason)
    try:
        submission = parse_submission(work.xml)
    except FormsError:
        return Verdict(work, reason="unreadable")
    definition = work.definition
    times = read_times(definition, submission)
    return Verdict(
        work,
        findings=validate_submission(
            definition, submission, work.lists, received_at=work.received_at, language=work.language
        ),
        files=attachment_names(submission, definition),
        persons=read_person_records(definition, submission),
        encounters=read_encounters(definition, submission),
        started_at=times.start,
        ended_at=times.end,
    )


def apply_verdict(session: Session, verdict: Verdict, now: datetime) -> None:
    """Write a verdict down and bring the family and the registry in line; the session must be a writer.

    Does nothing when another worker was faster.
    """
    submission = session.get_one(Submission, verdict.work.id, populate_existing=True, with_for_update=True)
    if submission.processed_at is not None:
        return
    _write_findings(session, submission, verdict)
    _write_facts(session, submission, verdict, now)
    standing = _settle_family(session, submission, verdict, now)
    refresh_state(submission)
    session.flush()
    _add_event(session, submission, verdict, standing, now)


def record_failure(session: Session, submission_id: int, error: Exception, now: datetime) -> None:
    """Note that processing broke; after five tries the submission waits for a human and blocks nobody."""
    submission = session.get_one(Submission, submission_id, populate_existing=True, with_for_update=True)
    submission.attempts += 1
    submission.next_attempt_at = now + timedelta(seconds=10 ** (submission.attempts - 1))
    if submission.attempts >= MAX_ATTEMPTS:
        submission.processed_at, submission.reason = now, "processing_failed"
    refresh_state(submission)
    details = {"attempt": submission.attempts, "error": type(error).__name__}
    session.add(SubmissionEvent(submission_id=submission_id, at=now, kind="failed", details=details))
    session.flush()
    # The error's text may quote an answer; its type and place may not.
    log.error("processing submission %s failed: %s, attempt %s", submission_id, details["error"], submission.attempts)


def _prepare(
    session: Session,
    store: AttachmentStore,
    row: Submission,
    versions: dict[tuple[str, str, bool], FormVersion | None],
    lists: dict[int, HeldLists],
) -> Work:
    key = (row.form_id, row.version, row.is_draft)
    if key not in versions:
        versions[key] = find_form_version(session, *key)
    version = versions[key]
    language = row.device.language if row.device else "fr"
    if version is None:
        known = session.scalar(select(Form.id).where(Form.form_id == row.form_id))
        reason = "unknown_version" if known else "unknown_form"
        return Work(row.id, row.xml, row.received_at, language, reason=reason)
    if version.id not in lists:
        lists[version.id] = load_lists(session, store, version)
    definition = get_definition(session, version)
    return Work(row.id, row.xml, row.received_at, language, version.id, definition, lists[version.id])


def _write_findings(session: Session, submission: Submission, verdict: Verdict) -> None:
    session.execute(delete(SubmissionFinding).where(SubmissionFinding.submission_id == submission.id))
    if verdict.findings:
        session.execute(insert(SubmissionFinding), [_finding_row(submission.id, one) for one in verdict.findings])


def _finding_row(submission_id: int, finding: Finding) -> dict[str, Any]:
    return {
        "submission_id": submission_id,
        "path": finding.path,
        "kind": finding.kind,
        "grade": finding.grade,
        "code": finding.code,
        "params": dict(finding.params),
        "rule": finding.rule,
        "value": finding.value,
        "message": dict(finding.message),
    }


def _write_facts(session: Session, submission: Submission, verdict: Verdict, now: datetime) -> None:
    submission.processed_at = now
    submission.next_attempt_at = None
    submission.reason = verdict.reason
    submission.error_count = sum(one.grade == "error" for one in verdict.findings)
    submission.form_version_id = verdict.work.version_id
    submission.started_at, submission.ended_at = verdict.started_at, verdict.ended_at
    if verdict.files:
        submission.missing_files = expect_files(session, submission.id, verdict.files, now)
    _prove_clock(session, submission)


def _prove_clock(session: Session, submission: Submission) -> None:
    """Only a clock that is ahead can be proven: a record may wait for days, but never ends after its receipt."""
    ended = submission.ended_at
    if ended and submission.device_id and ended - submission.received_at > CLOCK_TOLERANCE:
        record_clock(session, submission.device_id, int((ended - submission.received_at).total_seconds()))


def _settle_family(session: Session, submission: Submission, verdict: Verdict, now: datetime) -> Standing:
    family = _find_family(session, submission)
    decided = _decision_times(session, family)
    standings = decide_family(_member(one, decided.get(one.id)) for one in family)
    for one in family:
        _write_standing(one, standings[one.id], judged=one is submission or one.processed_at is not None)
    session.flush()
    if submission.is_draft:
        return standings[submission.id]
    counting = next((one for one in family if standings[one.id].counts), None)
    ids = [one.id for one in family]
    if counting is None or counting is submission:
        contribution = _contribution(submission, standings[submission.id], verdict) if counting else None
        fold_family(session, ids, contribution)
    elif counting.processed_at is not None and not _is_folded(session, counting.id):
        # It counts only now that this record or decision came: judged anew, it folds itself in.
        release_submission(session, counting, "family_changed", None, now)
    return standings[submission.id]


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


def _relatives(submission: Submission, names: set[str | None]) -> Any:
    tied = or_(Submission.instance_id.in_(names), Submission.deprecated_id.in_(names))
    same_form = (Submission.form_id == submission.form_id) & (Submission.is_draft == submission.is_draft)
    return select(Submission).where(same_form, tied).order_by(Submission.id).with_for_update()


def _decision_times(session: Session, family: Sequence[Submission]) -> dict[int, datetime]:
    if all(one.decision is None for one in family):
        return {}
    query = select(Decision).where(Decision.submission_id.in_([one.id for one in family])).order_by(Decision.id)
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


def _contribution(submission: Submission, standing: Standing, verdict: Verdict) -> Contribution:
    return Contribution(
        submission.id,
        submission.form_id,
        standing.root_id,
        submission.site_id,
        submission.ended_at,
        verdict.persons,
        verdict.encounters,
    )


def _is_folded(session: Session, submission_id: int) -> bool:
    persons = select(PersonRow.id).where(PersonRow.submission_id == submission_id).limit(1)
    encounters = select(EncounterRow.id).where(EncounterRow.submission_id == submission_id).limit(1)
    return session.scalar(persons) is not None or session.scalar(encounters) is not None


def _add_event(session: Session, submission: Submission, verdict: Verdict, standing: Standing, now: datetime) -> None:
    warnings = len(verdict.findings) - submission.error_count
    details = {"state": submission.state, "errors": submission.error_count, "warnings": warnings}
    if standing.counts and submission.instance_id != standing.root_id:
        details["edit"] = True
    row = {"submission_id": submission.id, "at": now, "kind": "judged", "details": details}
    session.execute(insert(SubmissionEvent), [row])
