"""`teral backup` and `teral restore` say what they did, or in one line why not."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest


def test_a_backup_is_restored_into_another_folder(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("sites", "add", "ROS", "--name", "Rosso", "--kind", "border_post")
    manifest = json.loads(run("backup", tmp_path / "b.tar.gz", "--json").output)
    assert manifest["tables"]["sites"]["rows"] == 1
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("TERAL_DATA_DIR", str(tmp_path / "other"))
    assert "files" in run("restore", tmp_path / "b.tar.gz").output
    assert "Rosso" in run("sites", "list").output


def test_a_restore_over_data_is_refused_in_one_line(run: Any, tmp_path: Path) -> None:
    run("sites", "add", "ROS", "--name", "Rosso", "--kind", "border_post")
    run("backup", tmp_path / "b.tar.gz")
    result = run("restore", tmp_path / "b.tar.gz")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)


def test_a_backup_that_cannot_be_written_is_said(run: Any, tmp_path: Path) -> None:
    result = run("backup", tmp_path / "missing" / "b.tar.gz")
    assert (result.exit_code, "not written" in result.output) == (1, True)


def test_a_backup_that_exists_is_kept_unless_it_is_to_be_replaced(run: Any, tmp_path: Path) -> None:
    run("setup")
    older = tmp_path / "b.tar.gz"
    older.write_bytes(b"of yesterday")
    refused = run("backup", older)
    assert (refused.exit_code, "exists already" in refused.output) == (1, True)
    assert (older.read_bytes(), list(tmp_path.glob("*b.tar.gz*"))) == (b"of yesterday", [older])
    assert run("backup", older, "--replace").exit_code == 0
    assert tarfile.is_tarfile(older)
