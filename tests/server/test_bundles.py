"""What bundles need before there can be one. What they carry is told in tests/journeys/test_bundles.py."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from server.bundles import export_down, export_up, note_public_key, read_own_key
from server.config import ConfigError, Settings
from sync.relaying.bundles import BundleRefused, make_key, public_key
from sync.relaying.enrolment import enrol_relay
from tests.accounts import add_account, add_site
from tests.sync.factory import NOW


@pytest.mark.parametrize("named", ["", "nowhere.key"])
def test_a_server_without_its_key_says_how_to_make_one(settings: Settings, named: str) -> None:
    with pytest.raises(ConfigError, match="TERAL_BUNDLE_KEY"):
        read_own_key(replace(settings, bundle_key=named))


def test_a_relay_needs_the_centres_public_key(app: Flask, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TERAL_UPSTREAM_KEY"):
        export_up(replace(settings, upstream_number=7), tmp_path / "up")


def test_the_centre_seals_for_a_relay_whose_key_it_knows(
    app: Flask, settings: Settings, session: Session, tmp_path: Path
) -> None:
    site = add_site(session)
    enrol_relay(session, site, add_account(session, "relay", site).actor_id, NOW)
    session.commit()
    (tmp_path / "own.key").write_text(make_key())
    own = replace(settings, bundle_key=str(tmp_path / "own.key"))
    with pytest.raises(ConfigError, match="public key"):
        export_down(own, tmp_path / "down", site.id)
    with pytest.raises(BundleRefused, match="no key"):
        note_public_key(site.id, "x")
    note_public_key(site.id, public_key(make_key()))
    assert export_down(own, tmp_path / "down", site.id).lines > 0
    assert (tmp_path / "down").stat().st_size > 300


def test_a_site_that_is_no_relay_gets_no_key(app: Flask) -> None:
    with pytest.raises(ConfigError, match="no relay"):
        note_public_key(99, public_key(make_key()))


def test_a_half_written_bundle_is_none(app: Flask, settings: Settings, session: Session, tmp_path: Path) -> None:
    """A key that cannot be written to leaves nothing that looks like a bundle."""
    site = add_site(session)
    relay = enrol_relay(session, site, add_account(session, "relay", site).actor_id, NOW)
    relay.public_key = "x"
    session.commit()
    (tmp_path / "own.key").write_text(make_key())
    target = tmp_path / "usb"
    target.mkdir()
    with pytest.raises(BundleRefused):
        export_down(replace(settings, bundle_key=str(tmp_path / "own.key")), target / "down", site.id)
    assert list(target.iterdir()) == []
