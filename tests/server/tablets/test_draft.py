from datetime import UTC, datetime, timedelta, timezone

import pytest

from forms.xlsform import read_form
from forms.xpath.moments import Moment
from server.tablets.blanks import read_blank
from server.tablets.draft import Draft, Place, spell_moment, spell_zone

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FORM = """
| survey |
| | type | name | label | required | relevant | constraint | calculation | choice_filter |
| | integer | n | N | yes | | . < 10 | | |
| | calculate | next | | | | | ${n} + 1 | |
| | calculate | after | | | | | ${next} + 1 | |
| | text | t | T | | ${n} > 5 | | | |
| | select_one l | c | C | | | | | few = ${n} |
| choices |
| | list_name | name | label | few |
| | l | a | A | 1 |
| | l | b | B | 2 |
| settings |
| | form_id | version |
| | small | 1 |
"""


@pytest.fixture
def draft() -> Draft:
    return Draft(read_blank(read_form(FORM.encode(), "small.md").xml, {}), NOW, dict, None)


def place(draft: Draft, name: str) -> Place:
    return next(one for _, one in draft.places if one.element.tag == name)


def test_calculations_follow_an_answer_whatever_their_order(draft: Draft) -> None:
    draft.write(place(draft, "n"), "3")
    draft.settle()
    assert [draft.root.findtext(name) for name in ("next", "after")] == ["4", "5"]


def test_what_is_not_relevant_is_left_out_when_saved(draft: Draft) -> None:
    draft.write(place(draft, "n"), "3")
    draft.prune()
    assert draft.root.find("t") is None
    assert b"<n>3</n>" in draft.to_xml()


def test_constraint_judges_a_candidate(draft: Draft) -> None:
    assert [draft.satisfies(place(draft, "n"), text) for text in ("3", "10")] == [True, False]


def test_filter_narrows_the_choices(draft: Draft) -> None:
    draft.write(place(draft, "n"), "2")
    node = draft.nodes[place(draft, "c")]
    one = draft.field_of(node)
    assert one is not None
    assert draft.choices(node, one) == ["b"]


def test_time_is_spelled_as_javarosa_spells_it() -> None:
    moment = Moment(1_000)
    assert spell_moment(moment, 0, "dateTime") == "1970-01-01T00:00:01.000Z"
    assert spell_moment(moment, 0, "time") == "00:00:01.000Z"


@pytest.mark.parametrize(("hours", "text"), [(0, "Z"), (5.5, "+05:30"), (-3, "-03:00")])
def test_zone_is_z_only_where_it_is_utc(hours: float, text: str) -> None:
    offset = timezone(timedelta(hours=hours)).utcoffset(None)
    assert spell_zone(int(offset.total_seconds() * 1000)) == text
