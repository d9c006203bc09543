"""The log tells what broke and where, and nothing of whom it was about."""

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server.accounts.permissions import PUBLIC, permission
from server.extensions import db
from server.faults import render_fault


def fail(name: str) -> str:
    try:
        return str(db.session.scalar(text("SELECT * FROM nowhere WHERE name = :name"), {"name": f"{name} Ndiaye"}))
    except SQLAlchemyError as error:
        raise ValueError(name) from error


@pytest.mark.both_databases
def test_a_fault_of_a_page_is_logged_without_what_it_was_about(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    app.add_url_rule("/broken/<name>", "broken", permission(PUBLIC)(fail))
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = False, False
    with caplog.at_level(logging.ERROR):
        assert client.get("/broken/Awa").status_code == 500
    for told in ("GET broken broke", "in fail", "sqlalchemy.exc.", "builtins.ValueError"):
        assert told in caplog.text
    assert "Awa" not in caplog.text


def test_an_error_of_the_database_hides_its_values(session: Session) -> None:
    with pytest.raises(Exception, match="nowhere") as told:
        session.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "Awa Ndiaye"})
    assert "Awa" not in str(told.value)


def test_a_cause_that_was_left_out_on_purpose_stays_out() -> None:
    fault = ValueError()
    fault.__context__, fault.__cause__ = KeyError(), None
    assert render_fault(fault) == "builtins.ValueError"
    fault.__suppress_context__ = False
    assert render_fault(fault) == "builtins.KeyError\nand then:\nbuiltins.ValueError"
