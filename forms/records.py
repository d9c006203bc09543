"""What a submission says about people, encounters and time, by the claims that its form makes (`teral:person`…)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from forms.definition import Field, FormDefinition
from forms.submission import Answer, Submission, list_answers
from forms.travel_documents import complete_by_mrz
from forms.values import BadValueError, parse_date, parse_datetime, parse_int

_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What one submission says about one person. `path` is the repeat instance or the root; `position` starts at 1.

    `place` is the path under which the person first stood, where the record is an edit; None where nobody has said.
    """

    path: str
    position: int
    given_names: str | None = None
    family_name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    age: int | None = None
    age_band: str | None = None
    age_basis: str | None = None
    nationality: str | None = None
    birth_place: str | None = None
    mother_name: str | None = None
    phone: str | None = None
    document_type: str | None = None
    document_issuer: str | None = None
    document_number: str | None = None
    language: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Encounter:
    """What one submission says about one encounter with an officer."""

    path: str
    kind: str | None = None
    at: datetime | None = None
    direction: str | None = None
    origin: str | None = None
    destination: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class RecordTimes:
    """When the tablet says that the record was begun, ended and of which day it is."""

    start: datetime | None = None
    end: datetime | None = None
    today: date | None = None


def read_person_records(definition: FormDefinition, submission: Submission) -> list[PersonRecord]:
    """One person record per repeat instance, or one for the record; empty rows give none.

    A person who gives no name and has no papers is a person all the same: sex and an age are enough for a record.
    A machine-readable zone fills in what was not typed, as far as its check digits hold.
    """
    rows = _claimed(list_answers(submission, definition), lambda one: one.person)
    day = _day(read_times(definition, submission)) if any(row.get("mrz") for row in rows.values()) else None
    completed = {path: complete_by_mrz(row, day) for path, row in rows.items()}
    named = [(path, row) for path, row in completed.items() if any(row.values())]
    return [_person(path, position, row) for position, (path, row) in enumerate(named, start=1)]


def read_encounters(definition: FormDefinition, submission: Submission) -> list[Encounter]:
    """One encounter per container whose claimed fields hold anything."""
    rows = _claimed(list_answers(submission, definition), lambda one: one.encounter)
    return [_encounter(path, row) for path, row in rows.items() if any(row.values())]


def read_times(definition: FormDefinition, submission: Submission) -> RecordTimes:
    """The first readable start, end and today that the form has the tablet fill in, wherever they stand."""
    preloaded = {
        one.field.preload: one.text
        for one in reversed(list_answers(submission, definition))
        if one.field is not None and one.field.preload
    }
    return RecordTimes(
        start=_parsed(parse_datetime, preloaded.get("start")),
        end=_parsed(parse_datetime, preloaded.get("end")),
        today=_parsed(parse_date, preloaded.get("today")),
    )


def _claimed(answers: Iterable[Answer], claim: Callable[[Field], str | None]) -> dict[str, dict[str, str]]:
    """The claimed texts by container, in document order."""
    rows: dict[str, dict[str, str]] = {}
    for answer in answers:
        claimed = claim(answer.field) if answer.field else None
        if answer.field is not None and claimed is not None:
            rows.setdefault(_container(answer.path, answer.field), {})[claimed] = answer.text
    return rows


def _container(path: str, field: Field) -> str:
    steps = field.repeat.count("/") if field.repeat else 1
    return "/".join(path.split("/")[: steps + 1])


def _day(times: RecordTimes) -> date | None:
    moment = times.end or times.start
    return times.today or (moment.date() if moment else None)


def _person(path: str, position: int, row: dict[str, str]) -> PersonRecord:
    typed: dict[str, Any] = {name: text or None for name, text in row.items()}
    # A date or an age that cannot be read is a finding of validation; the rest of the record still counts.
    typed["birth_date"] = _parsed(parse_date, row.get("birth_date"))
    typed["age"] = _parsed(parse_int, row.get("age"))
    return PersonRecord(path, position, **typed)


def _encounter(path: str, row: dict[str, str]) -> Encounter:
    typed: dict[str, Any] = {name: text or None for name, text in row.items()}
    typed["at"] = _parsed(parse_datetime, row.get("at"))
    return Encounter(path, **typed)


def _parsed(parse: Callable[[str], _Parsed], text: str | None) -> _Parsed | None:
    try:
        return parse(text) if text else None
    except BadValueError:
        return None
