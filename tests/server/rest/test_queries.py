"""What stands behind the `?`: read alike everywhere, and refused by its name where it cannot be read."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from server.rest.problems import Problem
from server.rest.queries import Count, Flag, Instant, TableQuery
from server.rest.shapes import Shape
from server.rest.speech import read_asked


class Everything(Shape):
    on = Flag("")
    off = Flag("", default=True)
    many_of = Count("", data_key="$many")
    since = Instant("")


class Needed(Shape):
    size = Count("", required=True)


def read(app: Flask, query: str, shape: type[Shape] = Everything) -> dict[str, Any]:
    with app.test_request_context(f"/?{query}"):
        return read_asked(shape())


def test_what_is_not_given_is_there_as_it_is_meant(app: Flask) -> None:
    assert read(app, "mine=x") == {"on": False, "off": True, "many_of": None, "since": None}


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("on=True", "on", True),
        ("on=TRUE", "on", True),
        ("on=1", "on", False),
        ("off=False", "off", False),
        ("off=0", "off", True),
        ("$many=007", "many_of", 7),
        ("since=2026-01-02T03:04:05", "since", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("since=2026-01-02T03:04:05-01:00", "since", datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC)),
        ("since=2026-01-02", "since", datetime(2026, 1, 2, tzinfo=UTC)),
    ],
)
def test_what_is_given_is_read_in_the_writings_of_the_field(app: Flask, query: str, name: str, value: Any) -> None:
    assert read(app, query)[name] == value


@pytest.mark.parametrize(
    ("query", "name"),
    [(f"$many={text}", "$many") for text in ("", "-1", "1.5", "1e3", "%2B1", "١", "9" * 19)]
    + [("since=yesterday", "since"), ("since=0001-01-01T00:00:00%2B23:00", "since")],
)
def test_what_cannot_be_read_is_refused_by_its_name(app: Flask, query: str, name: str) -> None:
    with pytest.raises(Problem) as refused:
        read(app, query)
    assert (refused.value.code, refused.value.details["field"]) == (400.8, name)


def test_what_is_needed_and_missing_is_told(app: Flask) -> None:
    with pytest.raises(Problem) as refused:
        read(app, "", Needed)
    assert (refused.value.code, refused.value.details) == (400.2, {"field": "size"})


def test_options_of_the_client_are_its_own_and_those_of_the_system_are_known(app: Flask) -> None:
    assert read(app, "$top=3&$format=json&mine=x", TableQuery)["top"] == 3
    with pytest.raises(Problem) as refused:
        read(app, "$apply=x", TableQuery)
    assert (refused.value.code, refused.value.details) == (501.1, {"feature": "$apply"})
