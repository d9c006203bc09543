"""One submission, one step further: claimed, judged by the form that it names, given its place, folded.

Judging (judging.py) takes no lock; claiming and applying write, each in a moment. Sessions, commits and the loop are
the server's (server/processing.py).
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, case, delete, or_, select, update
from sqlalchemy.orm import Session, undefer

from forms.definition import FormDefinition
from forms.encryption import PrivateKeys
from forms.entities import read_unread_changes
from forms.errors import Finding, FormsError
from forms.records import read_times
from sync.answers import Told, write_answers
from sync.attachments import AttachmentStore
from sync.bypassing import can_bypass, write_restrictions
from sync.db import add_rows
from sync.devices import record_clock
from sync.entity_fold import Said, fold_entities
from sync.erasure_facts import erase_awaited
from sync.families import Standing
from sync.judging import Verdict, Work, to_utc
from sync.list_files import ListFiles
from sync.models import Erasure, Form, FormVersion, Submission, SubmissionEvent, SubmissionFinding
from sync.parts import expect_files
from sync.publishing import find_form_version, get_definition
from sync.quarantine import take_awaited
from sync.registry import Contribution, fold_family, lock_registry
from sync.retained import read_retained
from sync.sealing import make_seal, read_record
from sync.settling import find_related, settle_family
from sync.states import FILES_AWAITED, refresh_state
from sync.tablet_lists import Filling

log = logging.getLogger(__name__)

# How long after each try the next one comes. A worker that died left its claim behind: it counts as a failed try.
DELAYS = tuple(timedelta(seconds=15 * 4**tried) for tried in range(5))
MAX_ATTEMPTS = len(DELAYS)
# A tablet's clock may be set a little wrong; less than this proves nothing.
CLOCK_TOLERANCE = timedelta(minutes=2)
_LONGEST = 2**31 - 1
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# Statements are built once: SQLAlchemy's building and hashing would cost more than SQLite's running them.
_ids: BindParameter[list[int]] = bindparam("ids", expanding=True)
_UNJUDGED = (
    select(Submission)
    .where(Submission.id.in_(_ids), Submission.processed_at.is_(None))
    .order_by(Submission.id)
    .with_for_update()
    .execution_options(populate_existing=True)
)
# Asked once the rows are locked: a statement that waited for an erasure would still see what was before it.
_ERASED = select(Erasure.submission_id).where(Erasure.submission_id.in_(_ids))
_FORGET_FINDINGS = delete(SubmissionFinding).where(SubmissionFinding.submission_id.in_(_ids))


def is_work_due(session: Session, now: datetime) -> bool:
    """Tell whether there is anything to claim; reads only, so that an idle loop never takes the write lock."""
    due = or_(Submission.next_attempt_at.is_(None), Submission.next_attempt_at <= now)
    return session.scalar(select(Submission.id).where(Submission.processed_at.is_(None), due).limit(1)) is not None


def claim_work(session: Session, now: datetime, limit: int) -> Sequence[int]:
    """Take what nobody has judged, oldest first, and count the try before it is made; return the ids.

    A record that kills its worker is so found out after five tries. What failed before is taken alone: it harms
    nobody else.
    """
    unjudged = select(Submission.id).where(Submission.processed_at.is_(None)).with_for_update(skip_locked=True)
    fresh = unjudged.where(Submission.next_attempt_at.is_(None)).order_by(Submission.id).limit(limit)
    again = unjudged.where(Submission.next_attempt_at <= now).order_by(Submission.next_attempt_at).limit(1)
    ids = session.scalars(fresh).all() or session.scalars(again).all()
    if ids:
        claimed = update(Submission).where(Submission.id.in_(ids))
        session.execute(claimed.values(attempts=Submission.attempts + 1, next_attempt_at=_next_attempt(now)))
    return ids


def list_work(
    session: Session, store: AttachmentStore, ids: Sequence[int], keys: PrivateKeys | None = None
) -> list[Work]:
    """Gather all that judging the claimed submissions needs; `keys` open those that are encrypted."""
    query = select(Submission).where(Submission.id.in_(ids)).order_by(Submission.id)
    rows = session.scalars(query.options(undefer(Submission.xml))).all()
    desk = _Desk(session, store, keys or {}, ListFiles(session, store))
    kept = read_retained(session, ids)
    return [replace(desk.prepare(row), retained=kept.get(row.id)) for row in rows]


def get_bare_work(session: Session, submission_id: int) -> Work:
    """Work for which nothing is gathered: enough to tell that gathering broke."""
    return Work(*_list_facts(session.get_one(Submission, submission_id)))


def _list_facts(row: Submission) -> tuple[int, bytes, datetime, str, int]:
    return row.id, row.xml, row.received_at, row.device.language if row.device else "fr", row.attempts


def apply_verdicts(session: Session, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Write verdicts down and bring families and registry in line; the session must be a writer.

    What another worker wrote meanwhile is left alone, so that judging twice does no harm.
    """
    lock_registry(session)
    by_id = {one.work.id: one for one in verdicts}
    unjudged = session.scalars(_UNJUDGED, {"ids": list(by_id)}).all()
    erased = set(session.scalars(_ERASED, {"ids": list(by_id)}))
    current = [row for row in unjudged if not _changed_meanwhile(session, row, by_id[row.id], erased, now)]
    rows = erase_awaited(session, current, now)
    if not rows:
        return
    take_awaited(session, rows)
    _write_findings(session, [by_id[row.id] for row in rows])
    write_restrictions(session, _list_bypassing(rows, by_id))
    related = find_related(session, rows)
    _apply_alone(session, [(row, by_id[row.id]) for row in rows if row.id not in related], now)
    for row in rows:
        if row.id in related:
            _write_facts(session, row, by_id[row.id], now)
            verdict = by_id[row.id]
            standings = settle_family(session, row, read_contribution(row, verdict), now, verdict.work.seal)
            fold_entities(session, [Said(row, verdict.entities)], standings, now)
    session.flush()
    write_answers(session, [_told(row, by_id[row.id]) for row in rows if by_id[row.id].rows and not row.is_draft])
    add_rows(session.connection(), SubmissionEvent, [_event_row(row, by_id[row.id], now) for row in rows])


def _list_bypassing(rows: Sequence[Submission], verdicts: Mapping[int, Verdict]) -> dict[int, bool]:
    said = {row.id: verdicts[row.id].bypasses for row in rows if can_bypass(row.form_id)}
    return {key: bypasses for key, bypasses in said.items() if bypasses is not None}


def _told(row: Submission, verdict: Verdict) -> Told:
    return row.id, row.form_id, verdict.rows, verdict.work.definition


def _changed_meanwhile(
    session: Session, row: Submission, verdict: Verdict, erased: Collection[int], now: datetime
) -> bool:
    """Whether what was judged is no more: its answers were erased, or the last file of an encrypted record came.

    Then it is judged once more.
    """
    changed = (row.id in erased and verdict.work.xml != b"") or (
        verdict.reason == FILES_AWAITED and not expect_files(session, row.id, verdict.files, now)
    )
    if changed:
        row.next_attempt_at, row.attempts = None, 0
    return changed


def record_failure(session: Session, work: Work, error: Exception, now: datetime) -> None:
    """Note that processing broke; after five tries the submission waits for a human and blocks nobody."""
    # Before the record, as apply_verdicts does: two who each held one of them would wait for each other.
    lock_registry(session)
    submission = session.get_one(Submission, work.id, populate_existing=True, with_for_update=True)
    if work.xml and session.get(Erasure, work.id) is not None:
        # What broke is no more, and may not be told any more. What breaks after the erasure counts as any other.
        submission.next_attempt_at, submission.attempts = None, 0
        return
    if work.attempts >= MAX_ATTEMPTS:
        submission.processed_at, submission.reason = now, "processing_failed"
        submission.next_attempt_at, submission.attempts = None, 0
        told = Said(submission, read_unread_changes(work.xml))
        fold_entities(session, [told], {submission.id: Standing(submission.instance_id)}, now)
    refresh_state(submission)
    details = {"attempt": work.attempts, "error": type(error).__name__}
    session.add(SubmissionEvent(submission_id=work.id, at=now, kind="failed", details=details))
    session.flush()
    # The error's text may quote an answer; its type may not.
    log.error("processing submission %s failed: %s, attempt %s", work.id, details["error"], work.attempts)


def _next_attempt(now: datetime) -> ColumnElement[datetime]:
    waits = {tried: now + delay for tried, delay in enumerate(DELAYS)}
    return case(waits, value=Submission.attempts, else_=now + DELAYS[-1])


@dataclass(slots=True)
class _Desk:
    """Gathers the work of one batch."""

    session: Session
    store: AttachmentStore
    keys: PrivateKeys
    lists: ListFiles
    versions: dict[tuple[str, str, bool], FormVersion | None] = field(default_factory=dict)

    def prepare(self, row: Submission) -> Work:
        version = self._find_version(row)
        facts, seal = _list_facts(row), make_seal(self.store, row, self.keys)
        if version is None:
            known = self.session.scalar(select(Form.id).where(Form.form_id == row.form_id))
            return Work(*facts, reason="unknown_version" if known else "unknown_form", seal=seal)
        if row.attempts > MAX_ATTEMPTS:
            # No try came to an end: the record takes the worker down with it.
            return Work(*facts, version.id, reason="processing_failed", seal=seal)
        definition = get_definition(self.session, version)
        lists = self.lists.load(version, self._find_filling(row, version, definition))
        return Work(*facts, version.id, definition, lists, _came_too_late(row, version), seal)

    def _find_version(self, row: Submission) -> FormVersion | None:
        key = (row.form_id, row.version, row.is_draft)
        if key not in self.versions:
            self.versions[key] = find_form_version(self.session, *key)
        return self.versions[key]

    def _find_filling(self, row: Submission, version: FormVersion, definition: FormDefinition) -> Filling | None:
        """When and where the record was filled: asked only where a list may have changed since."""
        if row.device is None or not any(one.server_made for one in version.attachments):
            return None
        try:
            times = read_times(definition, read_record(row, definition, self.store, self.keys))
        except FormsError:
            # What cannot be read, or not yet be opened, is judged as such; its lists prove nothing.
            return None
        begun, ended = to_utc(times.start), to_utc(times.end)
        began = begun or ended or _LONG_AGO
        return Filling(row.device, version, began, ended or begun or row.received_at)


def _came_too_late(row: Submission, version: FormVersion) -> str | None:
    late = version.closed_at is not None and row.received_at > version.closed_at
    return "closed_form" if late and row.decision != "accept" else None


def _apply_alone(session: Session, judged: Sequence[tuple[Submission, Verdict]], now: datetime) -> None:
    """Records without twins and edits, all at once: nearly all records, nearly always."""
    if not judged:
        return
    for row, verdict in judged:
        _write_facts(session, row, verdict, now)
        row.waits_for = row.superseded_by_id = None
        refresh_state(row)
    session.flush()
    counting = [read_contribution(row, verdict) for row, verdict in judged if does_count(row)]
    fold_family(session, [row.id for row, _ in judged], counting, now)
    said = [Said(row, verdict.entities) for row, verdict in judged]
    fold_entities(session, said, {row.id: Standing(row.instance_id, counts=does_count(row)) for row, _ in judged}, now)


def does_count(row: Submission) -> bool:
    """Whether a record that stands alone speaks for itself, by its state."""
    return row.state in {"merged", "incomplete"} and not row.is_draft


def read_contribution(row: Submission, verdict: Verdict) -> Contribution:
    """What a judged submission says about persons and encounters."""
    return Contribution(
        row.id, row.form_id, row.instance_id, row.site_id, row.ended_at, verdict.persons, verdict.encounters
    )


def _write_findings(session: Session, verdicts: Sequence[Verdict]) -> None:
    connection = session.connection()
    connection.execute(_FORGET_FINDINGS, {"ids": [one.work.id for one in verdicts]})
    rows = [_finding_row(one.work.id, finding) for one in verdicts for finding in one.findings]
    add_rows(connection, SubmissionFinding, rows)


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


def _write_facts(session: Session, row: Submission, verdict: Verdict, now: datetime) -> None:
    if verdict.files and row.form_version_id is None:
        # Intake did not know the form, and so could not know which answers name files.
        expect_files(session, row.id, verdict.files, now)
    row.processed_at, row.next_attempt_at, row.attempts = now, None, 0
    row.reason, row.locked, row.error_count = verdict.reason, verdict.locked, verdict.error_count
    row.form_version_id = verdict.work.version_id
    row.started_at, row.ended_at = verdict.started_at, verdict.ended_at
    _prove_clock(session, row)


def _prove_clock(session: Session, row: Submission) -> None:
    """Only a clock that is ahead can be proven: a record may wait for days, but never ends after its receipt."""
    ended = row.ended_at
    if ended and row.device_id and ended - row.received_at > CLOCK_TOLERANCE:
        record_clock(session, row.device_id, min(int((ended - row.received_at).total_seconds()), _LONGEST))


def _event_row(row: Submission, verdict: Verdict, now: datetime) -> dict[str, Any]:
    errors = verdict.error_count
    details = {"state": row.state, "errors": errors, "warnings": len(verdict.findings) - errors}
    if row.deprecated_id is not None and row.state in {"merged", "incomplete"} and row.superseded_by_id is None:
        details["edit"] = True
    return {"submission_id": row.id, "at": now, "kind": "judged", "details": details}
