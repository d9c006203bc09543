"""Digest as OkHttp answers it: RFC 7616 with MD5 and qop=auth, nonces without memory."""

import hashlib
import time

import pytest

from server.accounts.digest import NONCE_SECONDS, challenge, check_answer, ha1, make_nonce, parse_answer
from tests.server.openrosa.digest_client import answer_challenge

KEY = "a-secret-of-tests-only-0123456789abcdef"
URI = "/formList?deviceID=collect%3Aabc"


def answer(nonce: str | None = None, method: str = "GET", uri: str = URI, password: str = "secret") -> str:
    offered = challenge(KEY) if nonce is None else f'Digest realm="teral", nonce="{nonce}", qop="auth", algorithm=MD5'
    return answer_challenge(offered, "t1", password, method, uri).removeprefix("Digest ")


def judge(header: str, method: str = "GET", uri: str = URI) -> str:
    parsed = parse_answer(header)
    assert parsed is not None
    return check_answer(parsed, ha1("t1", "secret"), method, uri, KEY)


def test_right_password_is_right() -> None:
    assert judge(answer()) == "right"


def test_rfc_example_of_ha1() -> None:
    assert ha1("t1", "secret") == hashlib.md5(b"t1:teral:secret").hexdigest()


def test_whole_address_in_the_uri_is_the_same_target() -> None:
    assert judge(answer(uri=f"http://teral.test{URI}")) == "right"


@pytest.mark.parametrize(
    "header",
    [
        answer(password="wrong"),
        answer(method="POST"),
        answer(uri="/submission"),
        answer(nonce="65f0.0123456789abcdef0123456789abcdef"),
        answer(nonce="no-nonce"),
    ],
    ids=["password", "method", "uri", "forged nonce", "no nonce"],
)
def test_wrong_answers_are_wrong(header: str) -> None:
    assert judge(header) == "wrong"


def test_old_nonce_is_stale_when_the_password_is_right() -> None:
    old = make_nonce(KEY, int(time.time()) - NONCE_SECONDS - 5)
    assert judge(answer(nonce=old)) == "stale"
    assert judge(answer(nonce=old, password="wrong")) == "wrong"


def test_nonce_of_the_future_is_not_fresh() -> None:
    assert judge(answer(nonce=make_nonce(KEY, int(time.time()) + 3600))) == "stale"


def test_nonce_serves_again_and_again() -> None:
    header = answer()
    assert [judge(header), judge(header)] == ["right", "right"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        'username="t1"',
        answer().replace("algorithm=MD5", "algorithm=SHA-256"),
        answer().replace("qop=auth", "qop=x"),
    ],
    ids=["empty", "fields missing", "algorithm", "qop"],
)
def test_what_was_not_offered_is_not_read(header: str) -> None:
    assert parse_answer(header) is None


def test_challenge_says_when_only_the_nonce_was_old() -> None:
    assert "stale=true" in challenge(KEY, stale=True)
    assert "stale" not in challenge(KEY)
