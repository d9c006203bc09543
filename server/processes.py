"""Commands of ours in processes of their own: what one takes of memory, its end gives back."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from server.config import Settings

MayGoOn = Callable[[], bool]


def run_command(settings: Settings, may_go_on: MayGoOn, *command: str) -> dict[str, Any] | None:
    """What `teral COMMAND` with --json prints under these settings; None where it had to stop before its end.

    Raises subprocess.CalledProcessError where it failed; why it did stands on our own standard error.
    """
    # In a session of its own it does not hear Ctrl-C: whoever asks tells it when to stop.
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "server.cli", *command],
        env=settings.to_environment(),
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            said = _wait(process, may_go_on)
        finally:
            process.kill()
    if said is None:
        return None
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    result: dict[str, Any] = json.loads(said)
    return result


def _wait(process: subprocess.Popen[bytes], may_go_on: MayGoOn) -> bytes | None:
    while may_go_on():
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=0.5)[0]
    return None
