import math

import pytest

from forms.list_trees import build_list
from forms.node import LONGEST_TEXT, read_text
from forms.readers import CALCULATED, COMPUTED_READERS, READ_CHOICES, READERS
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify
from forms.xpath.moments import DAY, MINUTE, Moment
from forms.xpath.values import Value

NOON = 12 * 60 * MINUTE
ENVIRONMENT = Environment(build_list(()), now=Moment(3 * DAY + 1), offset_ms=60 * MINUTE)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        pytest.param("int", "+7", 7.0, id="whole number"),
        pytest.param("int", "7.0", "", id="fraction in a whole number"),
        pytest.param("int", "2147483648", "", id="more than 32 bits"),
        pytest.param("int", "1" * 5000, "", id="endless digits"),
        pytest.param("int", "٧", "", id="digits of another script"),
        pytest.param("decimal", "1.5e3", 1500.0, id="exponent"),
        pytest.param("decimal", "2f", 2.0, id="Java's letter"),
        pytest.param("decimal", " 2 ", 2.0, id="spaces around"),
        pytest.param("decimal", "1,5", "", id="comma"),
        pytest.param("date", "1970-01-03", Moment(2 * DAY), id="day"),
        pytest.param("date", "1970-W01-3", "", id="week date"),
        pytest.param("date", "1970-02-30", "", id="no such day"),
        pytest.param("date", "+999-01-01", Moment(-354650 * DAY), id="year that only Java reads"),
        pytest.param("dateTime", "1970-01-01T12:00:00Z", Moment(NOON + 60 * MINUTE), id="moment in another zone"),
        pytest.param("dateTime", "1970-01-01T12:00:00", Moment(NOON), id="moment without a zone"),
        pytest.param("time", "12:00:00", Moment(3 * DAY + NOON), id="time of the record's own day"),
        pytest.param("boolean", "t", True, id="true"),
        pytest.param("boolean", "false", False, id="false"),
        pytest.param("boolean", "oui", "", id="no boolean"),
        pytest.param("geopoint", "14.5 -12 25 4.5", "14.5 -12.0 25.0 4.5", id="place"),
        pytest.param("geopoint", "14.5 NaN 0 0", "14.5 NaN 0.0 0.0", id="place that is not a number"),
        pytest.param("geopoint", "0 0 0 0", "", id="place that was never taken"),
        pytest.param("geopoint", "1 2 3 4 5", "", id="too many numbers"),
        pytest.param("geotrace", "1 2;3 4 ", "1.0 2.0 0.0 0.0; 3.0 4.0 0.0 0.0", id="line"),
        pytest.param("geoshape", "1 2;x", "", id="line with a word"),
        pytest.param("int", "", "", id="blank"),
    ],
)
def test_text_is_read_by_its_type(kind: str, text: str, value: Value) -> None:
    found = READERS[kind](text, ENVIRONMENT)
    assert found == value
    assert type(found) is type(value)


def test_number_that_is_none_is_read_as_none() -> None:
    found = READERS["decimal"]("NaN", ENVIRONMENT)
    assert isinstance(found, float)
    assert math.isnan(found)


def test_calculation_that_is_not_of_its_type_stays_what_it_is() -> None:
    assert COMPUTED_READERS["date"]("20514.5", ENVIRONMENT) == "20514.5"
    assert READERS["date"]("20514.5", ENVIRONMENT) == ""


def test_text_that_was_calculated_is_read_as_what_it_was() -> None:
    assert CALCULATED["boolean"]("0", ENVIRONMENT) is False
    assert CALCULATED["number"]("007", ENVIRONMENT) == 7.0


def test_a_moment_is_known_among_what_may_be_anything() -> None:
    assert CALCULATED["any"]("2031-12-31T00:00:00.000+01:00", ENVIRONMENT) == Moment(22_644 * DAY)
    assert CALCULATED["any"]("2031-12-31", ENVIRONMENT) == "2031-12-31"


@pytest.mark.parametrize("kind", ["decimal", "geopoint", "string"])
def test_an_answer_that_nobody_typed_is_gone_through_by_no_rule(kind: str) -> None:
    read = READERS.get(kind, read_text)
    with pytest.raises(CannotVerify, match="20000"):
        read("1" * (LONGEST_TEXT + 1), ENVIRONMENT)


def test_a_way_of_a_thousand_points_is_read() -> None:
    way = "; ".join(["14.45716 -12.21442 25.0 4.5"] * 1000)
    assert len(way) > LONGEST_TEXT
    assert str(READERS["geotrace"](way, ENVIRONMENT)).count(";") == 999


def test_choices_have_one_space_between_them() -> None:
    assert READ_CHOICES("a  b ", ENVIRONMENT) == "a b"
