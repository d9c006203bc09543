"""`teral config` shows what is in force and hides what is secret."""

import json

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
