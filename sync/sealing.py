"""Encrypted submissions: opened where their files and their key are, and released when a key comes.

What is opened is judged and folded, and shown by right; the record in the clear is written nowhere.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from forms.definition import FormDefinition
from forms.encryption import OpenedSubmission, PrivateKeys, holds_key, name_in_clear, open_submission
from forms.submission import Envelope, parse_submission
from forms.submission import Submission as ParsedSubmission
from sync.attachments import AttachmentStore
from sync.models import Submission, SubmissionAttachment
from sync.parts import fit
from sync.publishing import find_form_version, get_definition
from sync.releasing import release_submission


@dataclass(frozen=True, slots=True)
class Seal:
    """What opening an encrypted submission takes: its files that have come, by name, and the keys at hand.

    One that is not encrypted has no files; store and keys are there for those that it replaces.
    """

    store: AttachmentStore | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    keys: PrivateKeys = field(default_factory=dict)


def make_seal(store: AttachmentStore | None, submission: Submission, keys: PrivateKeys) -> Seal:
    """Gather what opening the submission takes; no files for one that is not encrypted."""
    files = submission.attachments if b"encrypted" in submission.xml else ()
    return Seal(store, {one.name: one.blob_sha256 for one in files if one.blob_sha256}, keys)


def open_sealed(envelope: Envelope, seal: Seal, public_key: str | None) -> OpenedSubmission:
    """Return the record and its files in the clear; raise EncryptionRefused."""
    store = seal.store
    found = {name: seal.files[fit(name)] for name in envelope.files if fit(name) in seal.files} if store else {}
    files = {name: store.read(sha256) for name, sha256 in found.items()} if store else {}
    return open_submission(envelope, files, seal.keys, public_key)


def read_record(
    submission: Submission, definition: FormDefinition, store: AttachmentStore, keys: PrivateKeys
) -> ParsedSubmission:
    """Read what a submission says, encrypted or not, for one look at it; raise FormsError where that cannot be."""
    parsed = parse_submission(submission.xml)
    if parsed.envelope is None:
        return parsed
    return parse_submission(_open(parsed.envelope, submission, definition, store, keys).xml)


def read_file(
    submission: Submission,
    file: SubmissionAttachment,
    definition: FormDefinition,
    store: AttachmentStore,
    keys: PrivateKeys,
) -> tuple[str, bytes]:
    """Read a file that has come, and its name, for one look: opened if its record is encrypted; raise FormsError."""
    envelope = parse_submission(submission.xml).envelope
    opened = _open(envelope, submission, definition, store, keys).files if envelope is not None else {}
    name = name_in_clear(file.name)
    return (name, opened[name]) if name in opened else (file.name, store.read(file.blob_sha256 or ""))


def _open(
    envelope: Envelope, submission: Submission, definition: FormDefinition, store: AttachmentStore, keys: PrivateKeys
) -> OpenedSubmission:
    return open_sealed(envelope, make_seal(store, submission, keys), definition.public_key)


def list_unlockable(session: Session, keys: PrivateKeys) -> list[int]:
    """List the locked submissions for which there is a key now; reads only, and takes its time."""
    query = select(Submission.id).where(Submission.locked).order_by(Submission.id)
    return [one for one in session.scalars(query).all() if keys and _has_key(session, one, keys)]


def release_locked(session: Session, ids: Collection[int], actor_id: int | None, now: datetime) -> int:
    """Release these submissions, as far as they are locked still; return how many."""
    query = select(Submission).where(Submission.id.in_(ids), Submission.locked).with_for_update()
    locked = session.scalars(query).all()
    for submission in locked:
        release_submission(session, submission, "key_came", actor_id, now)
    session.flush()
    return len(locked)


def _has_key(session: Session, submission_id: int, keys: PrivateKeys) -> bool:
    submission = session.get_one(Submission, submission_id, options=[undefer(Submission.xml)])
    envelope = parse_submission(submission.xml).envelope
    version = find_form_version(session, submission.form_id, submission.version, submission.is_draft)
    public_key = get_definition(session, version).public_key if version else None
    session.expunge(submission)  # a million locked records must not stay in memory
    return envelope is not None and holds_key(envelope, keys, public_key)
