"""What one submission says, held against its form version: everything that asks no database and takes no lock."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from forms.definition import FormDefinition
from forms.encryption import EncryptionRefused
from forms.entities import EntityChange, read_entity_changes, read_unread_changes
from forms.entity_claims import read_entity_claims
from forms.errors import Finding, FormsError
from forms.lists import HeldLists
from forms.records import Encounter, PersonRecord, read_encounters, read_person_records, read_times
from forms.submission import Envelope, Submission, attachment_names, parse_submission
from forms.tables import TableRow, flatten
from forms.validation import validate_submission
from sync.bypassing import does_bypass
from sync.sealing import Seal, open_sealed
from sync.states import FILES_AWAITED

_EARLIEST, _LATEST = 1900, 2999


@dataclass(frozen=True, slots=True)
class Retained:
    """What is left to say of a submission whose XML was erased (erasure.py)."""

    findings: Sequence[Finding] = ()
    persons: Sequence[PersonRecord] = ()
    encounters: Sequence[Encounter] = ()
    entities: Sequence[EntityChange] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One submission to judge, with all that judging needs. `reason` is why it waits, whatever it says.

    Without `validates` it is only read anew, and what was found about it stays (rebuilding.py).
    """

    id: int
    xml: bytes
    received_at: datetime
    language: str
    attempts: int = 1
    version_id: int | None = None
    definition: FormDefinition | None = None
    lists: HeldLists = field(default_factory=HeldLists)
    reason: str | None = None
    seal: Seal = field(default_factory=Seal)
    retained: Retained | None = None
    validates: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What judging said. `locked`: it is encrypted, and nobody here holds its key."""

    work: Work
    reason: str | None = None
    locked: bool = False
    findings: Sequence[Finding] = ()
    files: Sequence[str] = ()
    persons: Sequence[PersonRecord] = ()
    encounters: Sequence[Encounter] = ()
    entities: Sequence[EntityChange] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    rows: Sequence[TableRow] = ()  # the answers as tables
    # Whether it bypasses its site, where its form has such a question; what could not be read does. None: as before.
    bypasses: bool | None = True

    @property
    def is_read(self) -> bool:
        """Whether what the submission says could be read, and not only that it is there."""
        known = self.work.retained is not None or self.work.definition is not None
        return known and not self.locked and self.reason not in ("unreadable", FILES_AWAITED)

    @property
    def error_count(self) -> int:
        return sum(one.grade == "error" for one in self.findings)


def judge(work: Work) -> Verdict:
    """Hold one submission against its form; an encrypted one is opened first, which reads its files."""
    if work.retained is not None:
        kept = work.retained
        return Verdict(
            work, work.reason, False, kept.findings, (), kept.persons, kept.encounters, kept.entities,
            kept.started_at, kept.ended_at, bypasses=None,
        )  # fmt: skip
    if work.definition is None:
        return Verdict(work, reason=work.reason, entities=read_unread_changes(work.xml))
    try:
        submission = parse_submission(work.xml)
    except FormsError:
        return Verdict(work, reason="unreadable")
    files = attachment_names(submission, work.definition)
    if submission.envelope is not None:
        return _judge_sealed(work, work.definition, submission.envelope, files)
    # What was sealed is not kept flat beside its seal, so only here.
    return replace(_judge_plain(work, work.definition, submission, files), rows=flatten(submission, work.definition))


def _judge_sealed(work: Work, definition: FormDefinition, envelope: Envelope, files: Sequence[str]) -> Verdict:
    try:
        opened = open_sealed(envelope, work.seal, definition.public_key)
        submission = parse_submission(opened.xml)
    except EncryptionRefused as refused:
        return _cannot_open(work, refused, definition, files)
    except FormsError:
        return Verdict(work, reason="unreadable", files=files)
    if submission.instance_id != envelope.instance_id or submission.envelope is not None:
        return _distrust(work, "sealed_instance_differs", {}, definition, files)
    return _judge_plain(work, definition, submission, files, set(opened.files))


def _cannot_open(work: Work, refused: EncryptionRefused, definition: FormDefinition, files: Sequence[str]) -> Verdict:
    """A key and a file may still come; a record that does not fit its signature is a person's business."""
    if refused.code == "key_missing":
        return Verdict(work, reason=work.reason, files=files, locked=True)
    if refused.code == "file_missing":
        return Verdict(work, reason=FILES_AWAITED, files=files)
    params = {name: str(value) for name, value in refused.params.items()}
    return _distrust(work, refused.code, params, definition, files)


def _distrust(
    work: Work, code: str, params: dict[str, str], definition: FormDefinition, files: Sequence[str]
) -> Verdict:
    finding = Finding(f"/{definition.root}", "structure", "error", code, params)
    return Verdict(work, reason=work.reason, findings=[finding], files=files)


def _judge_plain(
    work: Work,
    definition: FormDefinition,
    submission: Submission,
    files: Sequence[str],
    sealed: set[str] | None = None,
) -> Verdict:
    """Files may still come, and are awaited (parts.py); `sealed` are all that an envelope will ever hold."""
    times = read_times(definition, submission)
    return Verdict(
        work,
        reason=work.reason,
        findings=_validate(work, definition, submission, sealed) if work.validates else (),
        files=files,
        persons=read_person_records(definition, submission),
        encounters=read_encounters(definition, submission),
        entities=[*read_entity_changes(definition, submission), *read_entity_claims(definition, submission)],
        bypasses=does_bypass(definition, submission),
        started_at=to_utc(times.start),
        ended_at=to_utc(times.end),
    )


def _validate(
    work: Work, definition: FormDefinition, submission: Submission, sealed: set[str] | None
) -> Sequence[Finding]:
    return validate_submission(
        definition, submission, work.lists, sealed, received_at=work.received_at, language=work.language
    )


def to_utc(moment: datetime | None) -> datetime | None:
    """The same moment in UTC, or None for one at which no tablet's clock can stand.

    So whatever reckons with moments, be it a lifetime before or after, has room at both ends of the calendar.
    """
    if moment is None or not _EARLIEST <= moment.year <= _LATEST:
        return None
    return moment.astimezone(UTC)
