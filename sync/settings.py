"""Settings that administrators change while the server runs. What needs a restart is server/config.py."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.models import Setting


class SettingRefused(FormsError):
    """A value that a setting cannot have."""

    messages = {
        "setting_unknown": N_("There is no such setting."),
        "setting_number": N_("A whole number from %(least)s to %(most)s is needed here."),
        "setting_long": N_("At most %(most)s characters are possible here."),
    }


@dataclass(frozen=True, slots=True)
class Known:
    """One setting: its default, its words, and how a typed value becomes a value."""

    name: str
    default: Any
    label: str
    hint: str
    parse: Callable[[str], Any]


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        # Python refuses to read numbers of thousands of digits; nobody means one.
        if not re.fullmatch(r"\s*[0-9]{1,9}\s*", text) or not least <= int(text) <= most:
            raise SettingRefused("setting_number", least=least, most=most)
        return int(text)

    return parse


def _text(most: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if len(text.strip()) > most:
            raise SettingRefused("setting_long", most=most)
        return text.strip()

    return parse


KNOWN = {
    one.name: one
    for one in (
        Known(
            "silent_after_hours", 72, N_("Hours until a tablet counts as silent"),
            N_("A tablet that was not heard of for so long is pointed out on the status page."), _number(1, 2160),
        ),
        Known(
            "entity_hold_days", 5, N_("Days for which an update waits for an earlier one"),
            N_("An update of a file whose earlier updates never came is then applied all the same."), _number(1, 365),
        ),
        Known(
            "headcount_hours", 48, N_("Hours until a head-count that does not close is pointed out"),
            N_("Counted from the event. Until then arrivals may still be on their way."), _number(1, 2160),
        ),
        Known(
            "peer_minutes", 15, N_("Minutes between two exchanges with another server"),
            N_("Counted from the beginning of the last one."), _number(1, 1440),
        ),
        Known(
            "peer_rate", 20, N_("Requests a second that another server is asked to bear"),
            N_("Lower it where the other server, or the line to it, is weak."), _number(1, 1000),
        ),
        Known(
            "notice", "", N_("Notice on the status page"),
            N_("For example a planned outage. Everybody who logs in reads it: name nobody."), _text(300),
        ),
    )
}  # fmt: skip


def get_setting(session: Session, name: str) -> Any:
    """The value in force: what an administrator set, else the default."""
    row = session.get(Setting, name)
    return KNOWN[name].default if row is None else row.value


def change_setting(session: Session, name: str, text: str, actor_id: int | None, now: datetime) -> None:
    """Set a value as it was typed, or raise SettingRefused; the journal keeps who did it."""
    if name not in KNOWN:
        raise SettingRefused("setting_unknown")
    value = KNOWN[name].parse(text)
    if value == get_setting(session, name):
        return
    session.merge(Setting(name=name, value=value, changed_at=now, changed_by_id=actor_id))
    session.flush()
    add_audit_event(session, actor_id, "setting.changed", f"setting:{name}", now)
