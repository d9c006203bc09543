"""`teral relay`: enrolled at the centre, shown there and at the post."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import RelayedSite
from tests.accounts import add_site


@pytest.fixture
def centre(run: Any, session: Session) -> Any:
    for code in ("KLK", "BKL"):
        add_site(session, code, "centre")
    session.commit()
    return run


def test_a_relay_is_enrolled_once_and_its_settings_are_told_this_once(centre: Any, session: Session) -> None:
    told = json.loads(centre("relay", "enrol", "KLK", "--site", "BKL", "--json").output)
    assert set(told) == {
        "TERAL_UPSTREAM_URL", "TERAL_UPSTREAM_USER", "TERAL_UPSTREAM_PASSWORD", "TERAL_UPSTREAM_NUMBER"
    }  # fmt: skip
    again = centre("relay", "enrol", "KLK")
    assert (again.exit_code, again.output.count("\n")) == (1, 1)
    assert "export TERAL_UPSTREAM_NUMBER=2" in centre("relay", "enrol", "BKL").output
    # A site is behind one relay: the last one that it was given to.
    assert len(session.scalars(select(RelayedSite)).all()) == 2
    assert centre("relay", "sites", "KLK", "KLK", "BKL").exit_code == 0
    relays = json.loads(centre("relay", "status", "--json").output)["relays"]
    assert [(one["relay"], one["number"], one["sites"]) for one in relays] == [
        ("BKL", 2, []),
        ("KLK", 1, ["BKL", "KLK"]),
    ]
    assert "relay: KLK" in centre("relay", "status").output


@pytest.mark.parametrize("command", [("enrol", "XXX"), ("sites", "XXX"), ("sites", "BKL"), ("sync",)])
def test_what_cannot_be_done_is_told_in_one_line(centre: Any, command: tuple[str, ...]) -> None:
    result = centre("relay", *command)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)


def test_a_relay_says_how_it_stands_with_its_centre(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAL_UPSTREAM_NUMBER", "7")
    assert run("relay", "sync").exit_code == 1  # no address yet, but its number is noted
    told = json.loads(run("relay", "status", "--json").output)
    assert (told["number"], told["waiting"], told["heard_at"]) == (7, 0, None)
