"""Families in the database: who belongs to one, and what becomes of its members when one more is judged."""

import pytest
from sqlalchemy.orm import Session

from sync.models import Submission
from sync.registry import Contribution
from sync.settling import find_related, settle_family
from tests.sync.factory import NOW, add_submission


def judged(session: Session, instance: str, **facts: object) -> Submission:
    row = add_submission(session, instance, **facts)
    row.processed_at = NOW
    session.flush()
    return row


def settle(session: Session, row: Submission) -> None:
    said = Contribution(row.id, row.form_id, row.instance_id, row.site_id, row.ended_at, (), ())
    settle_family(session, row, said, NOW)


def test_a_record_alone_has_no_family(session: Session) -> None:
    rows = [judged(session, "uuid:1"), judged(session, "uuid:2")]
    assert find_related(session, rows) == set()


@pytest.mark.both_databases
def test_twins_and_corrections_have_one(session: Session) -> None:
    first, original = judged(session, "uuid:1"), judged(session, "uuid:2")
    twin = judged(session, "uuid:1", twin_of_id=first.id, body=b"<other/>")
    edit = judged(session, "uuid:2b", deprecated_id="uuid:2")
    assert find_related(session, [first, original, twin, edit]) == {first.id, original.id, twin.id, edit.id}
    assert find_related(session, [original]) == {original.id}


def test_the_same_names_in_another_form_or_in_a_test_are_others(session: Session) -> None:
    original = judged(session, "uuid:1")
    judged(session, "uuid:1b", deprecated_id="uuid:1", form_id="other")
    settle(session, original)
    assert (original.state, original.superseded_by_id) == ("merged", None)


def test_a_correction_takes_the_place_of_its_original(session: Session) -> None:
    original = judged(session, "uuid:1")
    edit = judged(session, "uuid:1b", deprecated_id="uuid:1")
    settle(session, edit)
    assert (original.superseded_by_id, edit.state) == (edit.id, "merged")


def test_a_correction_of_what_has_not_come_is_held(session: Session) -> None:
    edit = judged(session, "uuid:1b", deprecated_id="uuid:1")
    settle(session, edit)
    assert (edit.state, edit.waits_for) == ("held", "uuid:1")


def test_who_counts_only_now_is_judged_anew(session: Session) -> None:
    first = judged(session, "uuid:1")
    twin = judged(session, "uuid:1", twin_of_id=first.id, body=b"<other/>")
    counting, other = sorted((first, twin), key=lambda one: one.xml_sha256)
    settle(session, other)
    assert (other.state, other.reason) == ("quarantined", "twin")
    assert counting.processed_at is None
