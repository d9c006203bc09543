"""A person's word about a record: it stays, is journalled, can be taken back, and holds wherever it was spoken."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.models import AuditEvent, AwaitedDecision, Decision, Submission
from sync.quarantine import DecisionRefused, VerdictFact, accept, receive_verdict, reject, replay
from tests.sync.factory import NOW, add_submission, xml
from tests.sync.test_freed_files import erase
from tests.sync.test_processing import AWA, published, settle

__all__ = ["published"]

Verb = Callable[..., Decision]


@pytest.fixture
def waiting(session: Session) -> Submission:
    row = add_submission(session, "uuid:1")
    row.processed_at, row.error_count, row.state = NOW, 1, "quarantined"
    session.flush()
    return row


@pytest.mark.parametrize(("verb", "standing"), [(accept, "accept"), (reject, "reject"), (replay, None)])
def test_a_decision_stays_and_the_record_is_judged_anew(
    session: Session, waiting: Submission, verb: Verb, standing: str | None
) -> None:
    decision = verb(session, waiting, None, "  Vu avec le poste ", NOW)
    assert (decision.reason, decision.decided_at) == ("Vu avec le poste", NOW)
    assert (waiting.decision, waiting.processed_at) == (standing, None)
    assert [one.kind for one in waiting.events] == ["released"]
    assert session.scalars(select(AuditEvent.target)).all() == [f"submission:{waiting.id}"]


@pytest.mark.parametrize("verb", [accept, reject])
def test_without_a_reason_nothing_changes(session: Session, waiting: Submission, verb: Verb) -> None:
    with pytest.raises(DecisionRefused):
        verb(session, waiting, None, "  ok  ", NOW)
    assert (waiting.decision, waiting.state) == (None, "quarantined")
    assert session.scalars(select(Decision)).all() == []


def test_a_replay_needs_no_words(session: Session, waiting: Submission) -> None:
    assert replay(session, waiting, None, "", NOW).reason == ""


def test_the_last_word_counts_and_the_first_ones_stay(session: Session, waiting: Submission) -> None:
    for verb in (reject, accept, replay):
        verb(session, waiting, None, "Vu avec le poste", NOW)
    assert waiting.decision is None
    kinds = session.scalars(select(Decision.kind).order_by(Decision.id)).all()
    assert kinds == ["reject", "accept", "replay"]


def fact(submission: Submission, kind: str = "reject", hours: int = 1) -> VerdictFact:
    names = ("form_id", "instance_id", "xml_sha256")
    named = {name: getattr(submission, name) for name in names}
    return VerdictFact(kind=kind, reason="vu avec le poste", decided_at=NOW + timedelta(hours=hours), **named)


def receive(session: Session, *facts: VerdictFact) -> None:
    for one in facts:
        receive_verdict(session, one, NOW)
    settle(session)


@pytest.mark.both_databases
def test_a_word_about_a_record_that_is_not_here_waits_for_it(session: Session, published: None) -> None:
    coming = Submission(form_id="passage", instance_id="uuid:1", xml_sha256=_sha256("uuid:1"))
    receive(session, fact(coming), fact(coming))
    assert session.scalar(select(func.count()).select_from(AwaitedDecision)) == 1
    row = add_submission(session, "uuid:1", [AWA])
    settle(session)
    assert (row.state, [one.kind for one in row.decisions]) == ("rejected", ["reject"])
    assert session.scalar(select(func.count()).select_from(AwaitedDecision)) == 0


def test_a_word_about_another_form_s_record_of_the_same_bytes_waits_on(session: Session, published: None) -> None:
    coming = Submission(form_id="autre", instance_id="uuid:1", xml_sha256=_sha256("uuid:1"))
    receive(session, fact(coming))
    row = add_submission(session, "uuid:1", [AWA])
    settle(session)
    assert (row.state, session.scalar(select(func.count()).select_from(AwaitedDecision))) == ("merged", 1)


def _sha256(instance_id: str) -> str:
    from hashlib import sha256

    return sha256(xml(instance_id, [AWA])).hexdigest()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "the last one first"])
def test_the_last_word_counts_whichever_came_first(session: Session, published: None, order: tuple[int, int]) -> None:
    row = add_submission(session, "uuid:1", [AWA])
    settle(session)
    words = (fact(row, "reject", 1), fact(row, "replay", 2))
    receive(session, *(words[place] for place in order), words[0])
    assert (row.state, session.scalar(select(func.count()).select_from(Decision))) == ("merged", 2)


def test_of_an_erased_record_no_reason_is_kept_that_comes_later(session: Session) -> None:
    row = add_submission(session, "uuid:1")
    word = fact(row)
    erase(session, row.id)
    receive(session, word)
    assert [(one.kind, one.reason) for one in row.decisions] == [("reject", "")]


def test_a_reason_that_was_erased_elsewhere_is_forgotten_where_it_waits(session: Session) -> None:
    coming = Submission(form_id="passage", instance_id="uuid:1", xml_sha256=_sha256("uuid:1"))
    word = fact(coming)
    receive(session, word, replace(word, reason=""), word)
    assert session.scalars(select(AwaitedDecision.reason)).all() == [""]
