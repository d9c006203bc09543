"""Addresses arrive as they were sent, up to a length."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.routing import MAX_ADDRESS, RawPaths, SegmentConverter

ODD = {"slash": "a%2Fb/c", "lower case": "a%2fb/c", "twice encoded": "a%252Fb/c", "tick": "%E2%9C%85/c"}
READ = {"slash": "a/b", "lower case": "a/b", "twice encoded": "a%2Fb", "tick": "✅"}


@pytest.fixture
def client() -> FlaskClient:
    app = Flask(__name__)
    app.url_map.converters["segment"] = SegmentConverter
    app.add_url_rule("/x/<segment:name>/c", view_func=lambda name: name, endpoint="x")
    app.wsgi_app = RawPaths(app.wsgi_app)  # type: ignore[method-assign]
    return app.test_client()


@pytest.mark.parametrize("case", ODD)
def test_segment_holds_any_text(client: FlaskClient, case: str) -> None:
    assert client.get(f"/x/{ODD[case]}").text == READ[case]


def test_address_is_built_as_it_is_read(client: FlaskClient) -> None:
    with client.application.test_request_context():
        assert client.application.url_for("x", name="a/b %") == "/x/a%2Fb%20%25/c"


@pytest.mark.parametrize(
    ("length", "status"), [(MAX_ADDRESS - 10, 200), (MAX_ADDRESS + 1, 414)], ids=["long", "too long"]
)
def test_address_has_a_longest(client: FlaskClient, length: int, status: int) -> None:
    assert client.get("/x/a/c?id=" + "x" * (length - 10)).status_code == status
