"""`teral serve` says in one line why it does not start."""

import pytest

from tests.server.cli.conftest import Run


def test_missing_secret_is_one_line_on_standard_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAL_SECRET_KEY", "")
    result = run("serve")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: TERAL_SECRET_KEY is missing or weak")
    assert result.stderr.count("\n") == 1
