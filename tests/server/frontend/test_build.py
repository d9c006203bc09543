"""Where node comes from: the machine, or else PyPI; what it built is there."""

import shutil
import subprocess
from pathlib import Path

import pytest

from server.frontend.build import FRONTEND, find_node


def test_the_machines_own_node_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert find_node() == (["/usr/bin/node"], ["/usr/bin/npm"])


def test_a_machine_without_node_has_it_from_pypi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    for command in find_node():
        version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert version.stdout.strip()


def test_every_script_that_a_page_names_was_built() -> None:
    page = (Path(FRONTEND).parent / "templates/document.html").read_text()
    built = {one.name for one in (Path(FRONTEND).parent / "static/vendor").iterdir()}
    named = {one.split("'")[0] for one in page.split("vendor/")[1:]}
    assert named
    assert named <= built
