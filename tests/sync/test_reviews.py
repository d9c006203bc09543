"""What a review state follows from."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Submission
from sync.reviews import (
    ReviewRefused,
    add_comment,
    change_review_state,
    decide_review_state,
    read_reviewed_at,
    review_state_column,
    updated_at_column,
)
from tests.accounts import add_account
from tests.seed import seed

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("facts", "mark", "state"),
    [
        ({"state": "merged"}, None, None),
        ({"state": "merged", "deprecated_id": "a"}, None, "edited"),
        ({"state": "quarantined"}, None, "hasIssues"),
        ({"state": "quarantined"}, "edited", "edited"),
        ({"state": "merged", "decision": "accept"}, "hasIssues", "approved"),
        ({"state": "rejected", "decision": "reject"}, None, "rejected"),
    ],
)
def test_a_persons_word_comes_before_a_mark_and_a_mark_before_what_is_known(
    facts: dict[str, str], mark: str | None, state: str | None
) -> None:
    assert decide_review_state(Submission(**facts), mark) == state


@pytest.mark.both_databases
@pytest.mark.parametrize("state", ["hasIssues", "edited", "rejected", "approved", None])
def test_filters_see_the_same_state(session: Session, state: str | None) -> None:
    seeded, user = seed(session), add_account(session)
    change_review_state(session, seeded.submission, state, user.actor_id, "", NOW)
    expected = decide_review_state(seeded.submission, state if state in ("hasIssues", "edited") else None)
    assert session.scalar(select(review_state_column())) == expected


@pytest.mark.both_databases
def test_programs_see_when_a_record_was_last_reviewed_though_it_was_taken_back(session: Session) -> None:
    seeded, user = seed(session), add_account(session)
    assert session.scalar(select(updated_at_column())) is None
    for hour, state in enumerate(("hasIssues", "approved", None), 8):
        at = NOW.replace(hour=hour)
        change_review_state(session, seeded.submission, state, user.actor_id, "", at)
        assert session.scalar(select(updated_at_column())) == at
        assert read_reviewed_at(session, [seeded.submission.id]) == {seeded.submission.id: at}


@pytest.mark.parametrize("body", ["", "  ", "x" * 2001])
def test_a_comment_is_neither_empty_nor_endless(session: Session, body: str) -> None:
    with pytest.raises(ReviewRefused):
        add_comment(session, 1, body, 1, NOW)
