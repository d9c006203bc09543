"""What a tablet refuses of a form's model: each in a form that is right but for that."""

import pytest

from tests.forms.refused import FORM, Change, changes, codes_in, errors_in

HEAD, BODY = (
    FORM[FORM.index("<h:head>") : FORM.index("<h:body>")],
    FORM[FORM.index("<h:body>") : FORM.index("</h:html>")],
)


@pytest.mark.parametrize("change", changes("refused_models"), ids=lambda change: change.name)
def test_a_tablet_s_refusal_stops_publishing(change: Change) -> None:
    assert codes_in(change.apply()) == change.refused


def test_a_model_after_the_body_is_refused() -> None:
    assert codes_in(FORM.replace(HEAD + BODY, BODY + HEAD)) == "model_after_body"


def test_two_templates_of_one_repeat_are_refused() -> None:
    twice = FORM.replace('<r jr:template="">', '<r jr:template=""><name/><deep><n/></deep></r><r jr:template="">')
    assert codes_in(twice) == "template_twice"


def test_each_refusal_has_a_sentence_that_says_where() -> None:
    [problem] = errors_in(
        FORM.replace('event="odk-instance-first-load" ref="/data/set"', 'event="now" ref="/data/set"')
    )
    assert problem.word() == "ODK Collect does not know the event “now” (setvalue)."
