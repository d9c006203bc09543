"""A real server process on a free port, as `teral serve` starts it, for journeys and benchmarks."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import urllib3

from server.config import Settings

SECRET = "a-secret-of-tests-only-0123456789abcdef"


def demo_settings(folder: Path, database_url: str = "") -> Settings:
    """Settings of a server of its own; its port is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return Settings(
        data_dir=str(folder), database_url=database_url, secret_key=SECRET, port=port, demo=1, log_level="ERROR"
    )


def moved(settings: Settings, folder: Path) -> Settings:
    """The same server on other data and another port."""
    return demo_settings(folder, settings.database_url)


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run `teral serve` until the block ends; it answers when the block begins."""
    process = start(settings, "serve")
    try:
        _wait_until_healthy(settings, process)
        yield process
    finally:
        # At once: tests' clients keep their connections open, and a graceful end would wait for them.
        process.send_signal(signal.SIGQUIT)
        process.wait(30)


def start(settings: Settings, *command: str) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).parent.parent)
    environment = {**settings.to_environment(), "PYTHONPATH": root}
    # The access log would bury a benchmark's table; what goes wrong is on standard error.
    with (settings.data_path / f"{command[0]}.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "server.cli", *command], cwd=root, env=environment, stdout=log)


def wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when something listens; raise when the process died or a minute went by."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("nothing listens")


def _wait_until_healthy(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{settings.base_url}/healthz", retries=False, timeout=2).status == 200:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not answer")
