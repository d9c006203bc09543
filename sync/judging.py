"""What one submission says, held against its form version: everything that asks no database and takes no lock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from forms.definition import FormDefinition
from forms.entities import EntityChange, read_entity_changes
from forms.errors import Finding, FormsError
from forms.lists import HeldLists
from forms.records import Encounter, PersonRecord, read_encounters, read_person_records, read_times
from forms.submission import Submission, attachment_names, parse_submission
from forms.validation import validate_submission


@dataclass(frozen=True, slots=True)
class Work:
    """One submission to judge, with all that judging needs. `reason` is why it waits, whatever it says."""

    id: int
    xml: bytes
    received_at: datetime
    language: str
    attempts: int = 1
    version_id: int | None = None
    definition: FormDefinition | None = None
    lists: HeldLists = field(default_factory=HeldLists)
    reason: str | None = None


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

    @property
    def error_count(self) -> int:
        return sum(one.grade == "error" for one in self.findings)


def judge(work: Work) -> Verdict:
    """Hold one submission against its form; pure."""
    if work.definition is None:
        return Verdict(work, reason=work.reason)
    try:
        submission = parse_submission(work.xml)
    except FormsError:
        return Verdict(work, reason="unreadable")
    files = attachment_names(submission, work.definition)
    if submission.envelope is not None:
        return Verdict(work, reason=work.reason, files=files, locked=True)
    return _judge_plain(work, work.definition, submission, files)


def _judge_plain(work: Work, definition: FormDefinition, submission: Submission, files: Sequence[str]) -> Verdict:
    times = read_times(definition, submission)
    return Verdict(
        work,
        reason=work.reason,
        findings=validate_submission(
            definition, submission, work.lists, received_at=work.received_at, language=work.language
        ),
        files=files,
        persons=read_person_records(definition, submission),
        encounters=read_encounters(definition, submission),
        entities=read_entity_changes(definition, submission),
        started_at=to_utc(times.start),
        ended_at=to_utc(times.end),
    )


def to_utc(moment: datetime | None) -> datetime | None:
    """The same moment in UTC, or None for one that UTC's calendar does not hold (1 January of year 1 in the east)."""
    try:
        return moment.astimezone(UTC) if moment is not None else None
    except OverflowError:
        return None
