"""Keep what tablets send, once.

Knows the OpenRosa rules for repeats, twins and edits; the files are parts.py's. Judging and merging come later, in
processing.py. Core statements without objects: hundreds of tablets may ring at dawn, and each waits for its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lxml import etree
from sqlalchemy import Connection, Row, bindparam, func, insert, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from forms.xml import parse_xml
from sync.bypassing import restrict_unread
from sync.freed_files import note_files
from sync.models import Erasure, Submission, SubmissionEvent
from sync.models.submissions import first_or_twin
from sync.parts import (
    IncomingFile,
    add_first_files,
    add_more_files,
    carry_forward,
    count_awaited,
    count_missing,
    fit,
    serve_waiting_edits,
)
from sync.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Upload:
    """One POST: the exact XML, its files, and whether the tablet announced that more parts follow."""

    xml: bytes
    xml_sha256: str
    files: tuple[IncomingFile, ...] = ()
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class IncomingRecord:
    """What the XML says of itself, and what the server knows of its form (None: unknown) before anything is judged."""

    form_id: str
    version: str
    instance_id: str | None
    deprecated_id: str | None = None
    expected_files: tuple[str, ...] = ()
    form_version_id: int | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent it: the tablet and the site where it stood at receipt."""

    device_id: int | None = None
    site_id: int | None = None
    actor_id: int | None = None
    collect_id: str | None = None
    user_agent: str | None = None
    is_draft: bool = False


AnyRow = Row[*tuple[Any, ...]]
ReceiptKind = Literal["new", "repeat", "edit", "twin", "stale_edit"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What intake saw."""

    kind: ReceiptKind
    submission_id: int
    missing_files: int = 0


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One submission on its way in. Form, instanceID and bytes make it the same; tests of a draft are apart."""

    record: IncomingRecord
    upload: Upload
    sender: Sender
    now: datetime
    form_id: str
    instance_id: str
    deprecated_id: str | None

    @property
    def params(self) -> dict[str, Any]:
        return {
            "form_id": self.form_id,
            "instance_id": self.instance_id,
            "deprecated_id": self.deprecated_id,
            "is_draft": self.sender.is_draft,
            "xml_sha256": self.upload.xml_sha256,
        }


def receive_submission(
    session: Session, record: IncomingRecord, upload: Upload, sender: Sender, now: datetime
) -> Receipt:
    """Store a submission so that losing the answer and sending again does no harm.

    New instanceID: stored. Same instanceID, same XML: a repeat, only missing files are added. Same instanceID, other
    XML: a twin, kept beside the first for a supervisor. With a deprecatedID: an edit, stale when the record that it
    names was replaced already. No instanceID: one is made from the bytes, so that a resend is a repeat.
    Nothing is refused for its content.
    """
    arrival = _arrive(record, upload, sender, now)
    connection = session.connection()
    # Most are new, so the insert comes first: the time under SQLite's one write lock is what all others wait for.
    submission_id = _insert_submission(connection, arrival, None)
    if submission_id is not None:
        return _receive_new(session, connection, arrival, submission_id, None)
    # Two requests may race on PostgreSQL: the loser of an insert waits for the winner, and finds its row in the next
    # round.
    known: Sequence[AnyRow] = []
    while True:
        before, known = known, connection.execute(_KNOWN, arrival.params).all()
        same = _find_same(connection, arrival, known)
        if same is not None:
            return _receive_repeat(session, arrival, same)
        first = next((row.id for row in known if row.twin_of_id is None), None)
        # Nobody was faster: it collided with something else than its name. The database shall say with what.
        submission_id = _insert_submission(connection, arrival, first, insist=len(known) == len(before))
        if submission_id is not None:
            return _receive_new(session, connection, arrival, submission_id, first)


def find_repeat(connection: Connection, xml_sha256: str, sender: Sender) -> Receipt | None:
    """Recognise by its bytes alone a record that is here already: the frequent case after a lost answer."""
    row = _SAME.first(connection, {"xml_sha256": xml_sha256, "is_draft": sender.is_draft})
    return _repeat_receipt(row, row.missing_files) if row else None


def count_quarantined(connection: Connection, device_id: int, besides: int) -> dict[str, int]:
    """Count a tablet's records that wait for repair, by form id, but for one: all that an officer is told of them."""
    rows = connection.execute(_QUARANTINED, {"device_id": device_id, "besides": besides})
    return {row.form_id: row.number for row in rows}


def _arrive(record: IncomingRecord, upload: Upload, sender: Sender, now: datetime) -> _Arrival:
    return _Arrival(
        record=record,
        upload=upload,
        sender=sender,
        now=now,
        form_id=fit(record.form_id),
        instance_id=fit(record.instance_id or f"sha256:{upload.xml_sha256}"),
        deprecated_id=fit(record.deprecated_id) if record.deprecated_id else None,
    )


_same_record = (
    (Submission.form_id == bindparam("form_id"))
    & (Submission.is_draft == bindparam("is_draft"))
    & first_or_twin(Submission.instance_id == bindparam("instance_id"))
)
_ROW = select(Submission.id, Submission.xml_sha256, Submission.twin_of_id, Submission.missing_files)
_KNOWN = _ROW.where(_same_record).order_by(Submission.id)
_SAME = Prepared(
    _ROW.where(Submission.xml_sha256 == bindparam("xml_sha256"), Submission.is_draft == bindparam("is_draft"))
)
_QUARANTINED = (
    select(Submission.form_id, func.count().label("number"))
    .where(
        Submission.device_id == bindparam("device_id"),
        Submission.state == literal_column("'quarantined'"),  # spelled out, or SQLite does not see the partial index
        Submission.form_id >= "",
        Submission.id != bindparam("besides"),
    )
    .group_by(Submission.form_id)
)
_ORIGINAL = select(Submission.id, Submission.superseded_by_id).where(
    Submission.form_id == bindparam("form_id"),
    Submission.instance_id == bindparam("deprecated_id"),
    Submission.is_draft == bindparam("is_draft"),
    Submission.twin_of_id.is_(None),
)
_LOCK = select(Submission.missing_files).where(Submission.id == bindparam("id")).with_for_update()
# Asked once the row is locked: a statement that waited for an erasure still sees what was before it.
_ERASED = select(Erasure.submission_id).where(Erasure.submission_id == bindparam("id"))
_INSERT = {
    "sqlite": insert_sqlite(Submission).on_conflict_do_nothing().returning(Submission.id),
    "postgresql": insert_postgresql(Submission).on_conflict_do_nothing().returning(Submission.id),
}
_INSIST = insert(Submission).returning(Submission.id)
_INSERT_EVENT = insert(SubmissionEvent)


def _find_same(connection: Connection, arrival: _Arrival, known: Sequence[AnyRow]) -> AnyRow | None:
    """The row with the same bytes, else with the same canonical XML: another way to write it is no other content.

    What was erased (erasure.py) is known by its hash alone.
    """
    exact = next((row for row in known if row.xml_sha256 == arrival.upload.xml_sha256), None)
    if exact is not None or not known or not arrival.upload.xml:
        return exact
    canonical = _canonical(arrival.upload.xml)
    stored = select(Submission.id, Submission.xml).where(
        Submission.id.in_([row.id for row in known]), Submission.xml != b""
    )
    same = {row.id for row in connection.execute(stored) if _canonical(row.xml) == canonical}
    return next((row for row in known if row.id in same), None)


def _canonical(xml: bytes) -> bytes:
    return bytes(etree.tostring(parse_xml(xml), method="c14n"))


def _insert_submission(
    connection: Connection, arrival: _Arrival, twin_of_id: int | None, *, insist: bool = False
) -> int | None:
    """Insert and return the row's id, or None when another transaction was faster; who insists gets the true error."""
    sender = arrival.sender
    row = {
        **arrival.params,
        "version": fit(arrival.record.version),
        "xml": arrival.upload.xml,
        "twin_of_id": twin_of_id,
        "received_at": arrival.now,
        "device_id": sender.device_id,
        "site_id": sender.site_id,
        "collect_id": fit(sender.collect_id) if sender.collect_id else None,
        "user_agent": fit(sender.user_agent) if sender.user_agent else None,
        "state": "received" if twin_of_id is None else "quarantined",
        "reason": None if twin_of_id is None else "twin",
        "form_version_id": arrival.record.form_version_id,
        "missing_files": count_awaited(arrival.record.expected_files, arrival.upload.files),
    }
    return connection.execute(_INSIST if insist else _INSERT[connection.dialect.name], row).scalar()


def _receive_new(
    session: Session, connection: Connection, arrival: _Arrival, submission_id: int, twin_of_id: int | None
) -> Receipt:
    expected, files = arrival.record.expected_files, arrival.upload.files
    original = _find_original(connection, arrival)
    kind: ReceiptKind = "twin" if twin_of_id is not None else _kind_of(arrival, original)
    _add_event(connection, arrival, submission_id, kind)
    add_first_files(connection, submission_id, expected, files, arrival.now)
    restrict_unread(connection, submission_id, arrival.form_id)
    missing = count_awaited(expected, files)
    if original is not None and carry_forward(connection, original.id, submission_id, arrival.now) and missing:
        missing = count_missing(session, submission_id, arrival.now)
    if twin_of_id is None and files:
        serve_waiting_edits(session, submission_id, arrival.params, arrival.now)
    return Receipt(kind, submission_id, missing)


def _find_original(connection: Connection, arrival: _Arrival) -> AnyRow | None:
    """The record that this one replaces. It may still be on its way: then the edit waits for it (processing.py)."""
    if arrival.deprecated_id is None:
        return None
    return connection.execute(_ORIGINAL, arrival.params).first()


def _kind_of(arrival: _Arrival, original: AnyRow | None) -> ReceiptKind:
    if arrival.deprecated_id is None:
        return "new"
    return "stale_edit" if original is not None and original.superseded_by_id is not None else "edit"


def _receive_repeat(session: Session, arrival: _Arrival, same: AnyRow) -> Receipt:
    """A retry, or the next part of a split submission: every part repeats the whole XML (Collect)."""
    connection = session.connection()
    # On PostgreSQL two parts may come at once; the row lock keeps the count of what is missing true.
    missing = connection.execute(_LOCK, {"id": same.id}).scalar_one()
    files = arrival.upload.files
    if files and connection.execute(_ERASED, {"id": same.id}).first() is not None:
        # Whoever holds the record still sends its files with it. They are here by now, and are to go again.
        note_files(connection, [one.stored.sha256 for one in files])
    elif files and add_more_files(connection, same.id, arrival.record.expected_files, files, arrival.now):
        missing = count_missing(session, same.id, arrival.now)
        serve_waiting_edits(session, same.id, arrival.params, arrival.now)
        _add_event(connection, arrival, same.id, "files")
    return _repeat_receipt(same, missing)


def _repeat_receipt(same: AnyRow, missing: int) -> Receipt:
    kind: ReceiptKind = "repeat" if same.twin_of_id is None else "twin"
    return Receipt(kind, same.id, missing)


def _add_event(connection: Connection, arrival: _Arrival, submission_id: int, what: str) -> None:
    row = {
        "submission_id": submission_id,
        "at": arrival.now,
        "kind": "files_received" if what == "files" else "received",
        "actor_id": arrival.sender.actor_id,
        "details": {"as": what, "files": len(arrival.upload.files), "more_follow": arrival.upload.incomplete},
    }
    connection.execute(_INSERT_EVENT, row)
