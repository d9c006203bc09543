"""Secrets that the program made itself: files under the data folder that only their owner may read."""

import json
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from server.config import Settings


def with_secret_key(settings: Settings) -> Settings:
    """The settings with the generated key where the environment gives none and one was generated before."""
    path = _key_file(settings)
    if settings.secret_key or not path.exists():
        return settings
    return replace(settings, secret_key=path.read_text().strip())


def make_secret_key(settings: Settings) -> Settings:
    """As with_secret_key, but make and keep a key where there is none."""
    path = _key_file(settings)
    if not settings.secret_key and not path.exists():
        write_private(path, secrets.token_urlsafe(48))
    return with_secret_key(settings)


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read at any moment, and that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(path)


def read_demo(settings: Settings) -> dict[str, Any]:
    """The demonstration's secrets; empty lists before there are any."""
    path = settings.data_path / "demo.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return {"users": [], "tablets": [], **found}


def write_demo(settings: Settings, demo: dict[str, Any]) -> None:
    write_private(settings.data_path / "demo.json", json.dumps(demo, ensure_ascii=False, indent=1))


def _key_file(settings: Settings) -> Path:
    return settings.data_path / "secrets" / "secret_key"
