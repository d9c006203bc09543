"""One line in, one answer out, whatever the line is."""

import io
import json
from typing import Any

import pytest

from server.validation import Validator
from server.validation_lines import answer_lines, answer_object
from tests.server.test_validation import FORM, record

GOOD = {"id": "a", "form_xml": FORM.decode(), "submission_xml": record("<age>12</age>").decode(), "media": {}}


def answers(*lines: bytes, max_line: int = 100_000) -> list[dict[str, Any]]:
    return list(answer_lines(io.BytesIO(b"\n".join(lines)), Validator(), max_line))


def line(**changed: Any) -> bytes:
    return json.dumps({**GOOD, **changed}).encode()


def test_each_line_has_its_answer_in_order() -> None:
    wrong = record("<age/>").decode()
    said = answers(line(), b"", line(id=7, submission_xml=wrong))
    assert said == [
        {"id": "a", "valid": True, "errors": [], "warnings": []},
        {"id": 7, "valid": False, "errors": [{"path": "/data/age", "kind": "required"}], "warnings": []},
    ]


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"[1]",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"id": NaN}',
        b'{"id": ' + b"9" * 5_000 + b"}",
        b'{"id": 1e400}',
        b'{"id": "x"}',
        line(form_xml="<html/>"),
        line(form_xml=None),
        line(submission_xml="<a>"),
        line(submission_xml="<a/>\ud800"),
        line(media=["villages.csv"]),
        line(media={"villages.csv": 1}),
        b"x" * 200_000,
    ],
    ids=[
        "no JSON", "no object", "no UTF-8", "nested too deep", "not a number", "too long a number",
        "too large a number", "nothing in it",
        "no form", "no form text", "no XML", "half a sign", "media as a list", "media as numbers", "too long",
    ],
)  # fmt: skip
def test_a_bad_line_costs_nothing_but_itself(bad: bytes) -> None:
    said = answers(bad, line())
    assert [(one["valid"], "error" in one) for one in said] == [(False, True), (True, False)]
    assert json.loads(json.dumps(said[0], allow_nan=False))["warnings"] == []


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        pytest.param({"submission_xml": "<data"}, "structure", id="a record that is no XML"),
        pytest.param({"submission_xml": "<data/>"}, "structure", id="a record without a form"),
        pytest.param({"form_xml": "<html"}, "unverifiable", id="a form that is no XML"),
        pytest.param({"form_xml": 5}, "unverifiable", id="no form"),
    ],
)
def test_what_cannot_be_judged_is_not_valid(changed: dict[str, object], kind: str) -> None:
    [said] = answers(line(**changed))
    assert (said["id"], said["valid"], said["errors"]) == ("a", False, [{"path": "/", "kind": kind}])


def test_a_fault_of_ours_costs_one_line_and_quotes_nothing() -> None:
    class Broken(Validator):
        def validate(self, *_: Any) -> Any:
            raise RuntimeError("Diallo")

    assert answer_object(GOOD, Broken())["error"] == "internal error: RuntimeError"
