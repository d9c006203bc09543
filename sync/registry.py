"""The registry: what submissions say about persons and encounters, folded so that order and repetition change nothing.

A person is one record until records are linked. Who may read what is policy.py's and scopes.py's word.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from forms.definition import PERSON_PROPERTIES
from forms.records import Encounter as EncounterValues
from forms.records import PersonRecord as PersonValues
from sync.models import Encounter, Person, PersonRecord, Submission
from sync.parts import fit
from sync.references import make_reference

_ENCOUNTER_VALUES = tuple(one.name for one in fields(EncounterValues) if one.name != "path")


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one submission says. `root_id` is the instanceID with which its chain of edits began."""

    submission_id: int
    form_id: str
    root_id: str
    site_id: int | None
    ended_at: datetime | None
    persons: Sequence[PersonValues] = ()
    encounters: Sequence[EncounterValues] = ()


def fold_family(session: Session, family: Collection[int], contribution: Contribution | None) -> None:
    """Let one submission of a family speak for all of it, or nobody; persons keep their identity across edits."""
    known = _forget(session, family)
    rows = [_person_row(contribution, values) for values in contribution.persons] if contribution else []
    for row in rows:
        row["person_id"] = known.pop(row["reference"], None) or _add_person(session)
    if rows:
        session.execute(insert(PersonRecord), rows)
    if contribution and contribution.encounters:
        session.execute(insert(Encounter), [_encounter_row(contribution, one) for one in contribution.encounters])
    _drop_empty_persons(session, known.values())


def registry_digest(session: Session) -> str:
    """A SHA-256 over persons, their values and encounters: equal on two servers that know the same.

    No row ids and no times of arrival go into it.
    """
    digest = hashlib.sha256()
    for line in sorted([*_person_lines(session), *_encounter_lines(session)]):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _forget(session: Session, family: Collection[int]) -> dict[str, int]:
    """Take the family's records out and return the persons they belonged to, by reference."""
    mine = PersonRecord.submission_id.in_(family)
    known = {row.reference: row.person_id for row in session.execute(_IDENTITIES.where(mine))}
    if known:
        session.execute(delete(PersonRecord).where(mine))
    session.execute(delete(Encounter).where(Encounter.submission_id.in_(family)))
    return known


_IDENTITIES = select(PersonRecord.reference, PersonRecord.person_id)


def _add_person(session: Session) -> int:
    return session.execute(insert(Person).returning(Person.id)).scalar_one()


def _drop_empty_persons(session: Session, ids: Iterable[int]) -> None:
    for person_id in ids:
        others = select(PersonRecord.id).where(PersonRecord.person_id == person_id)
        session.execute(delete(Person).where(Person.id == person_id, ~others.exists()))


def _person_row(contribution: Contribution, values: PersonValues) -> dict[str, Any]:
    return {
        "submission_id": contribution.submission_id,
        "path": values.path,
        "reference": make_reference(contribution.form_id, contribution.root_id, values.path),
        "site_id": contribution.site_id,
        "ended_at": contribution.ended_at,
        **{name: _fitted(PersonRecord, name, getattr(values, name)) for name in PERSON_PROPERTIES if name != "mrz"},
    }


def _encounter_row(contribution: Contribution, values: EncounterValues) -> dict[str, Any]:
    return {
        "submission_id": contribution.submission_id,
        "path": values.path,
        "site_id": contribution.site_id,
        **{name: _fitted(Encounter, name, getattr(values, name)) for name in _ENCOUNTER_VALUES},
    }


def _fitted(model: type[PersonRecord] | type[Encounter], name: str, value: Any) -> Any:
    """A text of the length that its column holds: the whole answer stays in the submission."""
    if not isinstance(value, str):
        return value
    return fit(value)[: model.__table__.c[name].type.length]  # type: ignore[attr-defined]


def _person_lines(session: Session) -> Iterable[str]:
    rows = session.execute(select(PersonRecord, Submission.form_id).join(PersonRecord.submission))
    groups: dict[int, list[str]] = {}
    for record, form_id in rows:
        values = {name: getattr(record, name) for name in PERSON_PROPERTIES if name != "mrz"}
        line = _line(form_id=form_id, path=record.path, reference=record.reference, ended_at=record.ended_at, **values)
        groups.setdefault(record.person_id, []).append(line)
    # A person is the set of its records: sorted, so that who came first does not show.
    return (_line(person=sorted(lines)) for lines in groups.values())


def _encounter_lines(session: Session) -> Iterable[str]:
    rows = session.execute(select(Encounter, Submission.form_id, Submission.instance_id).join(Encounter.submission))
    for encounter, form_id, instance_id in rows:
        values = {name: getattr(encounter, name) for name in _ENCOUNTER_VALUES}
        yield _line(form_id=form_id, instance_id=instance_id, path=encounter.path, **values)


def _line(**values: Any) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return str(value.isoformat())
