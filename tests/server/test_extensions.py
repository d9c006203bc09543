"""A request's transaction: open for writing from the start where it writes, committed before the answer leaves."""

import stat
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from server import create_app
from server.accounts.permissions import PUBLIC, permission, reads_first
from server.config import Settings
from server.extensions import csrf, db
from sync.models import Setting
from tests.conftest import SECRET
from tests.sync.factory import NOW


def write() -> str:
    db.session.add(Setting(name="notice", value="written", changed_at=NOW))
    return "done"


def fail() -> str:
    write()
    raise RuntimeError("after the writing")


def add_view(app: Flask, view: object) -> None:
    app.add_url_rule("/do", "do", csrf.exempt(permission(PUBLIC)(view)), methods=["POST"])  # type: ignore[type-var]


def kept(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Setting.value)))


def test_what_a_view_wrote_is_committed(app: Flask, client: FlaskClient, session: Session) -> None:
    add_view(app, write)
    assert client.post("/do").status_code == 200
    assert kept(session) == ["written"]


def test_what_a_broken_view_wrote_is_not(app: Flask, client: FlaskClient, session: Session) -> None:
    add_view(app, fail)
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = False, False
    assert client.post("/do").status_code == 500
    assert kept(session) == []


@pytest.mark.parametrize(("mark", "first"), [(False, "BEGIN IMMEDIATE"), (True, "BEGIN")])
def test_a_writing_request_takes_the_lock_before_it_reads(
    app: Flask, client: FlaskClient, session: Session, mark: bool, first: str
) -> None:
    def read() -> str:
        return str(db.session.scalar(text("SELECT 1")))

    add_view(app, reads_first(read) if mark else read)
    begun: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _cursor, sql, *_more: begun.append(sql))
    client.post("/do")
    assert next(one for one in begun if one.startswith("BEGIN")) == first


def test_data_are_the_owners_alone(tmp_path: Path) -> None:
    create_app(Settings(data_dir=str(tmp_path / "var"), secret_key=SECRET))
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
