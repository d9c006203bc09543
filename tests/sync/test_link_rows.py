"""Candidates are found by key and year, the same way round whoever comes first."""

import pytest
from sqlalchemy.orm import Session

from sync.link_rows import add_keys, count_crowded, find_candidates
from sync.linkage.blocking import MOST_COMMON, Key, meet


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
