"""The table of functions says what JavaRosa says today."""

from tests.oracle.client import Oracle
from tests.oracle.functions import FAR_TABLE, FAR_ZONE, ask_table, read_table


def test_table_of_functions_is_what_javarosa_answers(oracle: Oracle) -> None:
    table = read_table()
    assert ask_table(oracle, table) == table


def test_table_of_a_far_zone_is_what_javarosa_answers_there(oracle: Oracle) -> None:
    table = read_table(FAR_TABLE)
    assert ask_table(oracle, table, FAR_ZONE) == table
