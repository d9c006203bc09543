"""What changed between two versions of a form."""

from forms.definition import FormDefinition
from forms.xlsform import read_form
from sync.comparing import list_changes

HEAD = "| survey |\n| | type | name | label | required | constraint |\n"
TAIL = "| choices |\n| | list_name | name | label |\n{choices}| settings |\n| | form_id | version |\n| | essai | 1 |\n"


def form(*questions: str, choices: tuple[str, ...] = ("oui", "non")) -> FormDefinition:
    listed = "".join(f"| | reponse | {one} | {one} |\n" for one in choices)
    written = HEAD + "".join(f"| | {one} |\n" for one in questions) + TAIL.format(choices=listed)
    return read_form(written.encode(), "essai.md").definition


PLACE = "text | lieu | Lieu | |"
NUMBER = "integer | taille | Taille | yes | . > 0"
ANSWER = "select_one reponse | reponse | Réponse | |"


def told(old: FormDefinition, new: FormDefinition) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.kind, one.path, one.aspects) for one in list_changes(old, new)]


def test_the_same_form_has_no_change() -> None:
    assert told(form(PLACE, NUMBER), form(PLACE, NUMBER)) == []


def test_what_came_stands_in_the_new_order_and_what_went_last() -> None:
    assert told(form(PLACE), form(NUMBER, ANSWER)) == [
        ("added", "/data/taille", ()),
        ("added", "/data/reponse", ()),
        ("removed", "/data/lieu", ()),
    ]


def test_a_question_that_is_asked_differently_names_how() -> None:
    changed = NUMBER.replace("Taille", "Nombre").replace("> 0", "> 1").replace("integer", "decimal")
    [(kind, path, aspects)] = told(form(NUMBER), form(changed))
    assert (kind, path) == ("changed", "/data/taille")
    assert {"type", "label", "constraint"} <= set(aspects)


def test_other_choices_are_another_question() -> None:
    [(_kind, path, aspects)] = told(form(ANSWER), form(ANSWER, choices=("oui", "non", "nsp")))
    assert (path, aspects) == ("/data/reponse", ("choices",))
