"""What every command shares: its transaction, its language, JSON that is JSON only, refusals in one line."""

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from server.cli.context import check_writable, command_line_language, print_json, with_app, writing_whole
from server.extensions import db
from sync.models import Setting
from tests.sync.factory import NOW


@click.command()
@click.option("--fail", is_flag=True)
@with_app
def note(fail: bool) -> None:
    db.session.add(Setting(name="notice", value="noted", changed_at=NOW))
    db.session.flush()
    if fail:
        raise click.ClickException("No.")
    print_json({"né": "à Rosso", "at": NOW})


@pytest.fixture
def environment(run: Any) -> CliRunner:
    return CliRunner()


def test_what_a_command_wrote_is_committed_when_it_returns(environment: CliRunner, session: Session) -> None:
    result = environment.invoke(note)
    assert json.loads(result.stdout) == {"né": "à Rosso", "at": str(NOW)}
    assert session.get(Setting, "notice") is not None


def test_what_a_command_that_failed_wrote_is_not(environment: CliRunner, session: Session) -> None:
    result = environment.invoke(note, ["--fail"])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "Error: No.\n")
    assert session.get(Setting, "notice") is None


def test_a_wrong_setting_is_told_in_one_line(environment: CliRunner) -> None:
    result = environment.invoke(note, env={"TERAL_PORT": "many"})
    assert (result.exit_code, result.stderr) == (1, "Error: TERAL_PORT must be a whole number.\n")


@pytest.mark.parametrize(("lang", "language"), [("fr_SN.UTF-8", "fr"), ("en_GB.UTF-8", "en"), ("", "fr")])
def test_the_command_line_speaks_its_users_language(monkeypatch: pytest.MonkeyPatch, lang: str, language: str) -> None:
    monkeypatch.setenv("LANG", lang)
    assert command_line_language() == language


def break_off(path: Path, half: str) -> None:
    with writing_whole(path) as file:
        file.write(half)
        raise KeyboardInterrupt


def test_a_file_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("older")
    for half in ("new", "a" * 100_000):
        with pytest.raises(KeyboardInterrupt):
            break_off(path, half)
        assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("out.csv", "older")]


def test_a_whole_file_takes_the_place_of_the_older_one_where_that_is(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to("out.csv")
    for text in ("first", "second"):
        with writing_whole(link) as file:
            file.write(text)
        assert (link.is_symlink(), (tmp_path / "out.csv").read_text(), len(list(tmp_path.iterdir()))) == (True, text, 2)


def test_what_is_no_file_is_written_as_it_comes() -> None:
    reading, written = os.pipe()
    path = Path(f"/dev/fd/{written}")
    check_writable(path, None)
    with writing_whole(path) as file:
        file.write("né à Rosso")
    os.close(written)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        assert pipe.read() == "né à Rosso"
