from datetime import UTC, datetime

import pytest

from forms.errors import FormsError
from forms.xlsform import read_form
from forms.xml import local_name
from server.tablets.blanks import BlankForm, read_blank

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FORM = """
| survey |
| | type | name | label | calculation | default | trigger |
| | calculate | id | | once(uuid()) | | |
| | calculate | chance | | concat('uuid()', random()) | | |
| | text | a | A | | | |
| | calculate | when | | now() | | ${a} |
| | begin_repeat | r | R | | | |
| | dateTime | at | At | | now() | |
| | range | level | Level | | | |
| | image | photo | Photo | | | |
| | end_repeat | | | | | |
| settings |
| | form_id | version |
| | small | 1 |
"""


@pytest.fixture(scope="module")
def blank() -> BlankForm:
    return read_blank(read_form(FORM.encode(), "small.md").xml, {"lieux.csv": b"name\na\n", "broken.csv": b"\xff"})


def test_chance_is_asked_of_the_tablet_and_quoted_words_stay(blank: BlankForm) -> None:
    calculated = {one.name: one.calculate for one in blank.definition.fields if one.calculate}
    assert calculated["id"] == "once(instance('teral-chance')/root/item/uuid)"
    assert calculated["chance"] == "concat('uuid()', number(instance('teral-chance')/root/item/random))"


def test_record_opens_with_one_instance_of_each_repeat_and_no_namespace(blank: BlankForm) -> None:
    names = [local_name(one) for one in blank.template]
    assert names.count("r") == 1
    assert all(not str(one.tag).startswith("{http://www.w3.org") for one in blank.template.iter())


def test_what_fills_itself_is_told_from_what_a_question_triggers(blank: BlankForm) -> None:
    assert {(one.path.rpartition("/")[2], one.question) for one in blank.actions} == {
        ("at", None),
        ("when", "/data/a" if blank.definition.root == "data" else "/small/a"),
    }


def test_controls_say_more_than_binds(blank: BlankForm) -> None:
    said = {path.rpartition("/")[2]: values for path, values in blank.attributes.items()}
    assert said["level"]["end"] == "10"
    assert said["photo"]["mediatype"] == "image/*"


def test_list_is_found_by_file_and_by_name(blank: BlankForm) -> None:
    assert {"lieux.csv", "lieux"} <= blank.lists.keys()
    assert "broken" not in blank.lists


def test_what_is_no_form_is_refused() -> None:
    with pytest.raises(FormsError):
        read_blank(b"<html/>", {})
