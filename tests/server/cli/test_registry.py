"""`teral registry` tells whether two servers know the same, and tells the registry anew."""

import json
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from sync.models import Entity, FormVersion
from tests.server.cli.conftest import Run
from tests.sync.test_rebuilding import lived

__all__ = ["lived"]


def test_a_rebuild_says_what_was_told_anew_and_the_digest(run: Run, lived: Session) -> None:
    digest = run("registry", "digest").stdout.strip()
    result = run("registry", "rebuild")
    assert result.stdout.splitlines() == ["submissions: 14, entities: 2", f"digest: {digest} (as before)"]


def test_a_rebuild_that_mends_something_says_so(run: Run, lived: Session) -> None:
    lived.execute(update(Entity).values(label="x"))
    lived.commit()
    damaged = run("registry", "digest").stdout.strip()
    assert f"(before: {damaged})" in run("registry", "rebuild").stdout


def test_a_rebuild_that_would_lose_somebody_changes_nothing(
    run: Run, lived: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    lived.execute(update(FormVersion).values(version="gone"))
    lived.commit()
    before = run("registry", "digest").stdout
    result = run("registry", "rebuild")
    assert (result.exit_code, "Nothing was changed" in result.stderr) == (1, True)
    assert run("registry", "digest").stdout == before


def test_a_journal_is_printed_and_taken_in_by_the_line(run: Run, lived: Session, tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text(run("registry", "journal").stdout)
    assert '"fact": "issued"' in file.read_text()
    assert run("registry", "receive", file).exit_code == 0
    model = {"fact": "model", "version": "x", "content": "{}", "added_by": None, "activations": []}
    for line in ({}, model | {"added_at": "2026-03-02T09:30:00+00:00"}):
        file.write_text(json.dumps(line) + "\n")
        refused = run("registry", "receive", file)
        assert (refused.exit_code, isinstance(refused.exception, SystemExit)) == (1, True)
