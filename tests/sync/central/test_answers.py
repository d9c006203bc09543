"""What a peer is told: findings once as a comment, a state that follows the verdict, and nobody's word overruled."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.central.answers import decide_state
from sync.central.bridge import Bridge
from sync.central.run import exchange
from sync.models import PeerRecord, Submission, SubmissionComment
from tests.sync.central.conftest import Connect
from tests.sync.central.second_server import SecondServer
from tests.sync.central.test_records import review


@pytest.mark.parametrize(
    ("state", "decision", "there", "told", "said"),
    [
        ("quarantined", None, None, None, "hasIssues"),
        ("quarantined", None, "edited", None, "hasIssues"),
        ("quarantined", None, "hasIssues", "hasIssues", None),
        ("merged", None, None, None, "approved"),
        ("merged", None, "hasIssues", "hasIssues", "approved"),
        ("merged", None, "hasIssues", None, None),
        ("merged", None, "rejected", "approved", None),
        ("held", None, None, None, None),
        ("rejected", "reject", "approved", None, "rejected"),
        ("merged", "accept", "rejected", "approved", "approved"),
        ("merged", "accept", "approved", None, None),
    ],
)
def test_a_persons_word_there_stands_unless_somebody_here_decided(
    state: str, decision: str | None, there: str | None, told: str | None, said: str | None
) -> None:
    assert decide_state(state, decision, there, told) == said


def states(bridge: Bridge) -> dict[str, str | None]:
    """What the peer says of its records."""
    told = bridge.client.ask(bridge.client.path("forms/passage/submissions"))
    return {one["instanceId"]: one["reviewState"] for one in told}


def comments(there: SecondServer) -> list[str]:
    return there.inside(lambda session: list(session.scalars(select(SubmissionComment.body))))


@pytest.fixture
def judged(there: SecondServer, connect: Connect, session: Session) -> Bridge:
    """Two records came over, one of them wrong, and were judged here."""
    there.publish("1")
    there.send("uuid:good")
    there.send("uuid:bad", people=[{"prenoms": "Awa", "age": "douze"}])
    bridge = connect(direction="both")
    exchange(bridge)
    process_pending()
    return bridge


def test_findings_and_verdicts_go_back_once_and_quote_nothing(
    judged: Bridge, there: SecondServer, session: Session
) -> None:
    outcome = exchange(judged)
    assert (outcome.word, outcome.counts["answers_out"], outcome.problems) == ("done", 2, [])
    assert states(judged) == {"uuid:good": "approved", "uuid:bad": "hasIssues"}
    (said,) = comments(there)
    assert "/data/personnes[1]/age" in said
    assert "douze" not in said
    assert "Awa" not in said
    assert dict(exchange(judged).counts) == {}


def test_a_comment_whose_answer_was_lost_is_not_said_again(
    judged: Bridge, there: SecondServer, session: Session
) -> None:
    exchange(judged)
    for one in session.scalars(select(PeerRecord)):
        one.judged_at = one.told_sha256 = None
    session.commit()
    exchange(judged)
    assert len(comments(there)) == 1


def test_what_was_mended_there_is_told_anew(judged: Bridge, there: SecondServer, session: Session) -> None:
    exchange(judged)
    there.edit("uuid:bad", "uuid:mended", people=[{"prenoms": "Awa", "nom": "Ba", "sexe": "2", "age": "12"}])
    exchange(judged)
    process_pending()
    exchange(judged)
    session.rollback()
    row = session.scalars(select(Submission).filter_by(instance_id="uuid:mended")).one()
    assert (row.state, states(judged)["uuid:bad"]) == ("merged", "approved")


def test_a_review_by_hand_there_is_not_overruled(there: SecondServer, connect: Connect, session: Session) -> None:
    there.publish("1")
    there.send("uuid:a")
    review(there, "uuid:a", "hasIssues")
    bridge = connect(direction="both")
    exchange(bridge)
    process_pending()
    exchange(bridge)
    assert states(bridge) == {"uuid:a": "hasIssues"}


def test_comments_that_are_none_are_a_problem_of_their_record(
    judged: Bridge, there: SecondServer, session: Session
) -> None:
    there.says["/submissions/uuid:bad/comments"] = b"[1]"
    outcome = exchange(judged)
    assert (outcome.word, outcome.counts["answers_out"]) == ("done", 1)
    assert [one["what"] for one in outcome.problems] == ["uuid:bad"]
    there.says.clear()
    assert dict(exchange(judged).counts) == {"answers_out": 1}
