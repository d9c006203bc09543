"""OData's expressions as SQL. What they find is tested through the front door (tests/server/rest/test_odata.py)."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

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


@given(st.text(max_size=60))
def test_whatever_is_asked_is_answered_or_refused(text: str) -> None:
    with suppress(FilterRefused):
        compile_filter(text, NAMES, "market", NOW)


def test_a_literal_may_stand_on_either_side() -> None:
    assert sql("3 lt boxes") == sql("boxes gt 3")


@pytest.mark.parametrize("one", ["('mango')", "( 'mango' )", "('mango',)"])
def test_a_list_may_have_one_member(one: str) -> None:
    assert sql(f"fruit in {one}") == sql("fruit eq 'mango'")
    assert sql(f"(boxes gt 3) and fruit in {one} and boxes in (1,2)").count("IN (SELECT") == 4


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
