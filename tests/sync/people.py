"""Invented people in the registry, each record with a submission of its own, linked as on their way in."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from sync.link_fold import fold_links, read_link_record
from sync.models import Person, PersonRecord
from sync.references import make_reference
from tests.sync.factory import NOW, add_submission

AWA: dict[str, Any] = {
    "given_names": "Awa", "family_name": "Ndiaye", "sex": "2", "mother_name": "Coumba Sarr", "birth_place": "Podor",
    "nationality": "SEN",
}  # fmt: skip


def add_record(session: Session, **values: Any) -> PersonRecord:
    """Add one record and link it. Further facts: site_id, submission (to be met together), hours (before NOW)."""
    number = session.query(Person).count() + 1
    instance = f"uuid:person-{number}"
    site_id = values.pop("site_id", None)
    submission = values.pop("submission", None) or add_submission(session, instance, site_id=site_id)
    person = Person(reference=values.pop("reference", make_reference("passage", instance, "/data/personnes[1]")))
    session.add(person)
    session.flush()
    ended_at = NOW - timedelta(hours=values.pop("hours", number))
    record = PersonRecord(
        person_id=person.id, home_id=person.id, submission_id=submission.id, path=f"/data/personnes[{number}]",
        reference=person.reference, ended_at=ended_at, site_id=site_id, **values,
    )  # fmt: skip
    session.add(record)
    session.flush()
    fold_links(session.connection(), {}, {person.id: read_link_record(record)}, NOW)
    session.expire_all()
    return record


def add_alike(session: Session, count: int, **values: Any) -> None:
    """Add so many records of one submission that say the same, and link them."""
    submission = add_submission(session, "uuid:alike")
    paths = [f"/data/personnes[{number}]" for number in range(1, count + 1)]
    people = [Person(reference=make_reference("passage", "uuid:alike", path)) for path in paths]
    session.add_all(people)
    session.flush()
    records = [
        PersonRecord(
            person_id=one.id, home_id=one.id, submission_id=submission.id, path=path, reference=one.reference,
            ended_at=NOW, **values,
        )
        for one, path in zip(people, paths, strict=True)
    ]  # fmt: skip
    session.add_all(records)
    session.flush()
    fold_links(session.connection(), {}, {one.home_id: read_link_record(one) for one in records}, NOW)
    session.expire_all()
