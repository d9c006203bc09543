"""Addresses arrive as they were sent, up to a length."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from server.routing import MAX_ADDRESS, MAX_ID, RawPaths, SegmentConverter, row_id
from tests.accounts import add_account, log_in
from tests.server.web.conftest import Browser

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


@pytest.mark.parametrize("text", ["-1", str(MAX_ID + 1), "9" * 30, "x", ""])
def test_a_number_that_no_row_has_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"no row has|invalid literal"):
        row_id(text)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/submissions/{MAX_ID + 1}", 404),
        ("/people/" + "9" * 30, 404),
        ("/submissions/?before=" + "9" * 30, 200),
        ("/submissions/?site=-1&device=" + "9" * 30, 200),
        ("/submissions/?form=%00", 400),
        ("/audit/?action=a%00", 400),
        ("/v1/projects/1/forms/a%00b", 400),
        ("/login?next=%ff%fe", 200),
    ],
)
@pytest.mark.both_databases
def test_hostile_addresses_never_reach_the_database(app: Flask, session: Session, address: str, status: int) -> None:
    browser = Browser(app, app.response_class)
    app.config["WTF_CSRF_ENABLED"] = False
    log_in(browser, add_account(session, "auditor"))
    assert browser.get(address).status_code == status


@pytest.mark.both_databases
def test_a_search_for_what_no_column_holds_is_refused(app: Flask, session: Session) -> None:
    browser = Browser(app, app.response_class)
    app.config["WTF_CSRF_ENABLED"] = False
    log_in(browser, add_account(session, "auditor"))
    assert browser.post("/people/", data={"asked": "Awa\0"}).status_code == 400
