"""A list of very many entities, written straight into the database: the speed of the fold is another question."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine, insert, select

from sync.db import Base, prepare_sqlite
from sync.entity_state import EntityState, fold_label
from sync.entity_words import list_words
from sync.models import (
    Device,
    Entity,
    EntityConflict,
    EntityContribution,
    EntityView,
    EntityWord,
    IssuedVersion,
    Submission,
)

LIST = "dossiers"
# The open rows of two centres of the demonstration: a usual one, and one that is as full as a list gets.
SITES = {"CADKR": 500, "CASTL": 10_000}
_OTHERS = 200
_AT_ONCE = 1000
_EVERY = 1000  # of so many rows one has a conflict, and one has an update that waits


def fill(engine: Engine, total: int) -> str:
    """Write so many rows with their history; return the id of one of them, which was updated often."""
    chance, now = random.Random(4), datetime.now(UTC)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        device = connection.execute(select(Device.actor_id, Device.id).where(Device.name == "CADKR-01")).one()
        for start in range(0, total, _AT_ONCE):
            size = min(_AT_ONCE, total - start)
            entities = [_entity(chance, start + place) for place in range(size)]
            submission = _submission(start, device.id, now)
            connection.execute(insert(Submission), [submission])
            connection.execute(insert(Entity), entities)
            _write(connection, EntityWord, _words(entities))
            _write(connection, EntityContribution, _contributions(entities, submission["id"]))
            _write(connection, IssuedVersion, [_issued(one, now) for one in entities])
            _write(connection, EntityConflict, [_conflict(one, now) for one in entities if one["open_conflicts"]])
        views = [{"list_name": LIST, "site_code": code, "generation": 1} for code in SITES]
        connection.execute(insert(EntityView), views)
        count_on(connection)
    return _uuid(0)


def count_on(connection: Connection) -> None:
    """Let PostgreSQL number new rows after those that were written with a number."""
    if connection.dialect.name == "postgresql":
        for table in ("submissions", "entities"):
            last = f"(SELECT max(id) FROM {table})"
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})")


def open_engine(url: str) -> Engine:
    """An engine of the benchmark's own, beside the server's."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine)
    return engine


def analyse(engine: Engine) -> None:
    """What PostgreSQL does a minute later, and our nightly job on SQLite: without statistics no database plans well."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE")


def _write(connection: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _uuid(number: int) -> str:
    return str(UUID(int=random.Random(number).getrandbits(128), version=4))


def _place(number: int) -> tuple[str, bool]:
    """Site and whether the row is open: the two centres first, then all others, half of theirs closed."""
    for code, count in SITES.items():
        if number < count:
            return code, True
        number -= count
    return f"S{number % _OTHERS:03}", number % 2 == 0


def _entity(chance: random.Random, number: int) -> dict[str, Any]:
    code, is_open = _place(number)
    digits = f"{chance.randrange(10**15):015}"
    ref = f"{code}-{digits[:5]}-{digits[5:10]}-{digits[10:]}-{chance.randrange(97):02}"
    sex, band = chance.choice("12"), chance.choice(("0_4", "5_11", "12_17", "18_24", "25_59", "60"))
    label = f"{ref} · {'HF'[sex == '2']} · {band.replace('_', '-')} · Lit {number % 120}"
    return {
        "id": number + 1,
        "list_name": LIST,
        "uuid": _uuid(number),
        "label": label,
        "label_key": fold_label(label),
        "properties": {
            "ref": ref, "bracelet": digits[:8], "initiales": "A. N.", "sexe": sex, "tranche": band, "site_id": code,
            "etat": "arrive" if is_open else "clos", "urgence": "0", "alerte_suivi": "non", "maj": "2026-03-02",
        },
        "version": 1,
        "exists": True,
        "is_open": is_open,
        "site_code": code,
        "open_conflicts": int(number % _EVERY == 7),
        "claimed": 1,
        "whole_from": 1,
        "is_settled": True,
    }  # fmt: skip


def _words(entities: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    said = {one["id"]: EntityState(LIST, one["uuid"], one["label"], one["properties"]) for one in entities}
    return [
        {"list_name": LIST, "word": word, "entity_id": entity_id}
        for entity_id, state in said.items()
        for word in sorted(list_words(state))
    ]


def _submission(start: int, device_id: int, now: datetime) -> dict[str, Any]:
    xml = f'<data id="f04_arrivee" version="1"><meta><instanceID>uuid:{start}</instanceID></meta></data>'.encode()
    return {
        "id": start // _AT_ONCE + 1, "form_id": "f04_arrivee", "version": "1", "instance_id": f"uuid:{start}",
        "is_draft": False, "xml": xml, "xml_sha256": sha256(xml).hexdigest(), "received_at": now,
        "device_id": device_id, "state": "merged", "processed_at": now, "ended_at": now,
    }  # fmt: skip


def _contributions(entities: Sequence[Mapping[str, Any]], submission_id: int) -> list[dict[str, Any]]:
    return [
        {
            "entity_id": one["id"], "submission_id": submission_id, "list_name": LIST, "ordinal": 1,
            "path": f"/data/personnes[{place}]", "root_id": f"uuid:{submission_id}", "action": "create",
            "label": one["label"], "properties": one["properties"], "counts": True,
            "waits_for": "version 9" if one["id"] % _EVERY == 9 else None,
        }
        for place, one in enumerate(entities, 1)
    ]  # fmt: skip


def _issued(one: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    said = {"label": one["label"], "properties": one["properties"]}
    return {"entity_id": one["id"], "number": 1, "added": [], "removed": [], "issued_at": now, **said}


def _conflict(one: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    rivals = [["a", "1"], ["b", "2"]]
    return {"entity_id": one["id"], "property_name": "sexe", "candidates": rivals, "base": "1", "opened_at": now}
