"""A bundle opens for whom it was sealed, if its sender is known and not one bit of it is another."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.relaying.bundles import BundleRefused, make_key, open_bundle, public_key, seal_bundle

CENTRE, POST, OTHER = make_key(), make_key(), make_key()
CONTENT = b"Aminata " * 20_000


def seal(content: bytes = CONTENT, key: str = POST, recipient: str = CENTRE) -> bytes:
    target = io.BytesIO()
    seal_bundle(io.BytesIO(content), target, key, public_key(recipient))
    return target.getvalue()


def unseal(bundle: bytes, key: str = CENTRE, sender: str = POST) -> bytes:
    target = io.BytesIO()
    assert open_bundle(io.BytesIO(bundle), target, key, [public_key(sender)]) == public_key(sender)
    return target.getvalue()


BUNDLE = seal()


@pytest.mark.parametrize("length", [1, 64 * 1024, 64 * 1024 + 1, len(CONTENT)])
def test_what_was_sealed_is_opened(length: int) -> None:
    assert unseal(seal(CONTENT[:length])) == CONTENT[:length]


def test_nothing_can_be_read_in_it() -> None:
    assert b"Aminata" not in BUNDLE
    assert seal() != BUNDLE


@pytest.mark.parametrize(
    ("bundle", "code"),
    [
        (seal(recipient=OTHER), "bundle_foreign"),
        (seal(key=OTHER), "bundle_sender"),
        (b"", "bundle_kind"),
        (b"PK\x03\x04", "bundle_kind"),
    ],
    ids=["for another", "from another", "empty", "something else"],
)
def test_a_bundle_that_is_not_ours_is_refused(bundle: bytes, code: str) -> None:
    with pytest.raises(BundleRefused) as refused:
        unseal(bundle)
    assert refused.value.code == code


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(BUNDLE) * 8 - 1))
def test_any_flipped_bit_is_noticed(place: int) -> None:
    damaged = bytearray(BUNDLE)
    damaged[place // 8] ^= 1 << place % 8
    with pytest.raises(BundleRefused):
        unseal(bytes(damaged))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(BUNDLE) - 1))
def test_a_bundle_that_was_cut_off_is_noticed(length: int) -> None:
    with pytest.raises(BundleRefused):
        unseal(BUNDLE[:length])


def test_more_than_the_end_is_noticed() -> None:
    with pytest.raises(BundleRefused, match="damaged"):
        unseal(BUNDLE + b"x")


def test_a_part_that_is_left_out_is_noticed() -> None:
    part = 64 * 1024 + 17
    with pytest.raises(BundleRefused, match="damaged"):
        unseal(BUNDLE[: -part - 10] + BUNDLE[-part + 10 :])


@pytest.mark.parametrize("key", ["", "x", "é", "AAAA"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(BundleRefused, match="no key"):
        public_key(key)
