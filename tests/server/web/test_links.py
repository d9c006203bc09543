"""Reviewing links through the front door: queue, two records, every answer, two people where it takes two, undoing."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.accounts.models import User
from server.extensions import db
from sync.db import begin_write, is_waited_for
from sync.link_decisions import Word, decide_same
from sync.link_samples import draw_samples
from sync.models import LinkCheck, LinkDecision, LinkInquiry, LinkQuestion, LinkSample, PersonRecord
from sync.registry import lock_registry
from tests.accounts import add_account, add_site, log_in
from tests.sync.factory import NOW
from tests.sync.people import AWA, add_record

BORN = {"birth_date": date(1991, 4, 12)}
MOUSSA: dict[str, Any] = {
    "given_names": "Moussa", "family_name": "Traore", "sex": "1", "age": 20, "document_type": "P",
    "document_number": "A1234567", "nationality": "MLI",
}  # fmt: skip


@pytest.fixture
def steward(session: Session) -> User:
    return add_account(session, "data_steward", language="en")


@pytest.fixture
def pair(session: Session) -> tuple[PersonRecord, PersonRecord]:
    """A mother's name is missing and the birth is an age: a question, at two sites."""
    one = add_record(session, **AWA, **BORN, site_id=add_site(session, "ROSSO").id)
    other = add_record(session, **AWA | {"mother_name": ""}, age=35, site_id=add_site(session, "DKR-C", "centre").id)
    session.commit()
    return one, other


def address(pair: tuple[PersonRecord, PersonRecord], act: str = "") -> str:
    return f"/links/{pair[0].home_id}/{pair[1].home_id}{act}"


def list_kept(session: Session, model: type[Any]) -> list[Any]:
    session.rollback()  # what requests wrote meanwhile can be seen from now on
    return list(session.scalars(select(model)))


def log_in_another(client: FlaskClient, session: Session, role: str, code: str = "", **given: str) -> FlaskClient:
    session.rollback()
    return log_in(client, add_account(session, role, add_site(session, code) if code else None, language="en", **given))


def are_one(session: Session, pair: tuple[PersonRecord, PersonRecord]) -> bool:
    session.rollback()
    return pair[0].person_id == pair[1].person_id


def test_queue_leads_to_the_pair_with_its_waterfall(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    queue = log_in(client, steward).get("/links/").text
    assert ("open question" in queue, "Ndiaye" in queue) == (True, True)
    page = client.get(address(pair)).text
    for words in (
        "Coumba Sarr",
        "the same spelling",
        "two records by chance",
        "Together",
        "Dkr-C",
        '<rect class="for"',
    ):
        assert words in page
    assert "style=" not in page


def test_more_than_two_records_stand_beside_each_other(client: FlaskClient, session: Session, steward: User) -> None:
    """Three of each person at most: a fourth would leave no room on a screen."""
    many = [add_record(session, **AWA, **BORN) for _ in range(4)]
    other = add_record(session, **AWA | {"mother_name": ""}, age=35)
    session.commit()
    (asked,) = list_kept(session, LinkQuestion)
    page = log_in(client, steward).get(f"/links/{asked.one_id}/{asked.other_id}").text
    beside = [asked.one_id, asked.other_id].index(other.home_id)
    columns = [page.count(f'<th scope="col" class="side-{side}">') for side in (1 - beside, beside)]
    assert (columns, page.count("of the same person")) == ([3, 1], 2)
    assert sum(f'">{one.reference}</a>' in page for one in many) == 3


def test_the_menu_marks_the_page_of_a_pair_too(
    client: FlaskClient, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    assert '<a href="/links/" aria-current="page">' in log_in(client, steward).get(address(pair)).text


def test_same_makes_one_person_and_undo_makes_two(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    log_in(client, steward)
    after = client.post(address(pair), data={"answer": "same"})
    assert are_one(session, pair)
    page = client.get(after.location).text
    assert "Noted: the same person." in page
    decision = list_kept(session, LinkDecision)[0]
    assert f"/links/decisions/{decision.id}/undo" in page
    assert [name for name, _bits, _levels in decision.weights][:2] == ["prior", "household"]
    back = client.post(f"/links/decisions/{decision.id}/undo")
    assert not are_one(session, pair)
    assert "What held before it holds again." in client.get(back.location).text


@pytest.mark.parametrize("answer", ["apart", "unsure"])
def test_other_answers_leave_two_persons(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord], answer: str
) -> None:
    log_in(client, steward).post(address(pair), data={"answer": answer, "reason": "vu ensemble"})
    assert not are_one(session, pair)
    made = list_kept(session, LinkDecision)[0]
    assert (made.kind, made.reason) == (answer, "vu ensemble")
    assert (list_kept(session, LinkQuestion) == []) == (answer == "apart")
    assert "vu ensemble" in client.get("/links/decisions").text


def test_an_answered_question_cannot_be_answered_again(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    log_in(client, steward).post(address(pair), data={"answer": "same"})
    client.post(address(pair), data={"answer": "apart"})
    assert len(list_kept(session, LinkDecision)) == 1


@pytest.mark.both_databases
def test_of_two_who_answer_at_once_the_second_is_told_that_it_is_answered(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    one, other = (record.reference for record in pair)
    log_in(client, steward)
    with Session(db.engine) as first, ThreadPoolExecutor() as others:
        begin_write(first)
        lock_registry(first)
        second = others.submit(client.post, address(pair), data={"answer": "apart"})
        while not second.done() and not is_somebody_waiting(first):
            time.sleep(0.01)
        decide_same(first, one, other, Word(steward.actor_id, NOW))
        first.commit()
        assert second.result().location == "/links/"
    assert "closed already" in client.get("/links/").text
    assert [made.kind for made in list_kept(session, LinkDecision)] == ["same"]


def is_somebody_waiting(session: Session) -> bool:
    if db.engine.dialect.name == "sqlite":
        return is_waited_for(session)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    return bool(session.scalar(text(waiting)))


def test_an_answer_that_is_none_is_refused(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    assert log_in(client, steward).post(address(pair), data={"answer": "perhaps"}).status_code == 400


def test_a_decision_against_a_document_takes_two_people(client: FlaskClient, session: Session, steward: User) -> None:
    pair = (add_record(session, **MOUSSA), add_record(session, **MOUSSA | {"document_number": "B7654321"}))
    session.commit()
    log_in(client, steward)
    refused = client.post(address(pair), data={"answer": "same"})
    assert (refused.status_code, "takes two people" in refused.text) == (422, True)
    client.post(address(pair), data={"answer": "same", "reason": "old passport shown"})
    assert not are_one(session, pair)
    again = client.post(address(pair), data={"answer": "same", "reason": "old passport shown"})
    assert (again.status_code, "awaits a second person already" in again.text) == (422, True)
    (decision,) = list_kept(session, LinkDecision)
    confirm = f"/links/decisions/{decision.id}/confirm"
    assert confirm not in client.get("/links/").text
    client.post(confirm)
    assert not are_one(session, pair)
    log_in_another(client, session, "data_steward", email="second@teral.test")
    assert confirm in client.get("/links/").text
    client.post(confirm)
    assert are_one(session, pair)


def test_an_answer_that_awaits_a_second_person_leads_on_and_is_asked_last(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    grave = (add_record(session, **MOUSSA), add_record(session, **MOUSSA | {"document_number": "B7654321"}))
    session.commit()
    log_in(client, steward)
    after = client.post(address(grave), data={"answer": "same", "reason": "old passport shown"}).location
    assert after.startswith(tuple(address(ends) for ends in (pair, pair[::-1])))
    queue = client.get("/links/").text
    places = [min(queue.index(f'"{address(ends)}"') for ends in (two, two[::-1]) if f'"{address(ends)}"' in queue)
              for two in (pair, grave)]  # fmt: skip
    assert places == sorted(places)
    assert 'name="answer"' not in client.get(address(grave)).text


def test_two_who_find_a_link_by_a_document_wrong_part_it(client: FlaskClient, session: Session, steward: User) -> None:
    first = add_record(session, **MOUSSA)
    later = add_record(session, **MOUSSA, reference="2ZZZZ-ZZZZZ-00", hours=0)
    session.commit()
    for user in (steward, add_account(session, "data_steward", email="second@teral.test", language="en")):
        assert are_one(session, (later, first))
        log_in(client, user)
        client.post(address((later, first), "/check"), data={"answer": "apart", "reason": "not the one in the photo"})
    assert not are_one(session, (later, first))
    assert [one.kind for one in list_kept(session, LinkDecision)] == ["apart"]


def test_the_site_is_asked_and_its_answer_comes_back(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    log_in(client, steward)
    client.post(address(pair, "/ask"), data={"side": "1", "property": ["mother_name"], "note": "Demandez-lui."})
    asked = list_kept(session, LinkInquiry)[0]
    log_in_another(client, session, "centre_staff", "DKR-C")
    assert f"/inquiries/{asked.id}" in client.get("/").text
    task = client.get(f"/inquiries/{asked.id}").text
    assert ("Demandez-lui." in task, "Coumba Sarr" in task) == (True, False)
    client.post(f"/inquiries/{asked.id}", data={"answer": "wrong", "note": "Sa mère est Coumba."})
    assert f"/inquiries/{asked.id}" not in client.get("/").text
    log_in(client, steward)
    assert "the site has answered" in client.get("/links/").text
    assert "Sa mère est Coumba." in client.get(address(pair)).text


def test_a_site_is_not_asked_twice_before_it_answers_and_the_page_says_so(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    log_in(client, steward)
    question = {"side": "1", "property": ["mother_name"], "note": "Demandez-lui."}
    client.post(address(pair, "/ask"), data=question)
    assert "is asked about Mother" in (page := client.get(address(pair)).text)
    assert ("already" in page, "has not answered yet" in page) == (True, True)
    again = client.post(address(pair, "/ask"), data=question | {"note": "Encore une fois."})
    assert (again.status_code, "The site is asked this already" in again.text) == (422, True)
    assert ("Encore une fois." in again.text, len(list_kept(session, LinkInquiry))) == (True, 1)


def test_a_question_about_nothing_is_refused_in_words(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    refused = log_in(client, steward).post(address(pair, "/ask"), data={"side": "0"})
    assert (refused.status_code, "Choose what the site should make sure of." in refused.text) == (422, True)


def test_two_people_check_an_automatic_link_blind(client: FlaskClient, session: Session, steward: User) -> None:
    first = add_record(session, **AWA, **BORN)
    later = add_record(session, **AWA, **BORN, reference="2ZZZZ-ZZZZZ-00", hours=0)
    session.commit()
    for user in (steward, add_account(session, "data_steward", email="second@teral.test", language="en")):
        place = log_in(client, user).get("/links/check").location
        assert place == address((later, first))
        page = client.get(place).text
        assert ("Is this link right?" in page, "two records by chance" in page) == (True, False)
        client.post(f"{place}/check", data={"answer": "same"})
    assert client.get("/links/check").location == "/links/"
    assert "1 link checked" in client.get("/links/").text


def test_whoever_finds_a_link_wrong_parts_it(client: FlaskClient, session: Session, steward: User) -> None:
    first = add_record(session, **AWA, **BORN)
    later = add_record(session, **AWA, **BORN, reference="2ZZZZ-ZZZZZ-00", hours=0)
    session.commit()
    log_in(client, steward).post(address((later, first), "/check"), data={"answer": "apart"})
    assert not are_one(session, (later, first))
    assert [one.answer for one in list_kept(session, LinkCheck)] == ["apart"]


def test_whoever_finds_a_link_by_a_document_wrong_says_why_and_is_not_asked_again(
    client: FlaskClient, session: Session, steward: User
) -> None:
    first = add_record(session, **MOUSSA)
    later = add_record(session, **MOUSSA, reference="2ZZZZ-ZZZZZ-00", hours=0)
    session.commit()
    assert are_one(session, (later, first))
    assert 'name="reason"' in log_in(client, steward).get(address((later, first))).text
    refused = client.post(address((later, first), "/check"), data={"answer": "apart"})
    assert (refused.status_code, list_kept(session, LinkCheck)) == (422, [])
    client.post(address((later, first), "/check"), data={"answer": "apart", "reason": "not the one in the photo"})
    assert are_one(session, (later, first))
    (waiting,) = list_kept(session, LinkDecision)
    assert (waiting.kind, waiting.needs_second, waiting.reason) == ("apart", True, "not the one in the photo")
    assert [one.answer for one in list_kept(session, LinkCheck)] == ["apart"]
    assert client.get("/links/check").location == "/links/"


def test_only_a_link_of_the_sample_is_checked(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    refused = log_in(client, steward).post(address(pair, "/check"), data={"answer": "apart"})
    assert refused.location == "/links/check"
    assert "needs no check by you any more" in client.get("/links/").text
    assert (list_kept(session, LinkCheck), list_kept(session, LinkDecision)) == ([], [])


def test_looking_at_two_people_is_journalled(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    log_in(client, steward).get(address(pair))
    journal = log_in_another(client, session, "auditor").get("/audit/").text
    for record in pair:
        assert f"person:{record.person_id}" in journal


def test_a_pair_of_another_site_is_not_there(
    client: FlaskClient, session: Session, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    log_in_another(client, session, "protection_officer", "DKR-C")
    assert client.get(address(pair)).status_code == 404
    assert client.post(address(pair), data={"answer": "same"}).status_code == 404


def test_a_record_beside_itself_is_no_pair(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    assert log_in(client, steward).get(address((pair[0], pair[0]))).status_code == 404


def test_a_drawn_pair_is_shown_without_weights_and_its_answer_is_a_decision(
    client: FlaskClient, session: Session, steward: User
) -> None:
    one = add_record(session, **AWA, age=35)
    other = add_record(session, **AWA | {"given_names": "Sira", "mother_name": "Ndella Diouf"}, age=33)
    draw_samples(session, NOW)
    session.commit()
    drawn = (one, other)
    queue = log_in(client, steward).get("/links/").text
    assert ("Drawn by lot" in queue, " bits" in queue) == (True, False)
    page = client.get(address(drawn)).text
    assert ("Drawn by lot" in page, 'value="same"' in page, "waterfall" in page, " bits" in page) == (
        True, True, False, False,
    )  # fmt: skip
    assert client.post(address(drawn), data={"answer": "apart"}).location.startswith("/links/")
    [made] = list_kept(session, LinkDecision)
    assert (made.kind, made.weights) == ("apart", [])
    assert "Drawn by lot" not in client.get("/links/").text
    assert "waterfall" in client.get(address(drawn)).text


def test_two_records_of_one_person_may_be_drawn_and_are_parted_by_who_finds_them_to_be_two(
    client: FlaskClient, session: Session, steward: User
) -> None:
    said = ({}, {"phone": "771234567"}, {"birth_place": ""})
    records = [add_record(session, **AWA | more, **BORN) for more in said]
    assert draw_samples(session, NOW) == 1
    [sample] = session.scalars(select(LinkSample))
    one, other = (record for record in records if record.home_id in (sample.one_id, sample.other_id))
    session.commit()
    assert are_one(session, (one, other))
    page = log_in(client, steward).get(address((one, other))).text
    assert ("Drawn by lot" in page, " bits" in page) == (True, False)
    client.post(address((one, other)), data={"answer": "apart"})
    assert not are_one(session, (one, other))


def test_a_decision_tells_by_which_model_it_was_weighed(
    client: FlaskClient, session: Session, steward: User, pair: tuple[PersonRecord, PersonRecord]
) -> None:
    log_in(client, steward).post(address(pair), data={"answer": "apart"})
    session.rollback()
    decision = session.scalars(select(LinkDecision)).one()
    page = client.get("/links/decisions").text
    assert (f"Weighed by the model {decision.model_version}" in page, "has rewritten" in page) == (True, False)
    decision.model_version = "f" * 16
    session.commit()
    assert f"the model {'f' * 16}, which an upgrade has rewritten since" in client.get("/links/decisions").text
