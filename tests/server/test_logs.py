"""The access log opens no door and tells of nobody."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidHeader

from server.logs import AccessLogger, redact

TOKEN = "a" * 63 + "!"
PATHS = {
    f"/v1/key/{TOKEN}/projects/1/formList?deviceID=collect%3Aabc": "/v1/key/…/projects/1/formList",
    f"/v1/test/{TOKEN}/projects/1/forms/x/draft/formList": "/v1/test/…/projects/1/forms/x/draft/formList",
    f"/v1/key/{TOKEN}": "/v1/key/…",
    f"/v1/sessions/{TOKEN}": "/v1/sessions/…",
    "/people/?q=Awa+Ndiaye": "/people/",
}


@pytest.mark.parametrize("path", PATHS)
def test_tokens_and_queries_are_left_out(path: str) -> None:
    assert redact(path) == PATHS[path]


@pytest.fixture
def logger(caplog: pytest.LogCaptureFixture) -> Iterator[AccessLogger]:
    config = Config()
    config.set("accesslog", "-")
    made = AccessLogger(config)
    for log in (made.access_log, made.error_log):
        log.addHandler(caplog.handler)
    yield made
    for log in (made.access_log, made.error_log):
        log.removeHandler(caplog.handler)


def test_a_fault_is_told_without_token_query_and_words(logger: AccessLogger, caplog: pytest.LogCaptureFixture) -> None:
    try:
        int("Awa Ndiaye")
    except ValueError:
        logger.exception("Error handling request %s %s", "GET", f"/v1/key/{TOKEN}/projects/1/formList?deviceID=x")
        logger.exception("Error handling request")
    assert caplog.messages[0].startswith("Error handling request GET /v1/key/…/projects/1/formList\n")
    assert [one.splitlines()[-1] for one in caplog.messages] == ["builtins.ValueError"] * 2
    assert "Awa" not in caplog.text.replace('int("Awa Ndiaye")', "")


def test_a_request_that_cannot_be_read_is_not_quoted(logger: AccessLogger, caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise InvalidHeader(f"AUTHORIZATION: {TOKEN}")
    except InvalidHeader as error:
        logger.warning(f"Invalid request from ip=192.0.2.1: {error}")
    logger.warning("Worker %s is slow", 3)
    assert caplog.messages == ["Invalid request from ip=192.0.2.1: InvalidHeader", "Worker 3 is slow"]


def test_line_says_who_what_and_how_it_went(logger: AccessLogger, caplog: pytest.LogCaptureFixture) -> None:
    environ = {"RAW_URI": f"/v1/key/{TOKEN}/x?q=1", "REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1"}
    with caplog.at_level(logging.INFO, logger="gunicorn.access"):
        logger.access(SimpleNamespace(status_code=200), None, environ, timedelta(milliseconds=7))
    assert "192.0.2.1 GET /v1/key/…/x 200 7ms" in caplog.messages
