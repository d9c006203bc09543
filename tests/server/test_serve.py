"""What must be right before the web server starts."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from server.config import ConfigError, Settings
from server.serve import check_database, check_storage, gunicorn_settings, serve
from sync.models import Setting

MOUNTS = "/dev/sda1 / ext4 rw 0 0\nbox:/data {path} {kind} rw 0 0\n"


@pytest.mark.parametrize("secret", ["", "short", "a" * 64], ids=["missing", "short", "monotonous"])
def test_weak_secret_is_refused_in_one_line(settings: Settings, secret: str) -> None:
    with pytest.raises(ConfigError, match=r"^TERAL_SECRET_KEY[^\n]*$"):
        serve(replace(settings, secret_key=secret))


def test_demo_data_are_for_demonstrations_only(app: Flask, settings: Settings, session: Session) -> None:
    session.add(Setting(name="demo", value=True, changed_at=datetime.now(UTC)))
    session.commit()
    with pytest.raises(ConfigError, match="demo data"):
        check_database(app, settings)
    check_database(app, replace(settings, demo=1))


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_sqlite_on_a_network_file_system_is_refused(tmp_path: Path, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.format(path=tmp_path, kind=kind))
    with pytest.raises(ConfigError, match="TERAL_DATABASE_URL"):
        check_storage(Settings(data_dir=str(tmp_path)), mounts)
    check_storage(Settings(data_dir=str(tmp_path), database_url="postgresql://x/y"), mounts)


def test_sqlite_on_a_disk_is_welcome(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.format(path=tmp_path / "elsewhere", kind="nfs4"))
    check_storage(Settings(data_dir=str(tmp_path)), mounts)
    check_storage(Settings(data_dir=str(tmp_path)), tmp_path / "no-such-file")


def test_server_listens_where_it_is_told_and_believes_no_header(settings: Settings) -> None:
    chosen = gunicorn_settings(replace(settings, host="0.0.0.0", port=9000, web_workers=3))
    assert (chosen["bind"], chosen["workers"], chosen["threads"]) == ("0.0.0.0:9000", 3, 64)
    assert (chosen["limit_request_line"], chosen["forwarded_allow_ips"]) == (0, "")
