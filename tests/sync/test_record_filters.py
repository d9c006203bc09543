"""OData's expressions as SQL. What they find is tested through the front door (tests/server/rest/test_odata.py)."""

import re
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from sync.models import Submission
from sync.record_filters import FilterRefused, Named, compile_filter, compile_order

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
NAMES = {
    "__system/submissionDate": Named("moment", Submission.received_at),
    "fruit": Named("string", path="fruit"),
    "boxes": Named("int", path="boxes"),
}


def sql(text: str) -> str:
    return str(compile_filter(text, NAMES, "market", NOW).compile(dialect=sqlite.dialect()))


@pytest.mark.parametrize("value", ["''; DROP TABLE submissions; --", "it''s", "%"])
def test_a_literal_is_a_parameter_and_never_part_of_the_statement(value: str) -> None:
    assert sql(f"fruit eq '{value}'") == sql("fruit eq 'mango'")


def explain(session: Session, expression: str) -> str:
    """How the database looks for the records that fit."""
    asked = select(Submission.id).where(compile_filter(expression, NAMES, "market", NOW))
    connection = session.connection()
    statement = asked.compile(connection, compile_kwargs={"literal_binds": True})
    if connection.dialect.name == "sqlite":
        return "\n".join(row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}"))
    # It would read a table of no rows from end to end.
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    return "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}").scalars())


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("expression", "index", "bound"),
    [
        ("fruit eq 'mango'", "text", "text="),
        (f"fruit eq '{'a' * 300}'", "text", "text="),
        ("fruit gt 'mango'", "text", "text>"),
        ("startswith(fruit, 'man')", "text", "text>"),
        ("boxes le 3", "number", "number<"),
    ],
)
def test_a_filter_on_an_answer_is_looked_up_in_its_index(
    session: Session, expression: str, index: str, bound: str
) -> None:
    plan = explain(session, expression)
    conditions = plan.partition(f"ix_answer_values_{index}")[2].partition("Filter:")[0]
    # SQLite writes (form_id=? AND text>?), PostgreSQL ((form_id)::text = 'market'::text).
    assert bound in re.sub(r"::\w+( \w+)?|[() ]", "", conditions), plan


@given(st.text(max_size=60))
def test_whatever_is_asked_is_answered_or_refused(asked: str) -> None:
    with suppress(FilterRefused):
        compile_filter(asked, NAMES, "market", NOW)


def test_a_literal_may_stand_on_either_side() -> None:
    assert sql("3 lt boxes") == sql("boxes gt 3")


@pytest.mark.parametrize("one", ["('mango')", "( 'mango' )", "('mango',)"])
def test_a_list_may_have_one_member(one: str) -> None:
    assert sql(f"fruit in {one}") == sql("fruit in ('mango', 'papaya')")
    assert sql(f"(boxes gt 3) and fruit in {one} and boxes in (1,2)").count("IN (SELECT") == 3


@pytest.mark.parametrize("text", ["fruit in ()", "fruit in ('a'", "fruit in", "fruit in (in ('a'))"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(FilterRefused):
        sql(text)


@pytest.mark.parametrize("text", ["fruit desc", "__system/submissionDate up", "", "__system/submissionDate asc asc"])
def test_only_metadata_orders(text: str) -> None:
    with pytest.raises(FilterRefused):
        compile_order(text, NAMES)


def test_an_order_says_where_blanks_go() -> None:
    (up,), (down,) = (compile_order(f"__system/submissionDate {way}", NAMES) for way in ("asc", "desc"))
    assert (str(up).endswith("ASC NULLS FIRST"), str(down).endswith("DESC NULLS LAST")) == (True, True)
