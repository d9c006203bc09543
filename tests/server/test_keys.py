"""Where keys come from, and what happens when they come and go."""

import logging
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from server.config import Settings
from server.keys import KeyRing
from tests.sync.test_sealing import new_key


def test_a_folder_holds_a_key_a_file(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.pem").write_bytes(new_key(number)[0])
    assert set(KeyRing(str(tmp_path)).read()) == {new_key(1)[1], new_key(2)[1]}


def test_the_environment_may_hold_several_keys() -> None:
    text = (new_key(1)[0] + new_key(2)[0]).decode()
    assert set(KeyRing(text).read()) == {new_key(1)[1], new_key(2)[1]}


def test_a_key_that_comes_and_goes_is_noticed(tmp_path: Path) -> None:
    ring = KeyRing(str(tmp_path))
    assert ring.read() == {}
    (tmp_path / "a.pem").write_bytes(new_key(1)[0])
    assert set(ring.read()) == {new_key(1)[1]}
    (tmp_path / "a.pem").unlink()
    assert ring.read() == {}


def test_a_passphrase_opens_a_key(tmp_path: Path) -> None:
    passphrase = serialization.BestAvailableEncryption(b"mot de passe")
    locked = new_key(1)[2].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, passphrase)
    (tmp_path / "a.pem").write_bytes(locked)
    assert set(KeyRing(str(tmp_path), "mot de passe").read()) == {new_key(1)[1]}


def test_a_file_that_is_no_key_is_named_and_harms_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.pem").write_bytes(b"rien")
    (tmp_path / "b.pem").write_bytes(new_key(1)[0])
    (tmp_path / "c.pem").mkdir()
    with caplog.at_level(logging.WARNING):
        assert set(KeyRing(str(tmp_path)).read()) == {new_key(1)[1]}
    assert "a.pem" in caplog.text
    assert "c.pem" in caplog.text


def test_without_a_folder_there_are_no_keys(tmp_path: Path) -> None:
    assert KeyRing(str(tmp_path / "nowhere")).read() == KeyRing("").read() == {}


def test_keys_are_never_shown() -> None:
    shown = Settings(decryption_keys="-----BEGIN", decryption_passphrase="baobab").shown_values()
    assert {shown["TERAL_DECRYPTION_KEYS"], shown["TERAL_DECRYPTION_PASSPHRASE"]} == {"(set)"}
