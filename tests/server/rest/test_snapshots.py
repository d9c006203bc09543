"""Exports taken up again through the front door, and what an erasure leaves of them."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from server.config import Settings
from server.jobs import run_once
from server.processing import process_pending
from server.web.labels import LABELS
from sync.erasure import Keep
from tests.server.openrosa.test_submission import every_connection
from tests.server.rest.program import Program, form_path, problem
from tests.server.rest.samples import record
from tests.server.rest.test_submissions import send
from tests.sync.test_erasure import erase

CSV = f"{form_path('market')}/submissions.csv"


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings.data_path / "exports"


@pytest.mark.both_databases
def test_an_erasure_reaches_kept_exports(app: Flask, market: Program, session: Session, folder: Path) -> None:
    for name, fruit in (("a", "mango"), ("b", "papaya")):
        send(market, record(name, f"<fruit>{fruit}</fruit>"))
    process_pending()
    etag = market.get(CSV).headers["ETag"]
    (kept,) = folder.iterdir()
    assert b"mango" in kept.read_bytes()
    erase(session, "a", Keep())
    told = run_once(app)["tidy_exports"]
    assert (told, list(folder.iterdir()), told.keys() <= LABELS["detail"].keys()) == ({"exports": 1}, [], True)
    anew = market.get(CSV, headers={"Range": "bytes=0-", "If-Range": etag})
    assert (anew.status_code, b"mango" in anew.data, b"papaya" in anew.data) == (200, False, True)


def test_what_was_exported_before_an_erasure_is_not_given_again(market: Program, session: Session) -> None:
    send(market, record("a"))
    process_pending()
    etag = market.get(CSV).headers["ETag"]
    erase(session, "a", Keep())
    anew = market.get(CSV, headers={"Range": "bytes=0-", "If-Range": etag})
    assert (anew.status_code, b"mango" in anew.data) == (200, False)


def test_an_export_that_is_read_while_something_is_erased_is_not_kept(
    app: Flask, market: Program, session: Session, folder: Path
) -> None:
    send(market, record("a"))
    process_pending()
    export = market.get(CSV)
    reading = iter(export.response)
    next(reading)
    erase(session, "a", Keep())
    run_once(app)
    assert (len(list(reading)) > 0, list(folder.iterdir())) == (True, [])
    export.close()


def test_a_full_disk_is_507(market: Program, app: Flask) -> None:
    every_connection(app, "PRAGMA max_page_count=1")  # which means: not one page more than there are
    big = record("a", f"<fruit>{'x' * 100_000}</fruit>")
    answer = market.post(f"{form_path('market')}/submissions", data=big, content_type="application/xml")
    assert problem(answer) == (507, 507.1)
