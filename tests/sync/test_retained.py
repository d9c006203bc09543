"""What was retained of a record that was erased is read back as it was told."""

from datetime import date
from typing import Any

import pytest

from sync.retained import parse_retained

KEPT: dict[str, Any] = {
    "persons": [
        {"path": "/data/personnes[1]", "position": 1, "birth_date": "1994-05-17", "place": "/data/personnes[2]"}
    ],
    "encounters": [],
    "entities": [],
    "findings": [],
    "started_at": None,
    "ended_at": None,
}


def test_a_person_is_read_with_where_they_first_stood() -> None:
    (person,) = parse_retained(KEPT).persons
    assert (person.birth_date, person.place) == (date(1994, 5, 17), "/data/personnes[2]")


def test_a_person_stood_where_they_stand_unless_it_is_told() -> None:
    (person,) = parse_retained({**KEPT, "persons": [{"path": "/data", "position": 1}]}).persons
    assert person.place == "/data"


def test_what_no_server_retains_is_not_read() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        parse_retained({**KEPT, "ended_at": "hier"})
