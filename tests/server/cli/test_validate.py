"""`teral validate` from the outside."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from server.cli import main
from tests.server.test_validation import FORM, record
from tests.server.test_validation_lines import line

INVALID = record("<age>130</age>")


def run(*arguments: object, **given: Any) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments)], **given)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"form.xml": FORM, "good.xml": record("<age>12</age>"), "bad.xml": INVALID, "none.xml": b"<data>"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("records", "status"),
    [(["good.xml"], 0), (["good.xml", "bad.xml"], 1), (["none.xml", "bad.xml"], 2)],
    ids=["valid", "invalid", "unreadable"],
)
def test_the_status_tells_the_worst_of_the_records(folder: Path, records: list[str], status: int) -> None:
    result = run("--form", folder / "form.xml", *(folder / one for one in records))
    assert result.exit_code == status


def test_json_holds_label_and_words_in_both_languages(folder: Path) -> None:
    [said] = json.loads(run("--form", folder / "form.xml", folder / "bad.xml", "--json").stdout)
    [error] = said["errors"]
    assert (error["path"], error["label"]["fr"], set(error["words"])) == ("/data/age", "Âge", {"fr", "en"})


def test_answers_are_told_of_what_can_be_read(folder: Path) -> None:
    files = [folder / one for one in ("good.xml", "none.xml")]
    good, none = json.loads(run("--form", folder / "form.xml", *files, "--json", "--answers").stdout)
    assert (good["answers"], "answers" in none) == ({"age": 12}, False)


def test_people_read_one_finding_a_line(folder: Path) -> None:
    assert "error: /data/age (Âge): Trop vieux." in run("--form", folder / "form.xml", folder / "bad.xml").stdout


@pytest.mark.parametrize(
    "arguments",
    [[], ["--jsonl", "good.xml"], ["--form", "good.xml", "good.xml", "--answers"]],
    ids=["nothing", "both ways", "answers"],
)
def test_a_misused_command_says_so(folder: Path, arguments: list[str]) -> None:
    placed = [one if one.startswith("--") else folder / one for one in arguments]
    assert run(*placed).exit_code == 2


def test_a_form_that_cannot_be_read_says_why(folder: Path) -> None:
    result = run("--form", folder / "good.xml", folder / "good.xml", env={"LANG": "en"})
    assert (result.exit_code, "no model" in result.stderr) == (2, True)


def test_lines_are_answered_as_they_come() -> None:
    """Whoever talks line by line waits for each answer before the next question."""
    command = [sys.executable, "-m", "server.cli", "validate", "--jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["valid"]
        process.stdin.close()
        assert process.wait(20) == 0
