"""What is taken up again when that comes for which it waited."""

import pytest
from sqlalchemy.orm import Session

from sync.models import FormVersion, Submission
from sync.publishing import publish_form
from sync.releasing import release_submission, release_waiting_for_form
from tests.sync.factory import NOW, add_submission, form_file


def wait(session: Session, number: int, reason: str | None, **facts: object) -> Submission:
    row = add_submission(session, f"uuid:{number}", **facts)
    row.processed_at, row.reason, row.state = NOW, reason, "quarantined"
    session.flush()
    return row


@pytest.fixture
def version(session: Session) -> FormVersion:
    return publish_form(session, form_file(), {}, None, NOW).version


def test_a_released_record_is_as_new_but_for_what_people_decided(session: Session) -> None:
    row = wait(session, 1, "processing_failed")
    row.attempts, row.locked, row.waits_for, row.decision = 5, True, "uuid:0", "accept"
    release_submission(session, row, "replay", None, NOW)
    assert (row.processed_at, row.next_attempt_at, row.reason, row.waits_for) == (None, None, None, None)
    assert (row.attempts, row.locked, row.state, row.decision) == (0, False, "received", "accept")


@pytest.mark.parametrize(
    ("reason", "facts", "released"),
    [
        ("unknown_version", {}, True),
        ("unknown_version", {"version": "9"}, False),
        ("unknown_form", {"version": "9"}, True),  # now it is only the version that is unknown
        ("closed_form", {}, True),
        ("unknown_form", {"form_id": "unheard"}, False),
        ("unknown_version", {"is_draft": True}, False),
        ("twin", {}, False),
        (None, {}, False),
    ],
)
def test_a_published_form_releases_what_waited_for_it(
    session: Session, version: FormVersion, reason: str | None, facts: dict[str, object], released: bool
) -> None:
    row = wait(session, 1, reason, **facts)
    assert release_waiting_for_form(session, version, NOW) == int(released)
    assert (row.state == "received") == released


def test_a_closed_version_releases_nothing_that_came_after_its_end(session: Session, version: FormVersion) -> None:
    row = wait(session, 1, "closed_form")
    version.closed_at = NOW
    assert release_waiting_for_form(session, version, NOW) == 0
    assert row.reason == "closed_form"
