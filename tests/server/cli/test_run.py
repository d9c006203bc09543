"""`teral run` as a newcomer sees it: a process of its own, its output, and what is left when it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from server.cli.run import _reachable
from server.config import Settings
from tests.live import demo_settings

ROOT = Path(__file__).parents[3]


@contextmanager
def running(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run until it has said which address the QR holds; whatever happens, nothing of it is left behind."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TERAL_")}
    environment |= {"TERAL_DATA_DIR": settings.data_dir, "TERAL_PORT": str(settings.port), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "server.cli", "run", "--records", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        wait_for(log, "The QR holds", process)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def wait_for(log: Path, words: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while words not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def children_of(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@dataclass
class Run:
    """What one run said, how it ended, and which of its children are left."""

    said: str
    code: int | None
    left: list[int]

    @property
    def logins(self) -> list[str]:
        return [line for line in self.said.splitlines() if "@demo.teral.example" in line]


def run_once(settings: Settings, log: Path, *, kill_jobs: bool) -> Run:
    with running(settings, log) as process:
        children = children_of(process)
        assert urllib3.request("GET", f"{settings.base_url}/healthz").status == 200
        if kill_jobs:
            os.kill(children[1], signal.SIGKILL)
            process.wait(30)
    left = [pid for pid in children if Path(f"/proc/{pid}").exists()]
    return Run(log.read_text(), process.returncode, left)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """The first run ends by Ctrl-C, the second because its job process dies."""
    folder = tmp_path_factory.mktemp("run")
    settings = demo_settings(folder / "var")
    return [run_once(settings, folder / f"log{number}", kill_jobs=number == 1) for number in range(2)]


def test_ctrl_c_ends_everything_cleanly(runs: list[Run]) -> None:
    assert (runs[0].code, runs[0].left) == (0, [])
    assert "Traceback" not in runs[0].said


def test_ctrl_c_during_an_import_is_no_other_end(tmp_path: Path) -> None:
    (tmp_path / "stopped.py").write_text(
        "import signal\nfrom server.cli import run\nfrom server.config import Settings\n"
        "run._CHILDREN.clear()\nrun._end_at_signals()\n"
        "with run._children(Settings()):\n    exec('signal.raise_signal(signal.SIGINT)')\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    done = subprocess.run(
        [sys.executable, "-m", "stopped"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "Teral stops.")


def test_second_run_gives_the_same_logins(runs: list[Run]) -> None:
    assert runs[0].logins == runs[1].logins != []


def test_no_request_carries_the_logins_off_the_screen(runs: list[Run]) -> None:
    assert "/healthz" not in runs[0].said


def test_loopback_address_is_told_to_be_out_of_reach(runs: list[Run]) -> None:
    assert "TERAL_HOST=0.0.0.0" in runs[0].said


def test_dead_child_ends_everything_with_its_name(runs: list[Run]) -> None:
    assert "The jobs process ended by itself (code -9)" in runs[1].said
    assert (runs[1].code, runs[1].left) == (1, [])


@pytest.mark.parametrize(
    ("host", "public_url"),
    [
        pytest.param("127.0.0.1", "", id="loopback"),
        pytest.param("0.0.0.0", "https://teral.example", id="a name was given"),
    ],
)
def test_address_that_was_given_is_the_one_in_the_qr(host: str, public_url: str) -> None:
    settings = Settings(host=host, public_url=public_url)
    assert _reachable(settings) == settings
