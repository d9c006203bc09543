"""What goes up: a relay tells of its records, tablets and decisions, and the centre takes them in.

The centre keeps a record by the rules of the intake, under the tablet that brought it to the relay.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from forms.submission import SubmissionRefused, attachment_names, parse_submission
from sync.attachments import StoredFile
from sync.awaited_files import await_files
from sync.devices import add_device, change_device_state, find_device
from sync.entity_rows import read_slot
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.journal import IssuedFact, read_facts, write_line
from sync.models import (
    DEVICE_STATES,
    Blob,
    Device,
    Erasure,
    Relay,
    RelayedDevice,
    RelayedRecord,
    Site,
    Submission,
    SubmissionAttachment,
)
from sync.numbering import slot_of
from sync.parts import IncomingFile, fit
from sync.policy import programme
from sync.publishing import find_form_version, get_definition
from sync.registry import lock_registry
from sync.relaying.belonging import as_sender, find_record, find_relayed, give_site, is_theirs
from sync.relaying.erasures import hear_erased
from sync.relaying.facts import take_facts
from sync.relaying.lines import (
    DeviceLine,
    FactLine,
    Line,
    ReceiptLine,
    RecordLine,
    RelayLine,
    RelayRefused,
    of_kind,
    receipt_for,
)
from sync.relaying.pieces import count_held
from sync.relaying.receipts import CENTRE, list_untold
from sync.relaying.taking import take_each
from sync.relaying.words import Word, describe_erased, list_words, take_erased, take_word

_AT_ONCE = 200


@dataclass(slots=True)
class Taken:
    """What the centre answers: receipts, and the contents that it lacks: records whole, files from some byte on."""

    receipts: list[ReceiptLine] = field(default_factory=list)
    records: list[str] = field(default_factory=list)  # SHA-256
    files: dict[str, int] = field(default_factory=dict)  # SHA-256 → bytes of it that are here


def list_up(session: Session) -> Iterator[Line]:
    """Everything that the centre has not taken: facts first, so that records are judged by them, then tablets, then
    records, urgent forms before others and the oldest first, and last what people say of them.
    """
    for lines in (_list_facts(session), _list_devices(session), list_records(session), list_words(session)):
        yield from list_untold(session, CENTRE, lines)


def list_waiting(session: Session) -> Iterator[RecordLine]:
    """The records that the centre has not taken whole."""
    yield from of_kind(list_untold(session, CENTRE, list_records(session)), RecordLine)


def describe_relay(session: Session, waiting: Sequence[RecordLine], now: datetime) -> RelayLine:
    """What is told of the relay as a whole."""
    oldest = min((one.received_at for one in waiting), default=None)
    return RelayLine(now, read_slot(session), len(waiting), oldest, erases=True, heeds=True)


def list_records(session: Session) -> Iterator[RecordLine]:
    """Every record of this relay with its files, urgent forms before others, and the oldest first."""
    urgent = [one.form_id for one in programme().forms.values() if one.urgent]
    found = select(Submission).options(selectinload(Submission.attachments), selectinload(Submission.device))
    found = found.where(Submission.is_draft.is_(False)).execution_options(yield_per=_AT_ONCE)
    codes = {row.id: row.code for row in session.execute(select(Site.id, Site.code))}
    sizes = {row.sha256: row.size for row in session.execute(select(Blob.sha256, Blob.size))}
    erasures = {one.submission_id: one for one in session.scalars(select(Erasure))}
    order = (Submission.form_id.in_(urgent).desc(), Submission.received_at, Submission.id)
    for row in session.scalars(found.order_by(*order)):
        yield _describe_record(row, codes, sizes, erasures.get(row.id))


def _describe_record(
    row: Submission, codes: dict[int, str], sizes: dict[str, int], erasure: Erasure | None
) -> RecordLine:
    held = sorted((one for one in row.attachments if one.blob_sha256), key=lambda one: one.name)
    return RecordLine(
        form_id=row.form_id,
        version=row.version,
        instance_id=row.instance_id,
        xml_sha256=row.xml_sha256,
        received_at=row.received_at,
        device=row.device.name if row.device else None,
        site=codes.get(row.site_id or 0),
        collect_id=row.collect_id,
        user_agent=row.user_agent,
        files=[(one.name, one.content_type, one.blob_sha256 or "", sizes[one.blob_sha256 or ""]) for one in held],
        erased=describe_erased(row, erasure) if erasure is not None else None,
    )


def _list_facts(session: Session) -> Iterator[FactLine]:
    """The journal, but for what the centre itself numbered, models, and erasures: they go with their records."""
    slot = read_slot(session)
    for fact in read_facts(session):
        if not isinstance(fact, IssuedFact) or slot_of(fact.number) == slot:
            yield FactLine(write_line(fact))


def _list_devices(session: Session) -> Iterator[DeviceLine]:
    for one in session.scalars(select(Device).order_by(Device.id)):
        yield DeviceLine(
            device=one.name,
            site=one.site.code,
            state=one.state,
            language=one.language,
            state_changed_at=one.state_changed_at,
            last_contact_at=one.last_contact_at,
            last_contact_kind=one.last_contact_kind,
            last_submission_at=one.last_submission_at,
            collect_version=one.collect_version,
            obeys=one.obeyed_at,
        )


def hear_relay(relay: Relay, told: RelayLine, now: datetime) -> None:
    """Note what a relay says of itself, unless it is older than what was heard already (a late bundle)."""
    if told.number != relay.number:
        raise RelayRefused("relay_number", number=relay.number)
    relay.heard_at = now
    told_at, oldest_at = min(told.at, now), _at_latest(told.oldest_at, now)
    if relay.told_at is None or relay.told_at <= told_at:
        relay.told_at = told_at
        oldest = oldest_at.isoformat() if oldest_at else None
        understood = {"erases": told.erases, "heeds": told.heeds}
        relay.told = relay.told | {"waiting": told.waiting, "oldest_at": oldest, **understood}


def take_up(session: Session, relay: Relay, lines: Sequence[Line], now: datetime) -> Taken:
    """Take in what a relay tells; in any order, and twice is once. What is not whole here gets no receipt yet.

    Raises RelayRefused for a relay that numbers entities as somebody else does.
    """
    for told in of_kind(lines, RelayLine):
        hear_relay(relay, told, now)
    if any(one.erased is not None for one in of_kind(lines, RecordLine)):
        # Before the rows of records, as whoever erases one does: else two could wait for each other.
        lock_registry(session)
    take_facts(session, relay, of_kind(lines, FactLine), now)
    for device in of_kind(lines, DeviceLine):
        _take_device(session, relay, device, now)
    taken = Taken([receipt_for(one) for one in lines if isinstance(one, FactLine | DeviceLine)])
    for record in of_kind(lines, RecordLine):
        if _take_record(session, relay, record, taken, now):
            taken.receipts.append(receipt_for(record))
    words = [one for one in lines if isinstance(one, Word)]
    taken.receipts += [receipt_for(one) for one in words if take_word(session, relay, one, now)]
    return taken


def take_up_each(session: Session, relay: Relay, lines: Sequence[Line], now: datetime) -> tuple[Taken, list[str]]:
    """The same, but that a line which is refused stops no other; return a code for each of those, too."""
    parts, refused = take_each(session, lines, lambda some: take_up(session, relay, some, now))
    taken = Taken()
    for part in parts:
        taken.receipts += part.receipts
        taken.records += part.records
        taken.files |= part.files
    return taken, refused


def _take_device(session: Session, relay: Relay, line: DeviceLine, now: datetime) -> None:
    site = give_site(session, relay, line.site)
    known = session.get(RelayedDevice, (relay.site_id, line.device))
    if known is None:
        name = line.device
        while find_device(session, name) is not None:
            name = fit(f"{name} ({relay.site.code})")
        known = RelayedDevice(
            relay_id=relay.site_id,
            name=line.device,
            device=add_device(session, site, name, line.language, now),
            state_changed_at=now,
            taken_at=now,
        )
        session.add(known)
    _take_state(session, known, line, now)
    device = known.device
    device.site, device.collect_version = site, line.collect_version
    device.last_contact_at, device.last_contact_kind = _at_latest(line.last_contact_at, now), line.last_contact_kind
    device.last_submission_at = _at_latest(line.last_submission_at, now)
    session.flush()


def _take_state(session: Session, known: RelayedDevice, line: DeviceLine, now: datetime) -> None:
    """Let a tablet be in the state that it was given at the post since we heard of it.

    The two clocks are not compared: one of them may be years off. A tablet that was revoked here stays so: whoever
    has it may be at the post; what the post revoked, the post may also take back.
    """
    device = known.device
    if line.state not in DEVICE_STATES:
        raise RelayRefused("relay_state")
    is_news = known.state_changed_at not in (None, line.state_changed_at) and line.state != device.state
    # What the post did at our word undoes no later word of ours: these two moments are both by our clock.
    is_echo = line.obeys is not None and line.obeys <= device.state_changed_at
    if is_news and not is_echo and (device.state != "revoked" or is_theirs(known)):
        change_device_state(session, device, line.state, min(line.state_changed_at, now))
        known.taken_at = device.state_changed_at
    known.state_changed_at = line.state_changed_at


def _at_latest(moment: datetime | None, now: datetime) -> datetime | None:
    """A moment by the clock of a post, which may go fast: what happened there is never after we heard of it."""
    return min(moment, now) if moment is not None else None


def _take_record(session: Session, relay: Relay, line: RecordLine, taken: Taken, now: datetime) -> bool:
    """Note the record; say whether it is here with all its files, else add to what is lacking."""
    named = line.xml_sha256, line.form_id, line.instance_id
    known = find_relayed(session, relay, *named) or _add_relayed(session, relay, line)
    if known.submission_id is None and (record := find_record(session, *named)) is not None:
        known.submission_id = record.id
    if line.erased is not None:
        known.submission_id = take_erased(session, relay, known, line, line.erased, now)
    elif known.submission_id is None:
        taken.records.append(line.xml_sha256)
        return False
    if line.files:
        # An erasure that is under way is waited for, and seen by the next statement; a later one waits for us.
        session.execute(select(Submission.id).where(Submission.id == known.submission_id).with_for_update())
    # Of what was erased, here or there, nothing is asked for any more.
    erasure = session.get(Erasure, known.submission_id)
    if erasure is not None:
        hear_erased(session, known, erasure, is_erased=line.erased is not None)
        return True
    return _take_files(session, known, line, taken, now)


def _add_relayed(session: Session, relay: Relay, line: RecordLine) -> RelayedRecord:
    device = session.get(RelayedDevice, (relay.site_id, line.device)) if line.device else None
    added = RelayedRecord(
        relay_id=relay.site_id,
        form_id=line.form_id,
        instance_id=line.instance_id,
        xml_sha256=line.xml_sha256,
        received_at=line.received_at,
        device_id=device.device_id if device else None,
        site_id=give_site(session, relay, line.site).id,
        collect_id=line.collect_id,
        user_agent=line.user_agent,
    )
    session.add(added)
    session.flush()
    return added


def _take_files(session: Session, known: RelayedRecord, line: RecordLine, taken: Taken, now: datetime) -> bool:
    """Give the record those of its files that are in the store; ask for the others."""
    mine = SubmissionAttachment.submission_id == known.submission_id
    held = {one.name: one.blob_sha256 for one in session.scalars(select(SubmissionAttachment).where(mine))}
    missing = [one for one in line.files if held.get(fit(one[0])) != one[2]]
    # Held, so that nobody lets go of one before it is the record's.
    found = (
        select(Blob).where(Blob.sha256.in_([file[2] for file in missing])).with_for_update(read=True, key_share=True)
    )
    blobs = {one.sha256: one for one in session.scalars(found)}
    here = [
        IncomingFile(name, kind, StoredFile(sha256, blobs[sha256].md5, blobs[sha256].size))
        for name, kind, sha256, _size in missing
        if sha256 in blobs
    ]
    if here:
        _add_files(session, known, here, now)
    lacking = {sha256 for _name, _kind, sha256, _size in missing if sha256 not in blobs}
    if line.files and known.submission_id is not None:
        await_files(session, known.submission_id, lacking)
    taken.files |= {sha256: count_held(session, sha256) for sha256 in lacking}
    return not lacking


def _add_files(session: Session, known: RelayedRecord, files: Sequence[IncomingFile], now: datetime) -> None:
    row = session.get_one(Submission, known.submission_id)
    record = IncomingRecord(row.form_id, row.version, row.instance_id, row.deprecated_id)
    receive_submission(session, record, Upload(row.xml, row.xml_sha256, tuple(files)), as_sender(known), now)


def receive_relayed(session: Session, relay: Relay, xml: bytes, now: datetime) -> Submission:
    """Keep a record that a relay sends, under the tablet and site that it told of before; return its row.

    By the rules of the intake and not those for programs: the tablet has long forgotten it, so nothing is refused.
    """
    record, sha256 = _read_record(session, xml), hashlib.sha256(xml).hexdigest()
    known = find_relayed(session, relay, sha256, record.form_id)
    sender = as_sender(known) if known else Sender(site_id=relay.site_id)
    receipt = receive_submission(session, record, Upload(xml, sha256), sender, now)
    if known is not None:
        known.submission_id = receipt.submission_id
    session.flush()
    return session.get_one(Submission, receipt.submission_id)


def _read_record(session: Session, xml: bytes) -> IncomingRecord:
    try:
        read = parse_submission(xml)
    except SubmissionRefused:
        return IncomingRecord(form_id="", version="", instance_id=None)
    version = find_form_version(session, read.form_id, read.version)
    definition = get_definition(session, version) if version else None
    return IncomingRecord(
        form_id=read.form_id,
        version=read.version,
        instance_id=read.instance_id,
        deprecated_id=read.deprecated_id,
        expected_files=tuple(attachment_names(read, definition)),
        form_version_id=version.id if version else None,
    )
