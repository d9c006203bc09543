"""The printed sheet: a page with the code, and no secret beside it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from server.accounts.credentials import enrol_device
from server.accounts.enrolment_sheet import render_sheet
from server.config import Settings
from tests.sync.factory import add_site


@pytest.mark.parametrize("language", ["fr", "en"])
def test_sheet_is_a_page_without_secrets_in_clear(session: Session, settings: Settings, language: str) -> None:
    enrolment = enrol_device(session, settings, add_site(session), "ROS-1", datetime.now(UTC), language)
    sheet = render_sheet(enrolment)
    assert sheet.startswith(b"%PDF")
    assert b"ROS-1" in sheet  # the title
    assert enrolment.token.encode() not in sheet
    assert enrolment.password.encode() not in sheet
