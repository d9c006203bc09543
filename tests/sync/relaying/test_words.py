"""What is said at a post of records, as the centre takes it. How it gets there is told in tests/journeys."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.errors import FormsError
from sync.erasure import ErasureFact, receive_erasure
from sync.journal import write_line as write_fact
from sync.models import Entity, Erasure, Relay, Submission, SubmissionComment
from sync.programme.headcount_rows import EVENTS, list_explanations
from sync.quarantine import VerdictFact
from sync.relaying.lines import CommentLine, ExplanationLine, FactLine, Line, MarkLine, RecordLine
from sync.relaying.up import take_up
from sync.reviews import find_mark, receive_mark
from tests.sync.factory import NOW, add_site, add_submission

LATER = NOW + timedelta(hours=1)
RETAINED = {"persons": [], "encounters": [], "entities": [], "findings": [], "started_at": None, "ended_at": None}
ERASED = {"retained": RETAINED, "reason": "durée", "erased_at": NOW.isoformat(), "deprecated_id": None}


def tell(session: Session, relay: Relay, *lines: Line) -> int:
    """Tell the centre; return how many lines it took."""
    return len(take_up(session, relay, lines, LATER).receipts)


def record(of: Submission, **told: Any) -> RecordLine:
    return RecordLine("passage", "1", of.instance_id, of.xml_sha256, NOW, None, "ROS", None, None, [], **told)


def comment(of: Submission, body: str = "Vu.") -> CommentLine:
    return CommentLine("passage", of.instance_id, of.xml_sha256, "Awa", body, NOW)


def mark(of: Submission, said: str = "hasIssues") -> MarkLine:
    return MarkLine("passage", of.instance_id, of.xml_sha256, "Awa", said, NOW)


def add_own(session: Session, relay: Relay, instance_id: str = "uuid:1", **facts: Any) -> Submission:
    return add_submission(session, instance_id, site_id=relay.site_id, **facts)


@pytest.mark.both_databases
def test_words_wait_for_their_record_and_are_kept_once(session: Session, relay: Relay) -> None:
    row = add_own(session, relay)
    assert tell(session, relay, comment(row), mark(row)) == 0
    assert tell(session, relay, record(row), comment(row), mark(row)) == 3
    assert tell(session, relay, record(row), comment(row), mark(row), comment(row, "Encore.")) == 4
    said = session.scalars(select(SubmissionComment).order_by(SubmissionComment.id)).all()
    assert [(one.body, one.actor.display_name) for one in said] == [("Vu.", "Awa (ROS)"), ("Encore.", "Awa (ROS)")]
    assert find_mark(session, row.id) == "hasIssues"


def test_a_comment_is_kept_with_the_record_that_began_the_chain(session: Session, relay: Relay) -> None:
    first = add_submission(session, "uuid:0", site_id=relay.site_id)
    edit = add_own(session, relay, deprecated_id="uuid:0")
    tell(session, relay, record(edit), comment(edit))
    assert session.scalars(select(SubmissionComment.submission_id)).all() == [first.id]


def test_the_mark_that_was_set_last_stands_and_a_fast_clock_wins_nothing(session: Session, relay: Relay) -> None:
    row = add_own(session, relay)
    tell(session, relay, record(row), replace(mark(row), marked_at=LATER + timedelta(days=900)))
    tell(session, relay, replace(mark(row, ""), marked_at=NOW))
    assert find_mark(session, row.id) == "hasIssues"
    take_up(session, relay, [replace(mark(row, ""), marked_at=LATER + timedelta(1))], LATER + timedelta(2))
    assert find_mark(session, row.id) == ""


def test_a_mark_that_is_told_again_by_a_fast_clock_takes_no_later_one_back(session: Session, relay: Relay) -> None:
    row = add_own(session, relay)
    fast = replace(mark(row), marked_at=LATER + timedelta(days=900))
    tell(session, relay, record(row), fast)
    receive_mark(session, row.id, "", relay.actor_id, LATER + timedelta(hours=1))
    take_up(session, relay, [fast], LATER + timedelta(hours=2))
    assert find_mark(session, row.id) == ""


def test_nobody_comments_on_what_was_erased(session: Session, relay: Relay) -> None:
    row = add_own(session, relay)
    receive_erasure(session, row, ErasureFact(RETAINED, "durée", NOW), NOW)
    asked = take_up(session, relay, [replace(record(row), files=[("a.jpg", "image/jpeg", "1" * 64, 7)])], LATER)
    assert (asked.records, asked.files, len(asked.receipts)) == ([], {}, 1)
    assert tell(session, relay, comment(row)) == 1
    assert session.scalars(select(SubmissionComment)).all() == []


def explanation(**told: Any) -> ExplanationLine:
    told = {"author": "Awa", "withdrawn_by": None, "withdrawn_at": None, **told}
    return ExplanationLine("e1", "12 = 9", "Trois sont repartis avec leur famille.", explained_at=NOW, **told)


def add_event(session: Session, code: str) -> None:
    session.add(Entity(list_name=EVENTS, uuid="e1", properties={}, site_code=code, version=1, exists=True))
    session.flush()


def test_an_explanation_waits_for_its_event_and_may_be_taken_back(session: Session, relay: Relay) -> None:
    assert tell(session, relay, explanation()) == 0
    add_event(session, "ROS")
    assert tell(session, relay, explanation()) == tell(session, relay, explanation()) == 1
    [said] = list_explanations(session, "e1")
    assert (said.actor and said.actor.display_name, said.withdrawn_at) == ("Awa (ROS)", None)
    for _ in range(2):
        tell(session, relay, explanation(withdrawn_by="Modou", withdrawn_at=LATER))
    [said] = list_explanations(session, "e1")
    assert said.withdrawn_at == LATER
    assert tell(session, relay, explanation()) == 1
    assert said.withdrawn_at == LATER


@pytest.mark.parametrize("code", ["DKR", ""], ids=["another's", "nobody's"])
def test_a_post_explains_no_count_of_others(session: Session, relay: Relay, code: str) -> None:
    add_event(session, code)
    with pytest.raises(FormsError, match="own tablets"):
        tell(session, relay, explanation())
    assert list_explanations(session, "e1") == []


def test_an_explanation_without_measure_is_refused(session: Session, relay: Relay) -> None:
    add_event(session, "ROS")
    for line in (replace(explanation(), reason="x" * 1001), replace(explanation(), numbers="1" * 65)):
        with pytest.raises(FormsError, match="1000"):
            tell(session, relay, line)


@pytest.mark.parametrize("kind", ["comment", "mark", "erasure", "verdict"])
def test_a_post_says_nothing_of_the_records_of_others(session: Session, relay: Relay, kind: str) -> None:
    """Even where it knows a record's name and hash."""
    row = add_submission(session, "uuid:1", site_id=add_site(session, "DKR").id)
    fact = VerdictFact("passage", row.instance_id, row.xml_sha256, "reject", "fausse fiche", NOW)
    lines: dict[str, list[Line]] = {
        "comment": [record(row), comment(row)],
        "mark": [record(row), mark(row)],
        "erasure": [record(row, erased=ERASED)],
        "verdict": [FactLine(write_fact(fact))],
    }
    with pytest.raises(FormsError, match="own tablets"):
        tell(session, relay, *lines[kind])
    assert (row.decision, bool(row.xml)) == (None, True)


@pytest.mark.parametrize("told", [
    {}, {**ERASED, "erased_at": "?"}, {**ERASED, "retained": {}}, {**ERASED, "retained": {**RETAINED, "findings": [1]}},
    {**ERASED, "retained": {**RETAINED, "keep": {"x": []}}},
])  # fmt: skip
def test_an_erasure_that_cannot_be_read_erases_nothing(session: Session, relay: Relay, told: dict[str, Any]) -> None:
    row = add_own(session, relay)
    with pytest.raises(FormsError, match="retained"):
        tell(session, relay, record(row, erased=told))
    assert (session.scalar(select(Erasure)), bool(row.xml)) == (None, True)


def test_a_mark_that_there_is_none_of_is_refused(session: Session, relay: Relay) -> None:
    row = add_own(session, relay)
    with pytest.raises(FormsError, match="no such review state"):
        tell(session, relay, record(row), mark(row, "approved"))
