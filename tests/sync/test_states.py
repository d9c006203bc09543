"""One word for how far a submission got, from the facts that are known of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sync.models import Submission
from sync.states import decide_state, refresh_state

JUDGED = datetime(2026, 1, 5, 12, tzinfo=UTC)


def submission(**facts: Any) -> Submission:
    return Submission(**{"error_count": 0, "missing_files": 0, "locked": False, **facts})


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        pytest.param({}, "received", id="nobody judged it yet"),
        pytest.param({"waits_for": "uuid:1"}, "held", id="it waits from its receipt on"),
        pytest.param({"reason": "twin"}, "quarantined", id="intake saw a twin"),
        pytest.param({"processed_at": JUDGED}, "merged", id="judged and sound"),
        pytest.param({"processed_at": JUDGED, "missing_files": 1}, "incomplete", id="a photograph is missing"),
        pytest.param({"processed_at": JUDGED, "error_count": 2}, "quarantined", id="findings of error grade"),
        pytest.param({"processed_at": JUDGED, "error_count": 2, "decision": "accept"}, "merged", id="accepted anyway"),
        pytest.param(
            {"processed_at": JUDGED, "error_count": 2, "superseded_by_id": 7}, "merged", id="an edit mended it"
        ),
        pytest.param({"processed_at": JUDGED, "waits_for": "uuid:1"}, "held", id="judged, but its original is missing"),
        pytest.param({"processed_at": JUDGED, "locked": True}, "locked", id="nobody holds its key"),
        pytest.param({"decision": "reject", "reason": "twin"}, "rejected", id="a human's no outranks everything"),
    ],
)
def test_state_is_one_word(facts: dict[str, Any], state: str) -> None:
    assert decide_state(submission(**facts)) == state


def test_refresh_stores_the_word() -> None:
    one = submission(processed_at=JUDGED)
    refresh_state(one)
    assert one.state == "merged"
