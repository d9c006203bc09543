"""The site's side of a question; that the answer comes back is told in test_links.py."""

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.accounts import add_account, add_site, log_in
from tests.seed import CANARIES, seed


def test_a_supervisor_who_sees_no_names_can_answer(client: FlaskClient, session: Session) -> None:
    inquiry_id = seed(session).inquiry.id
    user = add_account(session, "site_supervisor", add_site(session, "DKR-C"), language="en")
    page = log_in(client, user).get(f"/inquiries/{inquiry_id}").text
    assert ("Is this right: Sex?" in page, CANARIES["D3"] in page) == (True, False)
    assert client.post(f"/inquiries/{inquiry_id}", data={"answer": "unknown"}).location == "/"
    assert "We cannot find out." in client.get(f"/inquiries/{inquiry_id}").text


def test_an_answer_that_is_none_is_refused_in_words(client: FlaskClient, session: Session) -> None:
    inquiry_id = seed(session).inquiry.id
    user = add_account(session, "centre_staff", add_site(session, "DKR-C"), language="en")
    refused = log_in(client, user).post(f"/inquiries/{inquiry_id}", data={"answer": "perhaps"})
    assert (refused.status_code, "Choose one of the answers." in refused.text) == (422, True)
