"""`teral peers`: the same as the page, for scripts."""

import json
from typing import Any

import pytest

from tests.accounts import PASSWORD
from tests.sync.central.conftest import running, there
from tests.sync.central.second_server import EMAIL, SecondServer

__all__ = ["running", "there"]


@pytest.fixture
def login(there: SecondServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAL_PEER_MINISTRY_USERNAME", EMAIL)
    monkeypatch.setenv("TERAL_PEER_MINISTRY_PASSWORD", PASSWORD)
    monkeypatch.setenv("TERAL_PEER_MINISTRY_ADDRESS", there.url)


def told(run: Any, *arguments: str) -> Any:
    result = run("peers", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


@pytest.mark.usefixtures("login")
def test_a_peer_is_added_tried_looked_ahead_and_run(run: Any, there: SecondServer) -> None:
    there.publish("1")
    there.send("uuid:a")
    added = told(run, "add", "ministry", there.url, "--pulls", "passage")
    assert (added["paused"], added["pulls"], added["credentials"]) == (True, ["passage"], "ministry")
    assert told(run, "test", "ministry") == {"project": "Teral", "forms": 1}
    counts = {"forms_in": 1, "records_in": 1}
    for act in ("plan", "run"):
        assert told(run, act, "ministry") == {"outcome": "done", "counts": counts, "problems": []}
    assert told(run, "resend", "ministry", "--since", "2026-11-01") == {"records": 1}
    assert [one["counts"] for one in told(run, "runs", "ministry")] == [counts]
    run("peers", "resume", "ministry")
    (listed,) = told(run, "list")
    assert (listed["paused"], listed["last"]["outcome"]) == (False, "done")


def test_what_goes_wrong_is_told_in_one_line(run: Any) -> None:
    run("peers", "add", "ministry", "http://127.0.0.1:9")
    changed = told(run, "change", "ministry", "http://127.0.0.1:9", "--project", "2")
    assert changed["project"] == 2
    for arguments in (("pause", "nobody"), ("resend", "ministry", "--since", "hier")):
        result = run("peers", *arguments)
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
    failed = run("peers", "run", "ministry")
    assert failed.exit_code == 1
    assert "TERAL_PEER_MINISTRY_USERNAME" in failed.output
    assert "failed" in run("peers", "runs", "ministry").output
