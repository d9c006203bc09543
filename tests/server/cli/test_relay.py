"""`teral relay`: enrolled at the centre, shown there and at the post."""

import json
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import RelayedSite
from sync.relaying.bundles import make_key, public_key, seal_bundle
from sync.relaying.lines import HeadLine, write_line
from tests.accounts import add_site
from tests.sync.factory import NOW
from tests.sync.test_peer_client import Central, central

__all__ = ["central"]


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


@pytest.mark.parametrize("command", [("enrol", "XXX"), ("sites", "XXX"), ("sites", "BKL"), ("sync",),
                                     ("export", "/nowhere/b", "--to", "BKL"), ("key", "--of", "BKL", "--public", "x"),
                                     ("key", "/dev/null/key")])  # fmt: skip
def test_what_cannot_be_done_is_told_in_one_line(centre: Any, command: tuple[str, ...]) -> None:
    result = centre("relay", *command)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)


def test_a_relay_says_how_it_stands_with_its_centre(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAL_UPSTREAM_NUMBER", "7")
    assert run("relay", "sync").exit_code == 1  # no address yet, but its number is noted
    told = json.loads(run("relay", "status", "--json").output)
    assert (told["number"], told["waiting"], told["heard_at"]) == (7, 0, None)


def test_what_the_centre_refuses_is_told_in_words(run: Any, monkeypatch: pytest.MonkeyPatch, central: Central) -> None:
    told = {"URL": central.url, "USER": "klk@relay.invalid", "PASSWORD": "x", "NUMBER": "7"}
    for name, value in told.items():
        monkeypatch.setenv(f"TERAL_UPSTREAM_{name}", value)
    monkeypatch.setenv("LANG", "en_GB")
    central.faults.append((403, {}))
    result = run("relay", "sync")
    assert (result.exit_code, result.stdout) == (1, "sent 0, files 0, taken 0, waiting 0\n")
    assert result.stderr == "Error: The account may not do this on the server.\n"


def test_an_older_bundle_is_said_to_be_one(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    centre, here = make_key(), make_key()
    (tmp_path / "own.key").write_text(here)
    told = {"NUMBER": "7", "KEY": public_key(centre)}
    for name, value in {f"TERAL_UPSTREAM_{name}": value for name, value in told.items()}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TERAL_BUNDLE_KEY", str(tmp_path / "own.key"))
    for name, at in {"new": NOW, "old": NOW - timedelta(days=1)}.items():
        write_bundle(tmp_path / name, at, centre, public_key(here))
    taken = run("relay", "import", str(tmp_path / "new"))
    assert (taken.exit_code, taken.output) == (0, "lines: 0, contents: 0, receipts: 0, refused: 0\n")
    assert "older" in run("relay", "import", str(tmp_path / "old")).output
    assert json.loads(run("relay", "import", str(tmp_path / "old"), "--json").output)["is_older"] is True


def test_a_key_that_cannot_be_written_is_told_in_one_line(
    centre: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "own.key").write_text(make_key())
    monkeypatch.setenv("TERAL_BUNDLE_KEY", str(tmp_path / "own.key"))
    assert centre("relay", "enrol", "KLK").exit_code == 0
    assert centre("relay", "key", "--of", "KLK", "--public", public_key(make_key())).exit_code == 0
    result = centre("relay", "export", str(tmp_path / "drawn" / "b"), "--to", "KLK")
    assert (result.exit_code, result.output.count("\n"), "No such file" in result.output) == (1, 1, True)


def write_bundle(target: Path, at: datetime, key: str, recipient: str) -> None:
    """A bundle that tells nothing but when it was made."""
    plain = BytesIO()
    with ZipFile(plain, "w") as content:
        content.writestr("lines.jsonl", write_line(HeadLine(at, None)))
    plain.seek(0)
    with target.open("wb") as sealed:
        seal_bundle(plain, sealed, key, recipient)
