import pytest

from forms.errors import Finding, FormProblem, FormRefused, FormsError, word_finding

MESSAGE = {"Français (fr)": "Trop.", "English (en)": "Too many."}


def upside_down(text: str) -> str:
    return text.replace("The XML", "Le XML")


def test_error_is_worded_with_its_parameters_in_any_language() -> None:
    error = FormsError("xml_too_large", limit_mb=10)
    assert str(error) == "The XML is larger than 10 MB."
    assert error.word(upside_down) == "Le XML is larger than 10 MB."


def test_refused_form_has_its_one_problem() -> None:
    assert FormRefused("form_without_model").problems == [FormProblem("form_without_model")]


def test_problem_is_worded_without_its_place() -> None:
    problem = FormProblem("unknown_type", {"type": "textt"}, sheet="survey", row=3, quoted="Unknown question type")
    assert problem.word() == "There is no question type “textt”."


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "Trop."), ("English (en)", "Too many."), ("en", "Too many."), ("wo", "Trop."), ("", "Trop.")],
)
def test_finding_is_worded_in_the_readers_language(language: str, words: str) -> None:
    assert word_finding(Finding("/data/a", "constraint", "error", "required", message=MESSAGE), str, language) == words


def test_finding_without_own_words_is_translated_from_the_catalogue() -> None:
    finding = Finding("/data", "structure", "error", "xml_too_deep", {"limit": "100"})
    assert word_finding(finding, upside_down) == "Le XML is nested deeper than 100 levels."
