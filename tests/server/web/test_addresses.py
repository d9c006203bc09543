"""Addresses keep filters, and nothing that is written into them breaks or bends them."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from server.web.addresses import filtered_url
from tests.accounts import add_account, log_in
from tests.seed import Seeded, seed

ODD = "submission_id=1&endpoint=x&_scheme=ftp&_external=1&_anchor=a&_method=POST&self=1&before=9"


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


def test_filters_stay_and_the_place_in_the_list_does_not(app: Flask) -> None:
    with app.test_request_context("/submissions/?state=merged&form=a%26b&before=70&site="):
        assert filtered_url("submissions.export") == "/submissions/export.csv?state=merged&form=a%26b&site="
        assert filtered_url("submissions.page", submission_id=5).startswith("/submissions/5?state=merged&")
        assert filtered_url("submissions.list_page", before=2) == "/submissions/?before=2&state=merged&form=a%26b&site="
    with app.test_request_context("/submissions/"):
        assert filtered_url("submissions.list_page") == "/submissions/"


def test_no_word_in_an_address_is_taken_for_an_order(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "national_supervisor"))
    page = f"/submissions/{seeded.submission.id}"
    for address in ("/submissions/", page, "/jobs/", "/audit/"):
        shown = client.get(f"{address}?{ODD}")
        assert (shown.status_code, "ftp://" in shown.text) == (200, False), address
    for act, said in (("decisions", {"kind": "replay"}), ("comments", {"body": "Seen."}), ("mark", {})):
        answer = client.post(f"{page}/{act}?{ODD}", data=said)
        assert answer.status_code in (302, 422)
        assert answer.headers.get("Location", page).startswith(page)
