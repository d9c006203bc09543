"""Candidates are found by key and year, the same way round whoever comes first."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from sync.link_rows import add_keys, count_crowded, find_candidates
from sync.linkage.blocking import MOST_COMMON, Key, meet
from sync.models import LinkKey


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(Key(7), Key(7), id="without year"),
        pytest.param(Key(7), Key(8), id="other hash"),
        pytest.param(Key(-(2**63), 1990, 1), Key(-(2**63), 1991, 1), id="a year apart"),
        pytest.param(Key(7, 1990, 1), Key(7, 1994, 4), id="one of them vague"),
        pytest.param(Key(7, 1990, 4), Key(7, 1994, 1), id="the other one vague"),
        pytest.param(Key(7, 1990, 1), Key(7, 1994, 1), id="too far apart"),
        pytest.param(Key(7, 1990, 4), Key(7, 1995, 4), id="too far even for vague ones"),
    ],
)
def test_the_table_finds_whom_the_keys_meet(session: Session, one: Key, other: Key) -> None:
    connection = session.connection()
    add_keys(connection, 1, {1: [one], 2: [other]})
    found = find_candidates(connection, 1, {1: [one]}), find_candidates(connection, 1, {2: [other]})
    assert found == (({(1, 2)}, {(2, 1)}) if meet(one, other) else (set(), set()))


def test_models_do_not_meet(session: Session) -> None:
    connection = session.connection()
    add_keys(connection, 1, {1: [Key(7)]})
    assert find_candidates(connection, 2, {2: [Key(7)]}) == set()


@pytest.mark.both_databases
def test_keys_that_have_outgrown_a_model_are_counted(session: Session) -> None:
    connection = session.connection()
    add_keys(connection, 1, {one: [Key(7), Key(one)] for one in range(10, 10 + MOST_COMMON)})
    assert count_crowded(connection, 1) == 0
    add_keys(connection, 1, {1: [Key(7, 1990, 1)]})
    assert (count_crowded(connection, 1), count_crowded(connection, 2)) == (1, 0)


@pytest.mark.both_databases
def test_keys_are_found_in_one_place_alone(session: Session) -> None:
    """SQLite's table is clustered by them; the index of PostgreSQL holds all that is asked."""
    connection = session.connection()
    asked = select(LinkKey.identity_id, LinkKey.spread).where(LinkKey.model_id == 1, LinkKey.hash == 7)
    statement = asked.compile(connection, compile_kwargs={"literal_binds": True})
    if connection.dialect.name == "sqlite":
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all())
        assert "USING PRIMARY KEY (model_id=? AND hash=?)" in plan
    else:
        # It would read a table of no rows from end to end.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        assert "Index Only Scan using pk_link_keys" in str(connection.exec_driver_sql(f"EXPLAIN {statement}").all())
