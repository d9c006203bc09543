"""What a tablet refuses of a form's questions: each in a form that is right but for that."""

import pytest

from forms.errors import FormRefused
from forms.publishable import read_publishable
from tests.forms.refused import FORM, Change, changes, codes_in


@pytest.mark.parametrize("change", changes("refused_questions"), ids=lambda change: change.name)
def test_a_tablet_s_refusal_stops_publishing(change: Change) -> None:
    assert codes_in(change.apply()) == change.refused


@pytest.mark.parametrize("change", changes("nobody"), ids=lambda change: change.name)
def test_what_a_tablet_opens_is_published(change: Change) -> None:
    assert codes_in(change.apply()) == ""


def test_a_template_that_no_repeat_uses_is_refused() -> None:
    body = FORM[FORM.index("<h:body>") : FORM.index("</h:body>")]
    assert codes_in(FORM.replace(body, "<h:body>")) == "template_without_repeat"


def test_a_refusal_has_the_row_of_its_question() -> None:
    sheet = """| survey |
| | type              | name  | label |
| | begin_group       | lieux | L     |
| | text              | ville | V     |
| | end_group         |       |       |
| | select_one ${ville} | choix | C   |
| settings |
| | form_id |
| | essai   |
"""
    with pytest.raises(FormRefused) as refused:
        read_publishable(sheet.encode(), "form.md")
    found = [(one.code, one.sheet, one.row) for one in refused.value.problems if one.grade == "error"]
    assert found == [("choices_of_no_repeat", "survey", 5)]
