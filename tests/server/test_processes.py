"""Commands in processes of their own: what they say, how they fail, how they are stopped."""

import subprocess
import time

import pytest

from server.config import Settings
from server.processes import run_command


def test_a_command_reads_the_settings_and_answers(settings: Settings) -> None:
    told = run_command(settings, lambda: True, "status", "--json")
    assert told is not None
    assert (told["pending"], told["devices"]) == (0, [])


def test_a_command_that_fails_is_no_answer(settings: Settings) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_command(settings, lambda: True, "entities", "list", "none", "--json")


def test_a_command_ends_when_it_must_stop(settings: Settings) -> None:
    """`teral jobs run` would never end by itself."""
    begun = time.monotonic()
    assert run_command(settings, lambda: time.monotonic() < begun + 1, "jobs", "run") is None
