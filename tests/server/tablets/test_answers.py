from datetime import UTC, datetime
from random import Random

import pytest

from forms.definition import Field
from server.tablets.answers import Asked, list_answers, make_point

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def asked(field: Field, choices: list[str] | None = None, **person: str) -> Asked:
    return Asked(field, choices or [], NOW, Random(1), person, "ROSSO")


def first(field: Field, choices: list[str] | None = None, **person: str) -> str:
    return next(list_answers(asked(field, choices, **person)))


def test_the_tablets_own_site_is_chosen_first() -> None:
    assert first(Field("/d/site", "question", control="select1"), ["AIBD", "ROSSO", "KIDIRA"]) == "ROSSO"


def test_what_the_registry_asks_is_answered_by_the_person_at_hand() -> None:
    assert first(Field("/d/x", "question", person="sex", control="select1"), ["0", "1", "2"], sex="2") == "2"
    assert first(Field("/d/x", "question", person="family_name"), family_name="Diop") == "Diop"


def test_zone_lines_belong_to_one_document() -> None:
    person = {
        "family_name": "Diop", "given_names": "Awa", "nationality": "SEN", "document_number": "A1234567",
        "birth_date": "1990-01-02", "sex": "2",
    }  # fmt: skip
    lines = [first(Field(f"/d/{name}", "question"), **person) for name in ("mrz1", "mrz2", "mrz_scan")]
    assert lines[2] == lines[0] + lines[1]


@pytest.mark.parametrize(
    ("rule", "lowest", "highest"),
    [(". >= 5 and . <= 7", 5, 7), (". > 5 and . < 7", 6, 6), ("", 0, 10**6)],
)
def test_numbers_stay_within_the_bounds_that_a_rule_names(rule: str, lowest: int, highest: int) -> None:
    answers = list(list_answers(asked(Field("/d/n", "question", type="int", constraint=rule))))
    assert set(answers[:12]) <= {str(n) for n in range(lowest, min(highest, lowest + 100) + 1)}


def test_several_choices_are_never_the_same_one_twice() -> None:
    for text in list_answers(asked(Field("/d/c", "question", control="select"), list("abc"))):
        assert len(set(text.split())) == len(text.split())


def test_select_without_choices_has_no_answer() -> None:
    assert list(list_answers(asked(Field("/d/c", "question", control="select1")))) == []


def test_shape_closes_on_its_first_point() -> None:
    points = first(Field("/d/g", "question", type="geoshape")).split("; ")
    assert points[0] == points[-1]
    assert len(make_point(Random(1)).split()) == 4
