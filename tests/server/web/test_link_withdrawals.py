"""Checks and questions to sites are taken back where they are listed: by who made them, or from the audit journal."""

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from sync.models import LinkCheck, LinkDecision, LinkInquiry, PersonRecord
from tests.accounts import add_account, log_in
from tests.server.web.test_links import BORN, address, are_one, list_kept, log_in_another, pair
from tests.sync.people import AWA, add_record

__all__ = ["pair"]
Pair = tuple[PersonRecord, PersonRecord]


def add_sampled(session: Session) -> Pair:
    first = add_record(session, **AWA, **BORN)
    later = add_record(session, **AWA, **BORN, reference="2ZZZZ-ZZZZZ-00", hours=0)
    session.commit()
    return later, first


def test_a_check_is_taken_back_from_the_page_of_decisions(client: FlaskClient, session: Session) -> None:
    ends = add_sampled(session)
    user = add_account(session, "data_steward", language="en")
    log_in(client, user).post(address(ends, "/check"), data={"answer": "same"})
    undo = f"/links/checks/{ends[0].home_id}/{ends[1].home_id}/{user.actor_id}/undo"
    assert f'action="{undo}"' in client.get("/links/decisions").text
    assert "The check is taken back." in client.get(client.post(undo).location).text
    assert (list_kept(session, LinkCheck), client.get("/links/check").location) == ([], address(ends))
    assert client.post(undo).status_code == 404


def test_precision_follows_when_what_a_check_parted_is_undone(client: FlaskClient, session: Session) -> None:
    ends = add_sampled(session)
    log_in(client, add_account(session, "data_steward", language="en"))
    client.post(address(ends, "/check"), data={"answer": "apart"})
    assert "1 link checked" in client.get("/links/").text
    (decision,) = list_kept(session, LinkDecision)
    client.post(f"/links/decisions/{decision.id}/undo")
    assert are_one(session, ends)
    assert "None is checked yet." in client.get("/links/").text


def test_nobody_takes_back_what_a_colleague_said(client: FlaskClient, session: Session) -> None:
    ends = add_sampled(session)
    user = add_account(session, "data_steward", language="en")
    log_in(client, user).post(address(ends, "/check"), data={"answer": "same"})
    undo = f"/links/checks/{ends[0].home_id}/{ends[1].home_id}/{user.actor_id}/undo"
    other = log_in_another(client, session, "data_steward", email="second@teral.test")
    assert (undo in other.get("/links/decisions").text, other.post(undo).status_code) == (False, 404)
    admin = log_in_another(client, session, "administrator")
    assert f'action="{undo}"' in admin.get("/audit/").text
    assert admin.post(undo).location == "/audit/"
    assert undo not in admin.get("/audit/").text
    assert list_kept(session, LinkCheck) == []


def test_a_question_to_a_site_is_taken_back(client: FlaskClient, session: Session, pair: Pair) -> None:
    log_in(client, add_account(session, "data_steward", language="en"))
    client.post(address(pair, "/ask"), data={"side": "1", "property": ["mother_name"]})
    (asked,) = list_kept(session, LinkInquiry)
    undo = f"/links/inquiries/{asked.id}/undo"
    for page in ("/links/decisions", address(pair)):
        assert f'action="{undo}"' in client.get(page).text
    assert "The question is taken back." in client.get(client.post(undo).location).text
    page = client.get(address(pair)).text
    assert ("taken back" in page, undo in page, "has not answered yet" in page) == (True, False, False)
    assert "the site is asked" not in client.get("/links/").text
    client.post(undo)
    assert "was taken back" in client.get("/links/decisions").text
    staff = log_in_another(client, session, "centre_staff", "DKR-C")
    assert f"/inquiries/{asked.id}" not in staff.get("/").text
    assert "was taken back" in staff.get(f"/inquiries/{asked.id}").text
    refused = staff.post(f"/inquiries/{asked.id}", data={"answer": "right"})
    assert (refused.status_code, "was taken back" in refused.text) == (422, True)


def test_an_administrator_takes_a_question_back_from_the_journal(
    client: FlaskClient, session: Session, pair: Pair
) -> None:
    log_in(client, add_account(session, "data_steward", language="en"))
    client.post(address(pair, "/ask"), data={"side": "1", "property": ["mother_name"]})
    (asked,) = list_kept(session, LinkInquiry)
    admin = log_in_another(client, session, "administrator")
    undo = f"/links/inquiries/{asked.id}/undo"
    assert f'action="{undo}"' in admin.get("/audit/").text
    admin.post(undo)
    page = admin.get("/audit/").text
    assert (undo in page, "question about a record taken back" in page) == (False, True)
