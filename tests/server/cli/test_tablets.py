import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import main
from server.cli.setup import set_up
from tests.live import demo_settings, serving


def test_tablets_of_a_file_send_what_they_filled(tmp_path: Path) -> None:
    settings = demo_settings(tmp_path / "var")
    enrolments = tmp_path / "tablets.json"
    enrolments.write_text(json.dumps(set_up(settings, demo=True)["tablets"][:2]))
    with serving(settings):
        result = CliRunner().invoke(main, ["tablets", str(enrolments), "--records", "1", "--digest", "--json"])
    summary = json.loads(result.stdout)
    assert (result.exit_code, summary["sent"], summary["failed"], summary["given_up"]) == (0, 2, 0, 0)
    assert summary["not_modified"] > 0


@pytest.mark.parametrize("text", ["", "[", "5"])
def test_file_without_an_enrolment_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "none.json"
    path.write_text(text)
    result = CliRunner().invoke(main, ["tablets", str(path)])
    assert result.exit_code == 1
    assert "holds no enrolment" in result.stderr
