"""Many numbers given as one value: those that are among them are found, by an index, in both databases."""

from collections.abc import Collection

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from sync.among import Numbers, among
from sync.models import Person

pytestmark = pytest.mark.both_databases
_FOUND = select(Person.reference).where(among(Person.id)).order_by(Person.id)


@pytest.fixture(autouse=True)
def persons(session: Session) -> None:
    session.add_all([Person(id=number, reference=f"{number:05}-00000-00") for number in range(1, 400)])
    session.flush()


@pytest.mark.parametrize("numbers", [(), [2], {2: "a", 3: "b"}, {4, 5, 1000}, range(1, 400), [-1, 2**31 - 1]])
def test_those_that_are_given_are_found(session: Session, numbers: Collection[int]) -> None:
    found = session.scalars(_FOUND, {"ids": numbers}).all()

    assert found == [f"{number:05}-00000-00" for number in sorted(numbers) if 0 < number < 400]


def test_numbers_can_have_another_name(session: Session) -> None:
    assert session.scalars(select(Person.id).where(among(Person.id, "members")), {"members": [7]}).all() == [7]


def test_index_is_used(session: Session) -> None:
    connection = session.connection()
    asked = str(_FOUND.compile(connection))
    given = Numbers().process_bind_param([1, 2], connection.dialect)
    if connection.dialect.name == "sqlite":
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", (given,)).all())
        assert "PRIMARY KEY (rowid=?)" in plan
    else:
        # It would read a table of so few rows from end to end.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = str(connection.exec_driver_sql(f"EXPLAIN {asked}", {"ids": given}).all())
        assert "Index Cond: (id = ANY" in plan
