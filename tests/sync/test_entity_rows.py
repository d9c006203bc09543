"""Few statements for many entities: what a batch costs does not grow with its records or with an entity's past."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from server.extensions import db
from sync.models import Entity, IssuedVersion
from tests.sync.entities import add_arrival, add_update, publish_entity_forms
from tests.sync.test_processing import settle


@pytest.fixture
def published(session: Session) -> None:
    publish_entity_forms(session)


@contextmanager
def counted(table: str) -> Iterator[list[str]]:
    """The statements of the block that touch this table."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        found.extend([statement] if table in statement else [])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def stay(number: int) -> str:
    return f"5f0c1f3e-1d2a-4b6c-8d3e-{number:012}"


@pytest.mark.both_databases
def test_arrivals_of_a_batch_are_written_together(session: Session, published: None) -> None:
    for number in range(4):
        add_arrival(session, f"uuid:{number}", stay=stay(number))
    session.commit()
    with counted("entity_contributions") as statements:
        settle(session)
    assert len([one for one in statements if one.startswith("INSERT")]) == 1
    assert len(session.scalars(select(Entity)).all()) == 4


def test_an_update_in_order_reads_none_of_the_updates_before_it(session: Session, published: None) -> None:
    add_arrival(session)
    for base in range(1, 9):
        add_update(session, f"uuid:{base}", base, on="A", hour=base, values={"urgence": str(base)})
        settle(session)
    add_update(session, "uuid:9", 9, on="A", hour=9, values={"urgence": "9"})
    session.commit()
    with counted("issued_versions") as statements:
        settle(session)
    assert [one.split()[0] for one in statements] == ["INSERT"]
    newest = session.scalars(select(IssuedVersion).order_by(IssuedVersion.number.desc())).first()
    assert newest is not None
    assert (newest.number, len(newest.added), newest.properties["urgence"]) == (10, 1, "9")
