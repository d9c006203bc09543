"""A registry of very many persons, written straight into the database, for measurements of linking and look-up.

`load_registry` leaves its pairs out: a new record finds its own. `fold_registry` then links all of them, in some
milliseconds for each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.orm import Session

from benchmarks.regional.recording import make_records
from sync.db import begin_write
from sync.link_fold import forget_links, link_some
from sync.link_models import Linking, activate_model, add_model, list_linkings
from sync.link_rows import add_identities, add_keys, find_fingerprint
from sync.linkage.blocking import find_keys, find_most_common, find_too_common
from sync.linkage.features import Features, pack
from sync.linkage.judging import judge
from sync.linkage.model import LinkModel, default_model, find_size
from sync.linkage.record import LinkRecord, parse_record
from sync.models import LinkIdentity, LinkMember, LinkModelVersion, LinkProgress, Person, PersonRecord, Submission
from sync.references import make_reference

_AT_ONCE = 2000
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FORM = "f02_passage"


def make_people(records: int, seed: int) -> list[LinkRecord]:
    """Invented records of the region as linkage reads them."""
    rows, _ = make_records(records, seed)
    return [parse_record(row) for row in rows]


def make_model(people: Sequence[LinkRecord]) -> LinkModel:
    """The model that ships, but for the keys too common to look up: those that training on these records freezes."""
    model = default_model()
    keys = (find_keys(model.cleaner.clean(one)) for one in people)
    return replace(model, too_common=find_too_common(keys, find_most_common(len(people))))


def load_registry(engine: Engine, people: Sequence[LinkRecord]) -> None:
    """Write so many records into an empty, migrated database; a model for a registry of this size is the active one."""
    _activate(engine, make_model(people))
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        linking, known = list_linkings(connection, NOW)[0], dict[bytes, int]()
        for number, chunk in enumerate(_chunks(people)):
            first = number * _AT_ONCE + 1
            _write_records(connection, chunk, first)
            features = [linking.model.cleaner.clean(one) for one in chunk]
            ids = _write_identities(connection, linking, features, known)
            members = [
                {"model_id": linking.model_id, "home_id": home, "identity_id": identity, "site_id": one.site_id}
                for home, (identity, one) in enumerate(zip(ids, chunk, strict=True), first)
            ]
            connection.execute(insert(LinkMember), members)
        connection.execute(update(LinkIdentity).values(records=1))
        connection.execute(update(LinkProgress).values(records=len(people), size=find_size(len(people))))
        _count_on(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def fold_registry(engine: Engine) -> None:
    """Let the active model read all records as on their way in: their pairs, persons and questions are written."""
    with Session(engine) as session:
        begin_write(session)
        progress = session.scalars(select(LinkProgress)).one()
        records, size = progress.records, progress.size
        forget_links(session)
        progress.records, progress.size = records, size
        session.get_one(LinkModelVersion, progress.model_id).filled_to = 0
        session.commit()
    more = True
    while more:
        with Session(engine) as session:
            begin_write(session)
            more = link_some(session, NOW)
            session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _activate(engine: Engine, model: LinkModel) -> None:
    with Session(engine) as session:
        begin_write(session)
        list_linkings(session.connection(), NOW)
        add_model(session, model, None, NOW)
        activate_model(session, model.version, None, "", NOW)
        while link_some(session, NOW):
            pass
        session.commit()


def _chunks(people: Sequence[LinkRecord]) -> Iterator[list[LinkRecord]]:
    rest = iter(people)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk


def _write_identities(
    connection: Connection, linking: Linking, features: Sequence[Features], known: dict[bytes, int]
) -> list[int]:
    """The identity of each record, made with its keys where nobody said the same before."""
    # Asked of the database they took longer with each thousand: what is written all at once has no statistics yet.
    names = [find_fingerprint(pack(one)) for one in features]
    new = {name: one for name, one in zip(names, features, strict=True) if name not in known}
    told = [(one, judge(one, one).corroborated) for one in new.values()]
    ids = add_identities(connection, linking.model_id, linking.scorer, told) if told else []
    add_keys(
        connection, linking.model_id,
        {identity: find_keys(one, linking.model.too_common) for identity, one in zip(ids, new.values(), strict=True)},
    )  # fmt: skip
    known.update(zip(new, ids, strict=True))
    return [known[name] for name in names]


def _write_records(connection: Connection, chunk: Sequence[LinkRecord], first: int) -> None:
    """Each record with a submission and a home of its own, all of the same number."""
    numbered = list(enumerate(chunk, first))
    connection.execute(insert(Submission), [make_submission(number) for number, _ in numbered])
    connection.execute(insert(Person), [{"id": number, "reference": _refer_to(number)} for number, _ in numbered])
    connection.execute(insert(PersonRecord), [_person_record(number, one) for number, one in numbered])


def make_submission(number: int) -> Mapping[str, Any]:
    """A merged submission of that number."""
    return {
        "id": number, "form_id": FORM, "version": "1", "instance_id": f"uuid:{number}", "xml": b"",
        "xml_sha256": f"{number:064}", "received_at": NOW, "processed_at": NOW, "state": "merged",
    }  # fmt: skip


def _refer_to(number: int) -> str:
    return make_reference(FORM, f"uuid:{number}", "/data")


def _person_record(number: int, one: LinkRecord) -> Mapping[str, Any]:
    ended = datetime.combine(one.recorded_on, time(12), UTC) if one.recorded_on else NOW - timedelta(days=number % 365)
    return {
        "id": number, "person_id": number, "home_id": number, "submission_id": number, "path": "/data",
        "reference": _refer_to(number), "site_id": one.site_id, "ended_at": ended,
        "given_names": one.given_name or None,
        "family_name": one.family_name or None, "sex": one.sex or None, "birth_date": one.birth_date, "age": one.age,
        "nationality": one.nationality or None, "birth_place": one.birth_place or None,
        "mother_name": one.mother_name or None, "phone": one.phone or None,
        "document_type": one.document_type[:16] or None, "document_number": one.document_number or None,
    }  # fmt: skip


def _count_on(connection: Connection) -> None:
    """Let PostgreSQL number new rows after those that were written with a number."""
    if connection.dialect.name == "postgresql":
        for table in ("submissions", "persons", "person_records"):
            last = f"(SELECT max(id) FROM {table})"
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})")
