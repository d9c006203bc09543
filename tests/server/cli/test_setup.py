import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli import main


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str | None]:
    return {"TERAL_DATA_DIR": str(tmp_path / "var"), "TERAL_SECRET_KEY": None, "TERAL_DATABASE_URL": None}


def set_up(environment: dict[str, str | None], *options: str) -> Result:
    return CliRunner().invoke(main, ["setup", *options], env=environment)


def test_empty_folder_becomes_a_server_that_only_its_owner_reads(
    environment: dict[str, str | None], tmp_path: Path
) -> None:
    result = set_up(environment)
    assert result.exit_code == 0, result.output
    assert "published: f02_passage.xlsx" in result.output
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
    assert not (tmp_path / "var" / "demo.json").exists()


def test_demo_twice_gives_the_same_logins_and_codes(environment: dict[str, str | None]) -> None:
    first, second = (json.loads(set_up(environment, "--demo", "--json").stdout) for _ in range(2))
    assert (first["users"], first["tablets"]) == (second["users"], second["tablets"])
    assert second["published"] == []


def test_weak_key_is_refused_in_one_line(environment: dict[str, str | None]) -> None:
    result = set_up({**environment, "TERAL_SECRET_KEY": "weak"})
    assert result.exit_code == 1
    assert "TERAL_SECRET_KEY" in result.stderr
    assert "Traceback" not in result.stderr
