"""Records as programs send, edit, review and read them."""

from urllib.parse import quote

import pytest
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.models import Submission
from tests.server.rest.program import Program, form_path, problem
from tests.server.rest.samples import record

AWKWARD = "scna+~!@#$%^&*()_+=-✅✅/2026-11-20T08:00:00"
RECORDS = f"{form_path('market')}/submissions"


def at(instance: str, rest: str = "") -> str:
    return f"{RECORDS}/{quote(instance, safe='')}{rest}"


def send(program: Program, xml: bytes, query: str = "") -> str:
    answer = program.post(f"{RECORDS}{query}", data=xml, content_type="application/xml")
    assert answer.status_code == 200, answer.text
    return str(answer.json["instanceId"])  # type: ignore[index]


def escape(instance: str) -> str:
    return instance.replace("&", "&amp;")


@pytest.fixture
def edited(market: Program) -> Program:
    """Record `a` is sent as mango and edited to papaya by `b`."""
    send(market, record("a"))
    answer = market.call("PUT", at("a"), data=record("b", "<fruit>papaya</fruit>", deprecated="a"))
    assert answer.status_code == 200, answer.text
    return market


def test_any_instance_id_is_one_segment_of_an_address(market: Program) -> None:
    assert send(market, record(escape(AWKWARD))) == AWKWARD
    assert market.json(at(AWKWARD))["instanceId"] == AWKWARD
    assert market.get(at(AWKWARD, ".xml")).data == record(escape(AWKWARD))


def test_an_ampersand_that_a_script_forgot_to_escape_is_one(market: Program) -> None:
    assert send(market, record("a & b", "<fruit>R&D &amp; &#77;</fruit>")) == "a & b"
    assert b"<fruit>R&amp;D &amp; &#77;</fruit>" in market.get(at("a & b", ".xml")).data


def test_a_record_has_what_pyodk_asks_for(market: Program) -> None:
    send(market, record("a"), "?deviceID=script-1")
    shown = market.json(at("a"), headers={"User-Agent": "ignored when reading"})
    assert (shown["submitterId"], shown["deviceId"], shown["reviewState"]) == (market.actor_id, "script-1", None)
    assert (shown["updatedAt"], shown["currentVersion"]["instanceId"]) == (None, "a")
    assert shown["createdAt"].endswith("Z")
    assert market.json(RECORDS) == [shown]


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (record("a"), (409, 409.3)),
        (record("b", version="2"), (404, 404.6)),
        (record("b", form="other"), (400, 400.8)),
        (b"<data/>", (400, 400.2)),
        (b"no xml", (400, 400.1)),
    ],
    ids=["the same again", "unknown version", "another form", "no form", "no XML"],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    market: Program, xml: bytes, expected: tuple[int, float]
) -> None:
    send(market, record("a"))
    assert problem(market.post(RECORDS, data=xml)) == expected
    assert [one["instanceId"] for one in market.json(RECORDS)] == ["a"]


def test_a_form_that_is_not_there_takes_nothing(market: Program) -> None:
    sent = market.post(f"{form_path('nowhere')}/submissions", data=record("a", form="nowhere"))
    assert problem(sent) == (404, 404.1)


def test_a_closed_form_takes_nothing(market: Program) -> None:
    market.call("PATCH", form_path("market"), json={"state": "closed"})
    assert problem(market.post(RECORDS, data=record("a"))) == (409, 409.2)


def test_a_record_without_an_id_gets_one(market: Program) -> None:
    made = send(market, b'<data id="market" version="1"><fruit>mango</fruit></data>')
    assert market.json(at(made))["instanceId"] == made


def test_an_edit_is_known_by_the_first_id(edited: Program) -> None:
    shown = edited.json(at("a"))
    assert (shown["instanceId"], shown["currentVersion"]["instanceId"]) == ("a", "b")
    assert shown["updatedAt"]
    assert edited.json(at("b")) == shown
    assert [one["instanceId"] for one in edited.json(RECORDS)] == ["a"]
    assert edited.get(at("a", ".xml")).data == record("b", "<fruit>papaya</fruit>", deprecated="a")


def test_versions_and_differences_are_told(edited: Program) -> None:
    versions = edited.json(at("a", "/versions"))
    assert [(one["instanceId"], one["current"]) for one in versions] == [("b", True), ("a", False)]
    assert edited.json(at("a", "/versions/a"))["instanceId"] == "a"
    assert edited.get(at("a", "/versions/a.xml")).data == record("a")
    changed = {"/".join(one["path"]): (one.get("old"), one["new"]) for one in edited.json(at("a", "/diffs"))["b"]}
    assert changed["fruit"] == ("mango", "papaya")
    assert changed["meta/deprecatedID"] == (None, "a")


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (record("c"), (400, 400.19)),
        (record("c", deprecated="a"), (409, 409.9)),
        (record("a", deprecated="b"), (409, 409.3)),
    ],
    ids=["names no version", "names an older version", "takes a known id"],
)
def test_an_edit_that_does_not_fit_is_refused(edited: Program, xml: bytes, expected: tuple[int, float]) -> None:
    assert problem(edited.call("PUT", at("a"), data=xml)) == expected


def test_a_review_is_a_decision_and_a_mark_is_none(market: Program, session: Session) -> None:
    send(market, record("a"))
    seen = []
    for state in ("hasIssues", "rejected", "approved", "edited", None):
        answer = market.call("PATCH", at("a"), json={"reviewState": state})
        row = session.query(Submission).one()
        seen.append((answer.json["reviewState"], row.decision))  # type: ignore[index]
        session.rollback()
    assert seen == [
        ("hasIssues", None), ("rejected", "reject"), ("approved", "accept"), ("edited", None), (None, None),
    ]  # fmt: skip
    assert problem(market.call("PATCH", at("a"), json={"reviewState": "lovely"})) == (400, 400.8)


def test_a_record_in_quarantine_has_issues(market: Program) -> None:
    send(market, record("a", "<boxes>many</boxes>"))
    process_pending()
    assert market.json(at("a"))["reviewState"] == "hasIssues"


def test_lists_are_cut_by_offset_and_limit(market: Program) -> None:
    for name in "abcde":
        send(market, record(name))
    assert [one["instanceId"] for one in market.json(f"{RECORDS}?offset=1&limit=2")] == ["d", "c"]
    assert market.json(f"{RECORDS}?limit=0") == []
    assert problem(market.get(f"{RECORDS}?limit=-1")) == (400, 400.8)


def test_senders_and_events_are_told(edited: Program) -> None:
    assert [one["id"] for one in edited.json(f"{RECORDS}/submitters")] == [edited.actor_id]
    assert [one["action"] for one in edited.json(at("a", "/audits"))] == [
        "submission.update.version",
        "submission.create",
    ]


def test_nothing_is_in_the_bin(edited: Program) -> None:
    assert edited.json(f"{RECORDS}?deleted=true") == []


def test_an_edited_record_keeps_the_device_that_first_sent_it(market: Program) -> None:
    send(market, record("a"), "?deviceID=tablet-1")
    market.call("PUT", f"{at('a')}?deviceID=desk", data=record("b", deprecated="a"))
    told = market.json(at("a"))
    assert (told["deviceId"], told["currentVersion"]["deviceId"]) == ("tablet-1", "desk")
    (row,) = market.json(f"{form_path('market')}.svc/Submissions")["value"]
    assert (row["__system"]["deviceId"], row["__system"]["submitterName"]) == ("tablet-1", market.email)


def test_what_is_not_there_is_not_there(market: Program) -> None:
    for rest in ("", ".xml", "/versions", "/diffs", "/comments", "/attachments", "/audits"):
        assert problem(market.get(at("nobody", rest))) == (404, 404.1)
    assert problem(market.get(f"{form_path('nowhere')}/submissions")) == (404, 404.1)
