"""One visit of a tablet: who it is, where it thinks the server is, and what is noted of it."""

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from flask import Flask
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from server.accounts.credentials import Holder
from server.openrosa.room import Caller, Visit
from server.openrosa.routes import get_room
from sync.devices import Fetch
from sync.intake import Sender

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOLDER = Holder(
    3, 4, 5, "centre", "en", "all", 1, is_in_use=True, has_quarantined=False, password_sha256="", sealed_ha1=b""
)


def visit(app: Flask, holder: Holder | None, query: str = "deviceID=collect%3Aabc") -> Visit:
    room = get_room(app)
    builder = EnvironBuilder("/formList", base_url="https://teral.example", query_string=query)
    builder.headers["User-Agent"] = "org.odk.collect.android/v2026.3.1"
    caller = Caller(holder, None, room.catalogues.get(0), "/v1/key/token/projects/1", NOW)
    return Visit(room, Request(builder.get_environ()), caller, ExitStack())


def test_addresses_are_those_by_which_the_tablet_came(app: Flask) -> None:
    assert visit(app, HOLDER).base_url == "https://teral.example/v1/key/token/projects/1"


def test_a_sender_is_the_tablet_where_it_stood(app: Flask) -> None:
    assert visit(app, HOLDER).as_sender() == Sender(3, 5, 4, "collect:abc", "org.odk.collect.android/v2026.3.1")


def test_who_tests_a_draft_is_no_tablet(app: Flask) -> None:
    sender = visit(app, None).as_sender()
    assert (sender.device_id, sender.site_id, sender.is_draft) == (None, None, True)


@pytest.mark.parametrize(("holder", "language"), [(HOLDER, "en"), (None, "fr")])
def test_answers_are_in_the_tablets_language(app: Flask, holder: Holder | None, language: str) -> None:
    assert visit(app, holder).caller.language == language


def test_an_older_collect_sends_no_device_id(app: Flask) -> None:
    assert visit(app, HOLDER, "").collect_id is None


@pytest.mark.parametrize(("kind", "submitted_at"), [("submission", NOW), ("form_list", None)])
def test_every_contact_is_noted_once_with_its_kind(app: Flask, kind: str, submitted_at: datetime | None) -> None:
    one = visit(app, HOLDER)
    one.note(kind, Fetch("form", "f02_passage", "1", "", "md5:x"))
    [noted] = one.room.contacts._waiting.values()  # what the writer will find
    assert (noted.device_id, noted.kind, noted.submitted_at, len(noted.fetches)) == (3, kind, submitted_at, 1)


def test_a_test_of_a_draft_is_no_contact(app: Flask) -> None:
    one = visit(app, None)
    one.note("form_list")
    assert one.room.contacts._waiting == {}
