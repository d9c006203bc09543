"""What was filled is held against the validator, which knows nothing of the filler."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from lxml import etree

from forms.definition import FormDefinition
from forms.errors import Finding
from forms.lists import HeldLists, parse_list
from forms.programme import LIBRARY
from forms.submission import parse_submission
from forms.validation import validate_submission
from forms.xform import parse_form
from forms.xlsform import read_form
from server.tablets.blanks import BlankForm, read_blank
from server.tablets.filler import Filled, Officer, Told, correct_form, fill_form, make_collect_id
from server.tablets.people import Population
from tests.library_fills import NOW, ON_BOARD, fill_shipped, shipped_blank

LISTS = HeldLists({name: parse_list(name, data) for name, data in ON_BOARD.items()})


def small_form(rows: str, choices: str = "") -> tuple[BlankForm, FormDefinition]:
    lists = f"| choices |\n| | list_name | name | label |\n{choices}" if choices else ""
    head = "| survey |\n| | type | name | label | required | relevant | constraint | calculation | repeat_count |\n"
    text = f"{head}{rows}\n{lists}| settings |\n| | form_id | version |\n| | small | 1 |\n"
    xml = read_form(text.encode(), "small.md").xml
    return read_blank(xml, {}), parse_form(xml)


def officer(seed: int = 1) -> Officer:
    return Officer(Random(seed), Population(Random(1), 20), "collect:0123456789abcdef", "ROSSO-01", "ROSSO")


def findings(definition: FormDefinition, filled: Filled) -> list[Finding]:
    found = validate_submission(definition, parse_submission(filled.xml), LISTS, set(filled.files), received_at=NOW)
    return [one for one in found if one.path != "/data/meta/deprecatedID"]


def test_told_answers_are_given_and_nothing_else_but_what_is_required() -> None:
    blank, _ = small_form(
        "| | text | a | A | yes | | | | |\n| | text | b | B | | | | | |\n| | text | c | C | | | | | |\n"
        "| | begin_repeat | r | R | | | | | |\n| | text | d | D | | | | | |\n| | end_repeat | | | | | | | |"
    )
    told = {"b": "dit", "r": [{"d": "un"}, {}, {"d": "trois"}]}
    filled = fill_form(blank, officer(), NOW, told=told)
    assert (answer(filled, "b"), answer(filled, "c"), bool(answer(filled, "a"))) == ("dit", "", True)
    assert [one.findtext("d") for one in filled.root.iterfind("r")] == ["un", "", "trois"]


@pytest.mark.parametrize("told", [{"b": "x"}, {"r": [{"b": "x"}]}], ids=["question", "question in a repeat"])
def test_telling_of_a_question_that_is_not_there_is_refused(told: Told) -> None:
    blank, _ = small_form("| | begin_repeat | r | R | | | | | |\n| | text | a | A | | | | | |\n| | end_repeat |")
    with pytest.raises(KeyError):
        fill_form(blank, officer(), NOW, told=told)


def test_told_answer_that_the_form_does_not_take_is_a_problem() -> None:
    rows = "| | integer | a | A | | | . < 5 | | |\n| | select_one l | b | B | | | | | |"
    blank, _ = small_form(rows, "| | l | oui | Oui |\n")
    filled = fill_form(blank, officer(), NOW, told={"a": "7", "b": "non"})
    assert filled.problems == ["/data/a", "/data/b"]


def answer(filled: Filled, path: str) -> str | None:
    return filled.root.findtext(path)


@pytest.mark.parametrize("form_id", sorted(path.stem for path in LIBRARY.glob("*.xlsx")))
def test_shipped_form_is_filled_without_a_finding(form_id: str) -> None:
    for filled in fill_shipped(form_id, 12):
        assert (filled.problems, findings(shipped_blank(form_id)[1], filled)) == ([], [])


def test_sequence_goes_on_from_the_record_before() -> None:
    blank, _ = shipped_blank("f02_passage")
    at_work = officer()
    first = fill_form(blank, at_work, NOW)
    second = fill_form(blank, at_work, NOW, first.root)
    assert [answer(one, "seq") for one in (first, second)] == ["1", "2"]


def test_tablet_writes_what_collect_writes_by_itself() -> None:
    filled = fill_form(shipped_blank("f02_passage")[0], officer(), NOW)
    assert answer(filled, "end") == "2026-03-02T09:30:00.000Z"
    assert answer(filled, "today") == "2026-03-02"
    assert answer(filled, "deviceid") == "collect:0123456789abcdef"
    assert answer(filled, "username") == "ROSSO-01"
    assert answer(filled, "site") == "ROSSO"
    assert list(filled.files) == ["audit.csv"]


def test_record_has_a_random_id_of_its_own() -> None:
    blank, _ = shipped_blank("f02_passage")
    at_work = officer()
    ids = {fill_form(blank, at_work, NOW).instance_id for _ in range(5)}
    assert len(ids) == 5
    assert all(one.startswith("uuid:") and one[19] == "4" for one in ids)


def test_each_person_gets_an_entity_of_its_own() -> None:
    blank, _ = shipped_blank("f04_arrivee")
    at_work = officer()
    entities = [
        entity.get("id")
        for _ in range(6)
        for entity in fill_form(blank, at_work, NOW).root.iter("{*}entity")
    ]  # fmt: skip
    assert len(set(entities)) == len(entities) > 6
    assert all(entities)


def test_each_person_gets_a_reference_of_their_own() -> None:
    """`once(…uuid()…)` is drawn anew for each instance of a repeat."""
    blank, _ = shipped_blank("f04_arrivee")
    at_work = officer()
    arrivals = [[one.text for one in fill_form(blank, at_work, NOW).root.iterfind("personnes/ref")] for _ in range(6)]
    references = [reference for arrival in arrivals for reference in arrival]
    assert max(len(arrival) for arrival in arrivals) > 1
    assert len(set(references)) == len(references) > 6
    assert all(references)


def test_edit_keeps_all_but_one_answer_and_names_its_original() -> None:
    blank, definition = shipped_blank("f04_arrivee")
    at_work = officer()
    first = fill_form(blank, at_work, NOW)
    edit = correct_form(blank, at_work, NOW + timedelta(hours=1), first)
    assert answer(edit, "meta/deprecatedID") == first.instance_id
    assert answer(edit, "arrivee/quand") == answer(first, "arrivee/quand")
    assert findings(definition, edit) == []


QUESTIONS: dict[str, tuple[str, str, Callable[[etree._Element], bool]]] = {
    "number within bounds": (
        "| | integer | n | N | yes | | . > 40 and . <= 42 |", "",
        lambda r: r.findtext("n") in "41 42",
    ),
    "text by a pattern": (
        "| | text | t | T | yes | | regex(., '[A-Z]{3}-\\d{4}') |", "", lambda r: len(r.findtext("t") or "") == 8,
    ),
    "choice": (
        "| | select_one l | c | C | yes |", "| | l | a | A |\n| | l | b | B |\n", lambda r: r.findtext("c") in "ab",
    ),
    "not relevant, left out": (
        "| | integer | n | N | yes | | . = 1 |\n| | text | t | T | yes | ${n} = 2 |", "",
        lambda r: r.find("t") is None,
    ),
    "counted repeat": (
        "| | integer | n | N | yes | | . = 3 |\n| | begin_repeat | p | P | | | | | ${n} |\n| | text | t | T | yes |\n"
        "| | end_repeat | | |", "", lambda r: len(r.findall("p/t")) == 3,
    ),
    "calculated from a later answer": (
        "| | calculate | double | | | | | ${n} * 2 |\n| | integer | n | N | yes | | . = 4 |", "",
        lambda r: r.findtext("double") == "8",
    ),
    "place": ("| | geopoint | g | G | yes |", "", lambda r: len((r.findtext("g") or "").split()) == 4),
    "date in the past": ("| | date | d | D | yes | | . < today() |", "", lambda r: bool(r.findtext("d"))),
    "picture": ("| | image | i | I | yes |", "", lambda r: (r.findtext("i") or "").endswith(".png")),
}  # fmt: skip


@pytest.mark.parametrize("case", QUESTIONS)
def test_question_gets_an_answer_that_its_form_accepts(case: str) -> None:
    rows, choices, is_right = QUESTIONS[case]
    blank, definition = small_form(rows, choices)
    filled = fill_form(blank, officer(), NOW)
    assert is_right(filled.root)
    assert (filled.problems, findings(definition, filled)) == ([], [])


def test_what_no_answer_satisfies_is_reported() -> None:
    blank, _ = small_form("| | integer | n | N | yes | | . = 1 and . = 2 |")
    assert [one.rpartition("/")[2] for one in fill_form(blank, officer(), NOW).problems] == ["n"]


def test_installation_id_looks_like_collects() -> None:
    assert make_collect_id(Random(1)).startswith("collect:")
    assert len(make_collect_id(Random(1))) == 24
