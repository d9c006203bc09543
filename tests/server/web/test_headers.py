"""What pages tell the browser, and tablets are spared."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.accounts import add_account, log_in


def test_a_page_runs_no_foreign_code_and_leaves_no_copy(client: FlaskClient) -> None:
    headers = client.get("/login").headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")


def test_static_files_may_be_kept(client: FlaskClient) -> None:
    with client.get("/static/teral.css") as answer:
        assert "no-store" not in answer.headers.get("Cache-Control", "")


def test_an_error_page_has_them_too(client: FlaskClient) -> None:
    assert "Content-Security-Policy" in client.get("/nothing-here").headers


@pytest.mark.parametrize("address", ["/", "/submissions/", "/users/new", "/forms/new", "/settings/", "/sites/new"])
def test_no_page_holds_code_or_style_inline(client: FlaskClient, session: Session, address: str) -> None:
    role = "auditor" if address == "/submissions/" else "administrator"
    page = log_in(client, add_account(session, role)).get(address).text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)
