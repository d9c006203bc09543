"""What happened to a submission, as its page tells it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from server.web.timeline import list_happenings
from sync.models import Decision, Submission, SubmissionEvent

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english(app: Flask) -> Iterator[None]:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def tell(kind: str, **details: Any) -> list[str]:
    submission = Submission(events=[SubmissionEvent(at=NOW, kind=kind, details=details)])
    return [one.what for one in list_happenings(submission)]


@pytest.mark.parametrize(
    ("kind", "details", "words"),
    [
        ("received", {"as": "new", "files": 0, "more_follow": False}, "Received"),
        ("received", {"as": "edit", "files": 1, "more_follow": True}, "Received as a correction, 1 file, more follow"),
        ("received", {"as": "twin", "files": 0}, "Received with the identifier of another record"),
        ("files_received", {"as": "files", "files": 3}, "Files received, 3 files"),
        ("judged", {"state": "merged", "errors": 0, "warnings": 0}, "Judged: merged"),
        ("judged", {"state": "quarantined", "errors": 2, "warnings": 1}, "Judged: in quarantine, 2 errors, 1 warning"),
        ("released", {"cause": "form_published"}, "Taken up again: its form was published"),
        ("released", {"cause": "newer than this page"}, "Taken up again"),
        ("failed", {"attempt": 3, "error": "KeyError"}, "Processing failed, attempt 3 (KeyError)"),
        ("other_file", {"sha256": "ab"}, "A file came again under the same name with other content; the first stays"),
        ("newer_than_this_page", {}, "newer_than_this_page"),
    ],
)
def test_an_event_is_told_in_words(kind: str, details: dict[str, Any], words: str) -> None:
    assert tell(kind, **details) == [words]


def test_decisions_stand_where_they_were_taken_and_once() -> None:
    later = NOW + timedelta(hours=1)
    submission = Submission(
        events=[
            SubmissionEvent(at=later + timedelta(minutes=1), kind="judged", details={"state": "merged"}),
            SubmissionEvent(at=later, kind="released", details={"cause": "accept"}),
            SubmissionEvent(at=NOW, kind="received", details={"as": "new"}),
        ],
        decisions=[Decision(kind="accept", reason="Seen on paper", decided_at=later)],
    )
    told = [(one.what, one.reason) for one in list_happenings(submission)]
    assert told == [("Received", ""), ("Accept as it is", "Seen on paper"), ("Judged: merged", "")]
