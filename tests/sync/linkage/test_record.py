from datetime import date

import pytest

from sync.linkage.record import LinkRecord, parse_day, parse_record


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1985-03-07", date(1985, 3, 7)),
        ("1985-03-07T00:00:00", date(1985, 3, 7)),
        ("1985/3/7", date(1985, 3, 7)),
        ("07/03/1985", date(1985, 3, 7)),
        ("7.3.1985 00:00", date(1985, 3, 7)),
        ("03-25-1985", date(1985, 3, 25)),
        ("19850307", date(1985, 3, 7)),
        ("19850307.0", date(1985, 3, 7)),
        ("1985", date(1985, 1, 1)),
        ("1985.0", date(1985, 1, 1)),
        ("1985-06", date(1985, 1, 1)),
        ("1985-00-00", date(1985, 1, 1)),
        ("1985-02-31", date(1985, 1, 1)),
        ("0085-02-03", None),
        ("vers 1985", None),
        ("", None),
    ],
)
def test_days_as_people_write_them(text: str, day: date | None) -> None:
    assert parse_day(text) == day


@pytest.mark.parametrize(
    ("text", "sex"),
    [("M", "1"), ("f", "2"), ("1", "1"), ("2.0", "2"), ("Féminin", "2"), ("homme", "1"), ("9", ""), ("", "")],
)
def test_sexes_as_people_write_them(text: str, sex: str) -> None:
    assert parse_record({"sex": text}).sex == sex


@pytest.mark.parametrize(
    ("text", "age"), [("34", 34), ("34.0", 34), ("34,5", 34), ("34 ans", 34), ("340", None), ("abc", None)]
)
def test_ages_as_people_write_them(text: str, age: int | None) -> None:
    assert parse_record({"age": text}).age == age


def test_missing_columns_are_not_known() -> None:
    assert parse_record({"record_id": "a", "phone": " 77 123 "}) == LinkRecord("a", phone="77 123")
