"""Secrets of tablets: shape, strength, and that sealed ones open with their key only."""

import re

import pytest
from cryptography.exceptions import InvalidTag

from server.accounts.secrets import hash_secret, is_token, make_password, make_token, seal, unseal

KEY = "a-secret-of-tests-only-0123456789abcdef"


def test_token_has_centrals_shape() -> None:
    tokens = {make_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9!$]{64}", token) and is_token(token) for token in tokens)


@pytest.mark.parametrize(
    "text", ["", "a" * 63, "a" * 65, "a" * 63 + "/", "é" * 64], ids=["no", "short", "long", "/", "é"]
)
def test_other_text_is_no_token(text: str) -> None:
    assert not is_token(text)


def test_password_holds_more_than_128_bits() -> None:
    assert re.fullmatch(r"[a-z2-7]{32}", make_password())
    assert make_password() != make_password()


def test_hash_tells_nothing_and_is_stable() -> None:
    assert hash_secret("x") == hash_secret("x") != hash_secret("y")


def test_sealed_opens_with_its_key_and_purpose() -> None:
    sealed = seal(KEY, "one", b"plain")
    assert b"plain" not in sealed
    assert unseal(KEY, "one", sealed) == b"plain"


@pytest.mark.parametrize(("key", "purpose"), [(KEY + "x", "one"), (KEY, "two")], ids=["key", "purpose"])
def test_sealed_stays_closed_to_others(key: str, purpose: str) -> None:
    with pytest.raises(InvalidTag):
        unseal(key, purpose, seal(KEY, "one", b"plain"))
