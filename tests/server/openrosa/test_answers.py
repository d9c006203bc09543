"""Answers carry what makes Collect believe that it speaks to an OpenRosa server."""

import hashlib

import pytest
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from server.openrosa.answers import answer_document, answer_error, answer_head, answer_message
from server.openrosa.errors import DISK_FULL, RETRY_LATER, OpenRosaError

BODY = b"<xforms/>"
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()


def asking(**headers: str) -> Request:
    return Request(EnvironBuilder(headers=headers).get_environ())


def test_every_answer_names_the_protocol() -> None:
    answers = [answer_document(asking(), BODY), answer_message("ok", 201, "fr"), answer_head()]
    assert {one.headers["X-OpenRosa-Version"] for one in answers} == {"1.0"}
    assert {one.headers["X-OpenRosa-Accept-Content-Length"] for one in answers} == {"10000000"}


def test_document_may_be_kept_but_must_be_asked_about() -> None:
    answer = answer_document(asking(), BODY)
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (200, BODY, f'"{MD5}"')
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize("known", [f'"{MD5}"', f'W/"{MD5}"', f'"other", "{MD5}"', "*"])
def test_known_document_is_not_sent_again(known: str) -> None:
    answer = answer_document(asking(**{"If-None-Match": known}), BODY)
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", f'"{MD5}"')


def test_changed_document_is_sent() -> None:
    assert answer_document(asking(**{"If-None-Match": '"other"'}), BODY).status_code == 200


@pytest.mark.parametrize(
    ("status", "nature"), [(201, "submit_success"), (202, "submit_success"), (400, "error"), (507, "error")]
)
def test_message_says_whether_it_is_good_news(status: int, nature: str) -> None:
    answer = answer_message("text", status, "en")
    assert (answer.status_code, answer.headers["Content-Language"]) == (status, "en")
    assert f'nature="{nature}"'.encode() in answer.data


def test_error_is_told_in_the_tablets_language_with_its_headers() -> None:
    answer = answer_error(OpenRosaError(507, DISK_FULL, RETRY_LATER), "fr")
    assert (answer.status_code, answer.headers["Retry-After"]) == (507, "30")
    assert "tablette" in answer.get_data(as_text=True)


def test_head_names_no_other_place() -> None:
    assert (answer_head().status_code, "Location" in answer_head().headers) == (204, False)
