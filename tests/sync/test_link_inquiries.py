"""A site is asked about its own record, answers once, and never hears of the other one."""

import pytest
from sqlalchemy.orm import Session

from sync.link_inquiries import (
    InquiryRefused,
    answer_inquiry,
    ask_site,
    find_inquiry,
    find_withdrawable,
    forget_inquiry_notes,
    list_asked_by,
    list_inquiries_about,
    list_open_inquiries,
    withdraw_inquiry,
)
from sync.models import Actor, LinkInquiry, PersonRecord
from sync.policy import Viewer
from tests.sync.factory import NOW, add_site
from tests.sync.people import AWA, add_record


@pytest.fixture
def records(session: Session) -> tuple[PersonRecord, PersonRecord]:
    session.add(Actor(kind="user", display_name="Awa", created_at=NOW))
    session.flush()
    sites = add_site(session).id, add_site(session, "DIA").id
    return add_record(session, **AWA, site_id=sites[0]), add_record(session, **AWA, site_id=sites[1])


def ask(session: Session, records: tuple[PersonRecord, PersonRecord], **given: object) -> LinkInquiry:
    wanted = {"properties": ["mother_name", "sex", "secret"], "note": " Demandez. "} | given
    return ask_site(session, *records, wanted["properties"], wanted["note"], 1, NOW)  # type: ignore[arg-type]


def test_only_the_site_of_the_record_is_asked(session: Session, records: tuple[PersonRecord, PersonRecord]) -> None:
    inquiry = ask(session, records)
    assert (inquiry.properties, inquiry.note) == (["sex", "mother_name"], "Demandez.")
    here, there = (Viewer(1, "site_supervisor", record.site_id) for record in records)
    assert [list(list_open_inquiries(session, one)) for one in (here, there)] == [[inquiry], []]
    assert [find_inquiry(session, one, inquiry.id) for one in (here, there)] == [inquiry, None]


@pytest.mark.parametrize("viewer", [Viewer(1, "data_steward"), Viewer(1, "site_supervisor", None)])
def test_who_is_at_no_site_answers_nothing(
    session: Session, records: tuple[PersonRecord, PersonRecord], viewer: Viewer
) -> None:
    inquiry = ask(session, records)
    assert (list(list_open_inquiries(session, viewer)), find_inquiry(session, viewer, inquiry.id)) == ([], None)


@pytest.mark.both_databases
def test_answer_stays_with_the_pair_and_closes_the_task(
    session: Session, records: tuple[PersonRecord, PersonRecord]
) -> None:
    inquiry = ask(session, records)
    answer_inquiry(session, inquiry, "wrong", "Née en 1992", 1, NOW)
    assert list_open_inquiries(session, Viewer(1, "site_supervisor", records[0].site_id)) == []
    assert [one.answer for one in list_inquiries_about(session, *reversed(records))] == ["wrong"]
    with pytest.raises(InquiryRefused, check=lambda error: error.code == "inquiry_answered"):
        answer_inquiry(session, inquiry, "right", "", 1, NOW)


@pytest.mark.parametrize(
    ("given", "code"),
    [({"properties": []}, "inquiry_properties"), ({"note": "x" * 501}, "inquiry_note_long")],
    ids=["about nothing", "too long"],
)
def test_a_question_that_cannot_be_asked_is_refused(
    session: Session, records: tuple[PersonRecord, PersonRecord], given: dict[str, object], code: str
) -> None:
    with pytest.raises(InquiryRefused, check=lambda error: error.code == code):
        ask(session, records, **given)


@pytest.mark.both_databases
def test_what_is_asked_already_is_not_asked_again_before_it_is_answered(
    session: Session, records: tuple[PersonRecord, PersonRecord]
) -> None:
    first = ask(session, records)
    with pytest.raises(InquiryRefused, check=lambda error: error.code == "inquiry_open"):
        ask(session, records, properties=["sex"], note="Encore")
    assert ask(session, records, properties=["sex", "birth_date"]).properties == ["birth_date"]
    assert ask(session, (records[1], records[0]), properties=["sex"]).site_id == records[1].site_id
    answer_inquiry(session, first, "unknown", "", 1, NOW)
    assert ask(session, records, properties=["sex", "birth_date"]).properties == ["sex"]


def test_a_record_of_no_site_cannot_be_asked_about(
    session: Session, records: tuple[PersonRecord, PersonRecord]
) -> None:
    with pytest.raises(InquiryRefused, check=lambda error: error.code == "inquiry_no_site"):
        ask(session, (add_record(session, **AWA), records[0]))


def test_an_answer_is_one_of_three(session: Session, records: tuple[PersonRecord, PersonRecord]) -> None:
    with pytest.raises(InquiryRefused, check=lambda error: error.code == "inquiry_answer_unknown"):
        answer_inquiry(session, ask(session, records), "perhaps", "", 1, NOW)


def test_erasing_a_record_forgets_what_was_written_about_it(
    session: Session, records: tuple[PersonRecord, PersonRecord]
) -> None:
    inquiry = ask(session, records)
    answer_inquiry(session, inquiry, "wrong", "Née en 1992", 1, NOW)
    forget_inquiry_notes(session, records[1].submission_id)
    session.refresh(inquiry)
    assert (inquiry.note, inquiry.answer_note, inquiry.answer) == ("", "", "wrong")


@pytest.mark.both_databases
def test_a_question_that_is_taken_back_is_no_task_any_more(
    session: Session, records: tuple[PersonRecord, PersonRecord]
) -> None:
    inquiry = ask(session, records)
    assert list(list_asked_by(session, Viewer(1, "data_steward"))) == [inquiry]
    withdraw_inquiry(session, inquiry, 1, NOW)
    assert (inquiry.withdrawn_at, inquiry.withdrawn_by_id, inquiry.is_open) == (NOW, 1, False)
    assert list_open_inquiries(session, Viewer(1, "site_supervisor", records[0].site_id)) == []
    assert list_asked_by(session, Viewer(1, "data_steward")) == []
    for act in (lambda: answer_inquiry(session, inquiry, "right", "", 1, NOW),
                lambda: withdraw_inquiry(session, inquiry, 1, NOW)):  # fmt: skip
        with pytest.raises(InquiryRefused, check=lambda error: error.code == "inquiry_withdrawn"):
            act()
    assert ask(session, records).properties == inquiry.properties


def test_what_a_site_has_answered_is_not_taken_back(
    session: Session, records: tuple[PersonRecord, PersonRecord]
) -> None:
    inquiry = ask(session, records)
    answer_inquiry(session, inquiry, "right", "", 1, NOW)
    with pytest.raises(InquiryRefused, check=lambda error: error.code == "inquiry_answered"):
        withdraw_inquiry(session, inquiry, 1, NOW)


@pytest.mark.parametrize(
    ("viewer", "may"),
    [(Viewer(1, "data_steward"), True), (Viewer(2, "data_steward"), False), (Viewer(2, "administrator"), True)],
    ids=["who asked", "a colleague", "an administrator"],
)
def test_who_may_take_a_question_back(
    session: Session, records: tuple[PersonRecord, PersonRecord], viewer: Viewer, may: bool
) -> None:
    assert (find_withdrawable(session, viewer, ask(session, records).id) is not None) == may
