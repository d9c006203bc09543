"""The access log opens no door and tells of nobody."""

import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from server.logs import AccessLogger, redact

TOKEN = "a" * 63 + "!"
PATHS = {
    f"/v1/key/{TOKEN}/projects/1/formList?deviceID=collect%3Aabc": "/v1/key/…/projects/1/formList",
    f"/v1/test/{TOKEN}/projects/1/forms/x/draft/formList": "/v1/test/…/projects/1/forms/x/draft/formList",
    f"/v1/key/{TOKEN}": "/v1/key/…",
    "/people/?q=Awa+Ndiaye": "/people/",
}


@pytest.mark.parametrize("path", PATHS)
def test_tokens_and_queries_are_left_out(path: str) -> None:
    assert redact(path) == PATHS[path]


def test_line_says_who_what_and_how_it_went(caplog: pytest.LogCaptureFixture) -> None:
    config = Config()
    config.set("accesslog", "-")
    environ = {"RAW_URI": f"/v1/key/{TOKEN}/x?q=1", "REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1"}
    logger = AccessLogger(config)
    logger.access_log.addHandler(caplog.handler)
    with caplog.at_level(logging.INFO, logger="gunicorn.access"):
        logger.access(SimpleNamespace(status_code=200), None, environ, timedelta(milliseconds=7))
    logger.access_log.removeHandler(caplog.handler)
    assert "192.0.2.1 GET /v1/key/…/x 200 7ms" in caplog.messages
