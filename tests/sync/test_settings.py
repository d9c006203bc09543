"""Settings take what can be meant, and keep who changed them."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import AuditEvent
from sync.settings import SettingRefused, change_setting, get_setting
from tests.sync.factory import NOW


@pytest.mark.both_databases
def test_a_changed_setting_is_in_force_and_in_the_journal(session: Session) -> None:
    assert get_setting(session, "silent_after_hours") == 72
    change_setting(session, "silent_after_hours", " 24 ", None, NOW)
    assert get_setting(session, "silent_after_hours") == 24
    assert session.scalars(select(AuditEvent.target)).all() == ["setting:silent_after_hours"]


def test_the_same_value_again_changes_nothing(session: Session) -> None:
    change_setting(session, "silent_after_hours", "72", None, NOW)
    assert session.scalars(select(AuditEvent)).all() == []


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("silent_after_hours", "", "setting_number"),
        ("silent_after_hours", "0", "setting_number"),
        ("silent_after_hours", "three", "setting_number"),
        ("silent_after_hours", "9" * 5000, "setting_number"),
        ("notice", "n" * 301, "setting_long"),
        ("demo", "1", "setting_unknown"),
    ],
    ids=["blank", "too small", "a word", "thousands of digits", "long text", "not theirs to change"],
)
def test_what_cannot_be_meant_is_refused(session: Session, name: str, text: str, code: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        change_setting(session, name, text, None, NOW)
    assert refused.value.code == code
