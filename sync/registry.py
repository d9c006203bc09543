"""The registry: what submissions say about persons and encounters, folded so that order and repetition change nothing.

Whose records are of one person is link_fold.py's work. Who may read what is policy.py's and scopes.py's word.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, String, bindparam, delete, func, insert, select
from sqlalchemy.orm import Session, aliased

from forms.definition import PERSON_PROPERTIES
from forms.records import Encounter as EncounterValues
from forms.records import PersonRecord as PersonValues
from sync.among import among
from sync.db import add_rows
from sync.entity_fold import entity_lines
from sync.judging import to_utc
from sync.link_fold import fold_links, read_link_record
from sync.linkage.model import default_model
from sync.models import (
    Actor,
    Encounter,
    LinkDecision,
    LinkModelVersion,
    LinkProgress,
    LinkQuestion,
    Person,
    PersonRecord,
    Submission,
)
from sync.parts import fit
from sync.references import make_reference

_LOCK = 0x7E7A1
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

    def rooted(self, root_id: str, places: Mapping[str, str]) -> "Contribution":
        """The same, as the latest edit of a record that began under another instanceID, with its persons' places."""
        persons = [replace(one, place=places.get(one.path, one.place)) for one in self.persons]
        return replace(self, root_id=root_id, persons=persons)


def lock_registry(session: Session) -> None:
    """Let one transaction at a time fold; on SQLite the write lock has done so already (sync.db.begin_write)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def fold_family(session: Session, members: Collection[int], counting: Sequence[Contribution], now: datetime) -> None:
    """Let only `counting` speak for all these submissions; persons keep their identity across edits.

    The members may be those of one family, or of many: no two families share a person record. Then whose records they
    are is decided anew (link_fold.py).
    """
    connection = session.connection()
    known = _forget(connection, members)
    persons = [_person_row(one, values) for one in counting for values in one.persons]
    homes = _find_homes(connection, [row["reference"] for row in persons])
    for row in persons:
        row["home_id"] = homes[row["reference"]]
        row["person_id"] = known[row["reference"]].person_id if row["reference"] in known else row["home_id"]
    add_rows(connection, PersonRecord, persons)
    left = {row.home_id: reference for reference, row in known.items()}
    fold_links(connection, left, {row["home_id"]: read_link_record(row) for row in persons}, now)
    add_rows(connection, Encounter, [_encounter_row(one, values) for one in counting for values in one.encounters])


def registry_digest(session: Session) -> str:
    """A SHA-256 over persons, encounters, entities, what people decided, what they are asked, and the active model.

    Equal on two servers that know the same: no row ids and no times of arrival go into it.
    """
    digest = hashlib.sha256()
    linkage = [*_decision_lines(session), *_question_lines(session), *_model_lines(session)]
    for line in sorted([*_person_lines(session), *_encounter_lines(session), *entity_lines(session), *linkage]):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


# Statements are built once: SQLAlchemy's building and hashing would cost more than SQLite's running them.
_KNOWN = select(PersonRecord.reference, PersonRecord.person_id, PersonRecord.home_id).where(
    among(PersonRecord.submission_id, "members")
)
_FORGET_RECORDS = delete(PersonRecord).where(among(PersonRecord.submission_id, "members"))
_FORGET_ENCOUNTERS = delete(Encounter).where(among(Encounter.submission_id, "members"))
_HOMES = select(Person.reference, Person.id).where(Person.reference.in_(bindparam("references", expanding=True)))
_ADD_HOME = insert(Person).returning(Person.reference, Person.id)


def _forget(connection: Connection, members: Collection[int]) -> dict[str, Row[str, int, int]]:
    """Take the family's records out and return the persons they belonged to, by reference."""
    known = {row.reference: row for row in connection.execute(_KNOWN, {"members": members})}
    if known:
        connection.execute(_FORGET_RECORDS, {"members": members})
    connection.execute(_FORGET_ENCOUNTERS, {"members": members})
    return known


def _find_homes(connection: Connection, references: Sequence[str]) -> dict[str, int]:
    """The person of each reference, made where the reference is new."""
    if not references:
        return {}
    known = {row.reference: row.id for row in connection.execute(_HOMES, {"references": list(references)})}
    new = [one for one in dict.fromkeys(references) if one not in known]
    added = connection.execute(_ADD_HOME, [{"reference": one} for one in new]) if new else ()
    return known | {row[0]: row[1] for row in added}


def _person_row(contribution: Contribution, values: PersonValues) -> dict[str, Any]:
    return {
        "submission_id": contribution.submission_id,
        "path": values.path,
        "reference": make_reference(contribution.form_id, contribution.root_id, values.place or values.path),
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
    """A value as its column holds it: the whole answer stays in the submission.

    A name may be cut; a code that is too long is none of ours, and a part of it would be another code.
    """
    if not isinstance(value, str):
        return to_utc(value) if isinstance(value, datetime) else value
    longest: int = _LENGTHS[model, name]
    if len(value) <= longest and "\0" not in value:
        return value
    return None if longest <= _LONGEST_CODE else fit(value)[:longest]


_LENGTHS = {
    (model, column.name): column.type.length or 0
    for model in (PersonRecord, Encounter)
    for column in model.__table__.columns
    if isinstance(column.type, String)
}
_LONGEST_CODE = 16


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


def _decision_lines(session: Session) -> Iterable[str]:
    names = ("uuid", "kind", "left", "right", "property_name", "value", "decided_at", "needs_second", "model_version")
    first, second = aliased(Actor), aliased(Actor)
    found = select(LinkDecision, first.display_name, second.display_name).where(LinkDecision.undone_at.is_(None))
    found = found.outerjoin(first, first.id == LinkDecision.actor_id)
    for one, *who in session.execute(found.outerjoin(second, second.id == LinkDecision.confirmed_by_id)):
        values = {name: getattr(one, name) for name in names}
        # A database may keep another tail of a number, or no minus before a zero.
        weights = [(name, round(bits, 6) + 0.0, levels) for name, bits, levels in one.weights]
        yield _line(decision=values, confirmed=one.confirmed_at is not None, weights=weights, who=who)


def _question_lines(session: Session) -> Iterable[str]:
    one, other = aliased(Person), aliased(Person)
    asked = select(one.reference, other.reference, LinkQuestion.reason)
    joined = asked.join(one, one.id == LinkQuestion.one_id).join(other, other.id == LinkQuestion.other_id)
    return (_line(question=list(row)) for row in session.execute(joined))


def _model_lines(session: Session) -> Iterable[str]:
    active = select(LinkModelVersion.version).join(LinkProgress, LinkProgress.model_id == LinkModelVersion.id)
    # Written down with the first record, or when a registry is told anew: until then the one that ships is active.
    return (_line(model=version) for version in session.scalars(active).all() or [default_model().version])


def _line(**values: Any) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return str(value.isoformat())
