"""`teral config` shows what is in force and hides what is secret."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import main


def test_config_prints_json_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAL_SECRET_KEY", "hidden-value")
    result = CliRunner().invoke(main, ["config", "--json"])
    rows = {row["name"]: row["value"] for row in json.loads(result.output)}
    assert rows["TERAL_SECRET_KEY"] == "(set)"


def test_a_wrong_setting_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAL_PORT", "many")
    result = CliRunner().invoke(main, ["config"])
    assert (result.exit_code, result.output) == (1, "Error: TERAL_PORT must be a whole number.\n")


def test_a_command_before_setup_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TERAL_DATA_DIR", str(tmp_path / "nothing"))
    result = CliRunner().invoke(main, ["users", "list"])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "teral setup" in result.output
