"""The QR code: what Collect unpacks from it."""

import base64
import json
import zlib
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from server.accounts.collect_settings import draft_settings, draft_url, pack_settings, render_qr_png, render_qr_svg
from server.accounts.credentials import Enrolment, enrol_device
from server.config import Settings
from tests.sync.factory import add_site


@pytest.fixture
def enrolment(session: Session, settings: Settings) -> Enrolment:
    return enrol_device(session, settings, add_site(session), "ROS-1", datetime.now(UTC))


def unpack(text: str) -> dict[str, dict[str, object]]:
    unpacked: dict[str, dict[str, object]] = json.loads(zlib.decompress(base64.b64decode(text)))
    return unpacked


def test_code_holds_what_the_enrolment_says(enrolment: Enrolment) -> None:
    assert unpack(pack_settings(enrolment.settings)) == enrolment.settings


def test_settings_spare_the_officer_collects_defaults(enrolment: Enrolment) -> None:
    general, admin = enrolment.settings["general"], enrolment.settings["admin"]
    assert (general["form_update_mode"], general["autosend"]) == ("match_exactly", "wifi_and_cellular")
    assert (general["analytics"], general["image_size"], general["app_language"]) == (False, "medium", "fr")
    assert (admin["delete_saved"], admin["change_server"]) == (False, False)


def test_code_is_drawn_as_png_and_svg(enrolment: Enrolment) -> None:
    assert render_qr_png(enrolment.settings).startswith(b"\x89PNG")
    assert b"<svg" in render_qr_svg(enrolment.settings)


def test_draft_has_a_project_of_its_own(settings: Settings) -> None:
    url = draft_url(settings, "abc", "../b")
    assert url == "http://teral.test/v1/test/abc/projects/1/forms/..%2Fb/draft"
    packed = unpack(pack_settings(draft_settings(settings, "Passage", url)))
    assert (packed["general"]["server_url"], packed["project"]["icon"], packed["admin"]) == (url, "📝", {})
