"""Answers to challenges, held against the example of RFC 7616, section 3.9.1."""

import re

import pytest
from urllib3.util import parse_url

from server.tablets.login import Login

RFC = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def test_digest_is_that_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _size: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    login = Login("Mufasa", "Circle of Life")
    login.take_challenge([RFC], parse_url("http://www.example.org/"))
    header = login.authorization("GET", "/dir/index.html") or ""
    assert re.search(r'response="([^"]+)"', header)[1] == "8ca523f5e9506fed4657c9700eebdbec"  # type: ignore[index]


@pytest.mark.parametrize(
    ("url", "offers", "answered"),
    [
        pytest.param("https://a.test/", ['Basic realm="x"'], True, id="basic over TLS"),
        pytest.param("http://a.test/", ['Basic realm="x"'], False, id="basic in the open"),
        pytest.param("http://a.test/", ["Bearer"], False, id="a scheme Collect does not know"),
    ],
)
def test_challenge_is_taken_as_collect_would(url: str, offers: list[str], answered: bool) -> None:
    assert Login("a", "b").take_challenge(offers, parse_url(url)) is answered


def test_basic_carries_name_and_password() -> None:
    login = Login("t1", "pass")
    login.take_challenge(['Basic realm="x"'], parse_url("https://a.test/"))
    assert login.authorization("GET", "/") == "Basic dDE6cGFzcw=="


def test_nothing_is_said_before_the_server_asks() -> None:
    assert Login("t1", "pass").authorization("GET", "/") is None
