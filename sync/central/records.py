"""Records of a peer: those that are new or changed there since we last looked, with edits, files and review states.

A record goes through the same intake as a tablet's, bytes first. It is noted as read only when all of it is here, so
that an exchange may break at any byte: the next one begins with what is missing, and what came twice counts once.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from forms.submission import attachment_names, parse_submission
from sync.central.bin import ask_restored, list_binned
from sync.central.bridge import Bridge, Step, read_moment
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.models import Blob, Erasure, PeerForm, PeerRecord, Submission, SubmissionAttachment, SubmissionSender
from sync.parts import IncomingFile, find_carried
from sync.peer_answers import PeerError
from sync.publishing import find_form_version, get_definition
from sync.reviews import change_review_state

# What was being written there while we read shows up with a time that lies before the newest that we saw.
OVERLAP = timedelta(minutes=10)
_PAGE = 250
_FILES = "/attachments"
# For so long after its last change a record's missing files are asked for.
_LATE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the peer's table: how a record stands there."""

    form_id: str
    instance_id: str
    changed_at: datetime
    edits: int
    files: int
    review_state: str | None


@dataclass(slots=True)
class _Reading:
    """How far a form was read: up to the newest line, but not beyond one that could not be taken."""

    newest: datetime | None = None
    failed: list[datetime] = field(default_factory=list)

    def see(self, told: Told) -> None:
        self.newest = max(told.changed_at, self.newest or told.changed_at)

    def read_until(self) -> datetime | None:
        return min([*self.failed, self.newest]) if self.newest else None


def find_new_records(bridge: Bridge, form_id: str) -> Iterator[Step]:
    """A step for each record of this form that is not here as it stands there, and one that notes how far we came."""
    reading = _Reading()
    table = bridge.client.path("forms/{form}.svc/Submissions", form=form_id)
    form = bridge.ours.read(lambda session: session.get(PeerForm, (bridge.peer.id, form_id)))
    binned = list_binned(bridge, form_id)
    restored = ask_restored(bridge, form_id, sorted({*(form.binned if form else ())} - {*binned}))
    for lines in chain(bridge.client.list_rows(table, **_since(form)), restored):
        page = [_read_line(form_id, one) for one in lines]
        ids = [one.instance_id for one in page]
        known = bridge.ours.read(partial(_find_known, peer_id=bridge.peer.id, form_id=form_id, instance_ids=ids))
        for told in page:
            reading.see(told)
            yield from _find_steps(bridge, told, known.get(told.instance_id), reading)
    yield Step("", form_id, lambda: _note_reading(bridge, form_id, reading, binned))


def find_late_files(bridge: Bridge, form_id: str) -> Iterator[Step]:
    """A step for each record that still awaits files of which the peer has one: their coming changes no time there."""
    awaiting = bridge.ours.read(partial(_list_awaiting, bridge=bridge, form_id=form_id))
    for known, version in awaiting:
        told = Told(form_id, known.instance_id, known.changed_at, known.edits, known.files, known.review_state)
        pull = partial(_pull_late_files, bridge, told, version, known)
        try:
            if _list_new_files(bridge, told, version, known.submission_id):
                yield Step("files_in", told.instance_id, pull)
        except PeerError as error:
            if error.is_lasting:
                raise
            yield Step("", told.instance_id, pull, problem=error)


def _pull_late_files(bridge: Bridge, told: Told, version: str, known: PeerRecord) -> None:
    _pull_files(bridge, told, version, known.submission_id)
    present = sum(bool(one.get("exists")) for one in _ask_files(bridge, told, version))
    noted = update(PeerRecord).where(PeerRecord.id == known.id).values(files=present)
    bridge.ours.write(lambda session: session.execute(noted))


def _list_awaiting(session: Session, bridge: Bridge, form_id: str) -> list[tuple[PeerRecord, str]]:
    query = (
        select(PeerRecord, Submission.instance_id)
        .join(Submission, Submission.id == PeerRecord.submission_id)
        .where(PeerRecord.peer_id == bridge.peer.id, PeerRecord.form_id == form_id, Submission.missing_files > 0)
        .where(PeerRecord.changed_at > bridge.clock() - _LATE)
    )
    return [(known, version) for known, version in session.execute(query)]


def _since(form: PeerForm | None) -> dict[str, Any]:
    asked: dict[str, Any] = {"$select": "__id,__system", "$top": _PAGE}
    if form is not None:
        at = (form.read_until - OVERLAP).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        asked["$filter"] = f"__system/submissionDate ge {at} or __system/updatedAt ge {at}"
    return asked


def _read_line(form_id: str, line: dict[str, Any]) -> Told:
    try:
        system = line["__system"]
        moments = [read_moment(system[name]) for name in ("submissionDate", "updatedAt") if system.get(name)]
        files, edits = int(system["attachmentsPresent"]), int(system["edits"])
        return Told(form_id, str(line["__id"]), max(moments), edits, files, system.get("reviewState"))
    except (KeyError, TypeError, ValueError) as error:
        raise PeerError("peer_confused") from error


def _find_known(session: Session, peer_id: int, form_id: str, instance_ids: Sequence[str]) -> dict[str, PeerRecord]:
    of_form = and_(PeerRecord.peer_id == peer_id, PeerRecord.form_id == form_id)
    rows = session.scalars(select(PeerRecord).where(of_form, PeerRecord.instance_id.in_(instance_ids)))
    return {one.instance_id: one for one in rows}


def _find_steps(bridge: Bridge, told: Told, known: PeerRecord | None, reading: _Reading) -> Iterator[Step]:
    if known is None or known.is_stale or (known.edits, known.files) != (told.edits, told.files):
        yield Step("records_in", told.instance_id, lambda: _try(reading, told, partial(_pull, bridge, told)))
    elif known.review_state != told.review_state:
        yield Step("reviews_in", told.instance_id, lambda: _try(reading, told, partial(_pull_review, bridge, told)))


def _try(reading: _Reading, told: Told, pull: Callable[[], None]) -> None:
    try:
        pull()
    except Exception:
        reading.failed.append(told.changed_at)
        raise


def _note_reading(bridge: Bridge, form_id: str, reading: _Reading, binned: list[str]) -> None:
    until = reading.read_until()

    def note(session: Session) -> None:
        known = session.get(PeerForm, (bridge.peer.id, form_id))
        if known is None and until is not None:
            session.add(PeerForm(peer_id=bridge.peer.id, form_id=form_id, read_until=until, binned=binned))
        elif known is not None:
            known.read_until, known.binned = until or known.read_until, binned

    bridge.ours.write(note)


def _pull(bridge: Bridge, told: Told) -> None:
    versions = _list_versions(bridge, told)
    bodies = [(name, _fetch_xml(bridge, told, name)) for name in versions]

    # An earlier version may have files though the present one has none.
    has_files = bool(told.files or told.edits)

    def receive(session: Session) -> dict[str, int]:
        rows = {name: _receive(session, bridge, told.form_id, xml) for name, xml in bodies}
        if not has_files:
            _note(session, bridge, told, rows[versions[-1]])
        return rows

    rows = bridge.ours.write(receive)
    if has_files:
        for name, submission_id in rows.items():
            _pull_files(bridge, told, name, submission_id)
        bridge.ours.write(lambda session: _note(session, bridge, told, rows[versions[-1]]))


def _list_versions(bridge: Bridge, told: Told) -> list[str]:
    """The instanceIDs of a record, oldest first; a record without edits has only its own."""
    if not told.edits:
        return [told.instance_id]
    path = bridge.client.path("forms/{f}/submissions/{i}/versions", f=told.form_id, i=told.instance_id)
    # The answer names the newest first. Two edits may have come within one millisecond, so its times tell less.
    return [one["instanceId"] for one in reversed(bridge.client.ask_rows(path, "instanceId"))]


def _version_path(bridge: Bridge, told: Told, version: str, more: str, **names: str) -> str:
    template = f"forms/{{f}}/submissions/{{i}}/versions/{{v}}{more}"
    return bridge.client.path(template, f=told.form_id, i=told.instance_id, v=version, **names)


def _fetch_xml(bridge: Bridge, told: Told, version: str) -> bytes:
    with bridge.client.download(_version_path(bridge, told, version, ".xml")) as content:
        return content.read()


def _receive(session: Session, bridge: Bridge, form_id: str, xml: bytes, files: tuple[IncomingFile, ...] = ()) -> int:
    """Keep a version through the intake that tablets' records go through, and return its row's id."""
    read = parse_submission(xml)
    version = find_form_version(session, form_id, read.version)
    definition = get_definition(session, version) if version else None
    record = IncomingRecord(
        form_id=read.form_id,
        version=read.version,
        instance_id=read.instance_id,
        deprecated_id=read.deprecated_id,
        expected_files=tuple(attachment_names(read, definition)),
        form_version_id=version.id if version else None,
    )
    upload = Upload(xml, hashlib.sha256(xml).hexdigest(), files)
    sender = Sender(None, bridge.peer.site_id, bridge.peer.actor_id)
    receipt = receive_submission(session, record, upload, sender, bridge.clock())
    if receipt.kind != "repeat":
        session.merge(SubmissionSender(submission_id=receipt.submission_id, actor_id=bridge.peer.actor_id))
    return receipt.submission_id


def _pull_files(bridge: Bridge, told: Told, version: str, submission_id: int) -> None:
    """Fetch the files of a version that are not here, each kept as soon as it is whole; none of what was erased."""
    if bridge.ours.read(lambda session: session.get(Erasure, submission_id)) is not None:
        return
    add = partial(_add_file, bridge=bridge, submission_id=submission_id)
    for name in _list_new_files(bridge, told, version, submission_id):
        with bridge.client.download(_file_path(bridge, told, version, name)) as content:
            stored = bridge.store.save(content)
        bridge.ours.write(partial(add, name=name, stored=stored))
    # An edit has its original's files at once; one there may be another under the same name.
    for name, blob in bridge.ours.read(partial(_list_carried, submission_id=submission_id)).items():
        with bridge.client.download_other(_file_path(bridge, told, version, name), (blob.md5, blob.sha256)) as other:
            changed = bridge.store.save(other) if other is not None else None
        if changed is not None:
            bridge.ours.write(partial(add, name=name, stored=changed))


def _file_path(bridge: Bridge, told: Told, version: str, name: str) -> str:
    return _version_path(bridge, told, version, f"{_FILES}/{{n}}", n=name)


def _list_carried(session: Session, submission_id: int) -> dict[str, Blob]:
    carried = find_carried(session.connection(), submission_id)
    return {name: session.get_one(Blob, sha256) for name, sha256 in carried.items()}


def _list_new_files(bridge: Bridge, told: Told, version: str, submission_id: int) -> list[str]:
    listed = _ask_files(bridge, told, version)
    here = bridge.ours.read(partial(_list_files, submission_id=submission_id))
    return [one["name"] for one in listed if one.get("exists") and one["name"] not in here]


def _ask_files(bridge: Bridge, told: Told, version: str) -> list[dict[str, Any]]:
    return bridge.client.ask_rows(_version_path(bridge, told, version, _FILES), "name")


def _list_files(session: Session, submission_id: int) -> set[str]:
    mine = select(SubmissionAttachment.name).where(SubmissionAttachment.submission_id == submission_id)
    return set(session.scalars(mine.where(SubmissionAttachment.blob_sha256.is_not(None))))


def _add_file(session: Session, bridge: Bridge, submission_id: int, name: str, stored: Any) -> None:
    row = session.get_one(Submission, submission_id)
    _receive(session, bridge, row.form_id, row.xml, (IncomingFile(name, None, stored),))


def _pull_review(bridge: Bridge, told: Told) -> None:
    def take(session: Session) -> None:
        known = _find_known(session, bridge.peer.id, told.form_id, [told.instance_id])[told.instance_id]
        _note(session, bridge, told, known.submission_id)

    bridge.ours.write(take)


def _note(session: Session, bridge: Bridge, told: Told, submission_id: int) -> None:
    """All of the record is here: note how it stands there, and take over what somebody said about it there."""
    known = _find_known(session, bridge.peer.id, told.form_id, [told.instance_id]).get(told.instance_id)
    if known is None:
        known = PeerRecord(peer_id=bridge.peer.id, form_id=told.form_id, instance_id=told.instance_id, edits=0)
        session.add(known)
    before = known.review_state
    if known.submission_id != submission_id:
        known.judged_at = known.told_sha256 = None
    known.submission_id, known.changed_at, known.is_stale = submission_id, told.changed_at, False
    known.edits, known.files, known.review_state = told.edits, told.files, told.review_state
    session.flush()
    if told.review_state != before:
        _take_review(session, bridge, session.get_one(Submission, submission_id), before, told.review_state)


def _take_review(
    session: Session, bridge: Bridge, submission: Submission, before: str | None, state: str | None
) -> None:
    """What somebody decided here stands: it will be told to the peer. `edited` says only what we see ourselves."""
    decided = {"accept": "approved", "reject": "rejected"}.get(submission.decision or "")
    if state == "edited" or decided not in (None, before) or decided == state:
        return
    reason = f"{state or 'reviewed'}: {bridge.peer.name}"
    change_review_state(session, submission, state, bridge.peer.actor_id, reason, bridge.clock())
