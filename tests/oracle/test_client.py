"""The oracle itself: it must outlive whatever it is asked."""

import pytest

from tests.oracle.client import Oracle
from tests.oracle.functions import FORM, SUBMISSION

FORM_XML = FORM.read_text(encoding="utf-8")
SUBMISSION_XML = SUBMISSION.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"command": "sing"},
        {"command": "validate", "form_xml": "<", "submission_xml": "<"},
        {"command": "validate", "form_xml": FORM_XML, "submission_xml": "<data>"},
        {"command": "validate", "form_xml": FORM_XML, "submission_xml": "<other/>"},
        {"command": "eval", "form_xml": FORM_XML, "expressions": "none"},
    ],
    ids=["empty question", "unknown command", "broken form", "broken submission", "other root", "no expressions"],
)
def test_bad_question_gets_an_answer_and_the_process_lives_on(oracle: Oracle, question: dict[str, object]) -> None:
    oracle.ask(question)
    assert oracle.evaluate(FORM_XML, SUBMISSION_XML, [("1 + 1", "/data/here")])[0]["string"] == "2"


def test_question_that_never_ends_is_given_up_and_the_next_one_answered(oracle: Oracle) -> None:
    endless = {"expression": f"regex('{'a' * 400}', '{'(.*)' * 12}x')", "context": "/data/here"}
    question: dict[str, object] = {"command": "eval", "form_xml": FORM_XML, "expressions": [endless]}
    assert "no answer" in oracle.ask(question, seconds=1)["error"]
    assert oracle.evaluate(FORM_XML, None, [("1 + 1", "/data/here")])[0]["string"] == "2"


def test_valid_submission_has_no_findings(oracle: Oracle) -> None:
    assert oracle.validate(FORM_XML, SUBMISSION_XML)["findings"] == []


def test_absent_nodes_are_put_back_blank_and_relevant(oracle: Oracle) -> None:
    nodes = {node["path"]: node for node in oracle.validate(FORM_XML, '<data id="functions"/>')["nodes"]}
    assert nodes["/data/text"] == {
        "path": "/data/text", "relevant": True, "value": "", "asked": True, "required": False,
    }  # fmt: skip
