"""Folders of runs over the whole registry: gone afterwards, and swept where a run was killed."""

import dataclasses
from pathlib import Path

import pytest

from server.config import Settings
from server.run_folders import open_run_folder, sweep_run_folders


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return dataclasses.replace(Settings(), data_dir=str(tmp_path))


def leave_behind(folder: Path) -> Path:
    """What stays of a run that was killed."""
    (left := folder / "link-run-killed").mkdir()
    for name in ("in-use", "records.parquet"):
        (left / name).write_text("")
    return left


def test_a_folder_is_gone_after_the_run(settings: Settings, tmp_path: Path) -> None:
    with open_run_folder(settings) as folder:
        assert (folder.parent, folder.stat().st_mode & 0o777) == (tmp_path, 0o700)
    assert list(tmp_path.iterdir()) == []


def test_the_next_run_takes_away_what_a_killed_one_left(settings: Settings, tmp_path: Path) -> None:
    left = leave_behind(tmp_path)
    with open_run_folder(settings) as folder:
        assert (left.exists(), folder.exists()) == (False, True)


def test_a_run_that_goes_on_keeps_its_folder(settings: Settings) -> None:
    with open_run_folder(settings) as folder:
        sweep_run_folders(settings)
        assert (folder / "in-use").exists()


def test_runs_of_spark_are_swept_where_all_its_workers_look(settings: Settings, tmp_path: Path) -> None:
    (shared := tmp_path / "shared").mkdir()
    left = leave_behind(shared)
    sweep_run_folders(dataclasses.replace(settings, spark_folder=str(shared)))
    assert not left.exists()
