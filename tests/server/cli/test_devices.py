"""`teral devices`: enrol, list, reprint, revoke."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.secrets import is_token
from sync.models import AuditEvent
from tests.server.cli.conftest import Run
from tests.sync.factory import add_site


@pytest.fixture
def enrolled(run: Run, session: Session) -> dict[str, str]:
    add_site(session)
    session.commit()
    result = run("devices", "enrol", "--site", "ROS", "--name", "ROS-1", "--json")
    enrolment: dict[str, str] = json.loads(result.stdout)
    return enrolment


def test_enrolment_is_json_only(enrolled: dict[str, str]) -> None:
    assert list(enrolled) == ["device", "server_url", "token", "username", "password", "settings"]
    assert is_token(enrolled["token"])
    assert enrolled["server_url"].endswith(f"/v1/key/{enrolled['token']}/projects/1")


def test_enrolment_for_people_prints_the_secrets_once(run: Run, enrolled: dict[str, str], tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.pdf"
    result = run("devices", "enrol", "--site", "ROS", "--name", "ROS-2", "--sheet", sheet, "--language", "en")
    assert "server_url: http" in result.stdout
    assert sheet.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["enrol", "--site", "XXX", "--name", "n"], "There is no site XXX."),
        (["enrol", "--site", "ROS", "--name", "ROS-1"], "There is a tablet ROS-1 already."),
        (["reprint", "none"], "There is no tablet none."),
        (["revoke", "none"], "There is no tablet none."),
    ],
    ids=["site", "name", "reprint", "revoke"],
)
def test_what_cannot_be_is_said(
    run: Run, enrolled: dict[str, str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    result = run("devices", *arguments)
    assert (result.exit_code, words in result.stderr) == (1, True)


def test_reprint_gives_new_secrets(run: Run, enrolled: dict[str, str]) -> None:
    again = json.loads(run("devices", "reprint", "ROS-1", "--json").stdout)
    assert again["token"] != enrolled["token"]
    assert again["device"] == "ROS-1"


def test_what_is_done_to_a_tablet_is_in_the_journal(run: Run, enrolled: dict[str, str], session: Session) -> None:
    run("devices", "reprint", "ROS-1")
    run("devices", "revoke", "ROS-1")
    session.rollback()
    journal = session.execute(select(AuditEvent.action, AuditEvent.actor_id).order_by(AuditEvent.id))
    assert [tuple(one) for one in journal if one.action.startswith("device.")] == [
        ("device.enrolled", None), ("device.code_renewed", None), ("device.revoked", None)
    ]  # fmt: skip


def test_list_shows_state_and_last_contact(run: Run, enrolled: dict[str, str]) -> None:
    assert run("devices", "revoke", "ROS-1").stdout == "ROS-1 is revoked.\n"
    (row,) = json.loads(run("devices", "list", "--json").stdout)
    assert (row["name"], row["site"], row["state"], row["last_contact_at"]) == ("ROS-1", "ROS", "revoked", None)
    assert "ROS-1  ROS  revoked" in run("devices", "list").stdout
