"""`teral jobs`: all that is due, and what must be right before the job process starts."""

import json
from pathlib import Path
from typing import Any

import pytest


def test_once_prints_what_was_done(run: Any) -> None:
    assert json.loads(run("jobs", "once", "--json").output)["process"] == {}


def test_once_says_so_when_there_is_nothing_to_do(run: Any) -> None:
    assert "process: nothing to do" in run("jobs", "once").output


def test_the_job_process_refuses_a_weak_secret(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAL_SECRET_KEY", "weak")
    result = run("jobs", "run")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "TERAL_SECRET_KEY" in result.output


@pytest.mark.parametrize("command", ["run", "once"])
def test_a_database_that_is_not_set_up_is_refused_in_one_line(
    run: Any, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERAL_DATA_DIR", str(tmp_path / "empty"))
    (tmp_path / "empty").mkdir()
    result = run("jobs", command)
    assert (result.exit_code, result.output) == (1, "Error: The database is not ready: run `teral setup` first.\n")
