"""What another server's answers mean for an exchange."""

import pytest
from requests import Response

from sync.peer_answers import PeerError, check_rows, refuse


def answer(status: int, body: bytes = b"") -> Response:
    made = Response()
    made.status_code, made._content = status, body
    return made


@pytest.mark.parametrize("status", [200, 201, 304])
def test_a_success_is_no_refusal(status: int) -> None:
    refuse(answer(status))


@pytest.mark.parametrize(
    ("status", "code", "is_lasting"),
    [
        (401, "peer_credentials", True),
        (403, "peer_forbidden", False),
        (404, "peer_missing", False),
        (409, "peer_refused", False),
        (429, "peer_busy", True),
        (500, "peer_refused", False),
        (503, "peer_busy", True),
        (504, "peer_busy", True),
    ],
)
def test_refusals_are_told_apart(status: int, code: str, is_lasting: bool) -> None:
    with pytest.raises(PeerError) as refused:
        refuse(answer(status))
    assert (refused.value.code, refused.value.status, refused.value.is_lasting) == (code, status, is_lasting)


@pytest.mark.parametrize(
    ("body", "problem", "words"),
    [
        (b'{"code": 409.6, "message": "Awa is known here"}', 409.6, "(409.6)"),
        (b'{"code": "Awa"}', None, "(409)"),
        (b"[]", None, "(409)"),
        (b"<html>", None, "(409)"),
    ],
    ids=["Central's", "no number", "no object", "no JSON"],
)
def test_the_code_of_a_problem_is_told_and_not_its_words(body: bytes, problem: float | None, words: str) -> None:
    with pytest.raises(PeerError) as refused:
        refuse(answer(409, body))
    assert refused.value.problem == problem
    assert (words in str(refused.value), "Awa" in str(refused.value)) == (True, False)


@pytest.mark.parametrize(
    "told", [None, {}, "a", [1], [{}], [{"name": None}], [{"name": 1}], [{"name": "a"}, {}]], ids=repr
)
def test_rows_that_are_none_are_told(told: object) -> None:
    with pytest.raises(PeerError) as refused:
        check_rows(told, "name")
    assert (refused.value.code, refused.value.is_lasting) == ("peer_confused", False)
