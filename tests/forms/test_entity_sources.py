"""An entity's id must be one bare UUID: what it is taken from is followed through the whole form."""

import pytest

from forms.errors import FormProblem
from forms.publishable import read_publishable
from forms.xlsform import XlsFormRefused

CHOICES = "| choices |\n| | list_name | name | label |\n| | l | a | A |\n"
ONE = "| | select_one l | un | Un | | | |"
SEVERAL = "| | select_multiple l | plusieurs | Plusieurs | | | |"


def problems(rows: str, entity_id: str, claim: str = "") -> list[FormProblem]:
    """What publishing says of a form that updates the list `dossiers`."""
    entities = f"| entities |\n| | list_name | entity_id |\n| | dossiers | {entity_id} |\n" if entity_id else ""
    head = "| | type | name | label | calculation | trigger | bind::teral:entity |\n| | csv-external | dossiers |"
    settings = "| settings |\n| | form_id | version |\n| | f | 1 |"
    sheet = f"| survey |\n{head}\n{rows}\n{claim}\n{CHOICES}{entities}{settings}"
    try:
        return read_publishable(sheet.encode(), "f.md").problems
    except XlsFormRefused as refused:
        return refused.problems


def codes(rows: str, entity_id: str, claim: str = "") -> list[str]:
    return [one.code for one in problems(rows, entity_id, claim) if one.grade == "error"]


@pytest.mark.parametrize(
    ("rows", "entity_id"),
    [
        pytest.param(SEVERAL, "${plusieurs}", id="as it is"),
        pytest.param(SEVERAL.replace("select_multiple", "rank"), "${plusieurs}", id="a rank"),
        pytest.param(f"{SEVERAL}\n| | calculate | c | | ${{plusieurs}} | | |", "${c}", id="through a calculation"),
        pytest.param(
            f"{SEVERAL}\n| | calculate | c | | string(${{plusieurs}}) | | |\n| | calculate | d | | once(${{c}}) | | |",
            "coalesce(${d}, uuid())",
            id="through a chain of them",
        ),
        pytest.param(f"{ONE}\n{SEVERAL}", "if(${un} = 'a', ${plusieurs}, ${un})", id="in one of two cases"),
        pytest.param(
            f"{SEVERAL}\n| | text | t | T | | | |\n| | calculate | c | | ${{plusieurs}} | ${{t}} | |",
            "${c}",
            id="through a calculation that another answer triggers",
        ),
    ],
)
def test_id_from_a_select_multiple_is_refused(rows: str, entity_id: str) -> None:
    [problem] = [one for one in problems(rows, entity_id) if one.grade == "error"]
    assert (problem.code, problem.sheet, problem.column) == ("entity_id_of_several", "entities", "entity_id")
    assert problem.params["path"] == "/data/plusieurs"
    assert "selected-at" in problem.word()


@pytest.mark.parametrize(
    ("rows", "entity_id"),
    [
        pytest.param(ONE, "${un}", id="a select_one"),
        pytest.param(SEVERAL, "selected-at(${plusieurs}, 0)", id="one of several answers"),
        pytest.param(
            f"{SEVERAL}\n| | calculate | c | | selected-at(${{plusieurs}}, 1) | | |", "${c}", id="the same, calculated"
        ),
        pytest.param(
            f"{ONE}\n{SEVERAL}", "if(selected(${plusieurs}, 'a'), ${un}, uuid())", id="several as a condition"
        ),
        pytest.param(SEVERAL, "instance('l')/root/item[name = ${plusieurs}]/name", id="several inside a filter"),
    ],
)
def test_id_from_one_answer_is_taken(rows: str, entity_id: str) -> None:
    assert codes(rows, entity_id) == []


def test_id_from_a_circle_is_said_once() -> None:
    assert codes(f"{ONE}\n| | calculate | c | | ${{c}} | | |", "coalesce(${un}, ${c})") == ["rules_in_a_circle"]


@pytest.mark.parametrize(
    ("rows", "entity_id"),
    [
        pytest.param(ONE, "concat('uuid:', ${un})", id="written before it"),
        pytest.param("| | calculate | c | | concat('uuid:', uuid()) | | |", "${c}", id="in a calculation"),
        pytest.param(ONE, "/data/meta/instanceID", id="the record's own id"),
    ],
)
def test_id_with_a_prefix_is_refused(rows: str, entity_id: str) -> None:
    assert codes(rows, entity_id) == ["entity_id_prefixed"]


def test_claimed_id_from_a_select_multiple_is_refused() -> None:
    claim = SEVERAL.removesuffix(" |") + " dossiers#name |"
    assert codes("", "", claim) == ["entity_id_of_several"]
