"""How many records and entities there are, for who may know of them."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from sync.entity_acts import NewEntity, add_entities, add_entity_list, delete_entity
from sync.models import SubmissionMark
from sync.policy import Viewer
from sync.tallies import FormTally, ListTally, tally_forms, tally_list
from tests.sync.factory import add_site
from tests.sync.test_heads import NOW, add

PROGRAM = Viewer(1, "exchange")


@pytest.mark.both_databases
def test_a_record_counts_once_with_its_edits_and_by_its_state(session: Session) -> None:
    add(session, "a")
    add(session, "b", "a")
    add(session, "q", state="quarantined")
    marked = add(session, "m")
    session.add(SubmissionMark(submission_id=marked.id, mark="hasIssues", marked_at=NOW))
    last = add(session, "x")
    add(session, "t", is_draft=True)
    session.flush()
    assert tally_forms(session, PROGRAM, ["f", "none"]) == {"f": FormTally(4, last.received_at, 1, 2, 1)}
    assert tally_forms(session, PROGRAM, ["f"], draft=True)["f"].records == 1


def test_records_of_another_site_are_not_counted(session: Session) -> None:
    mine, other = add_site(session, "ROS"), add_site(session, "KID")
    add(session, "a", site_id=mine.id)
    add(session, "b", site_id=other.id)
    assert tally_forms(session, Viewer(1, "site_supervisor", mine.id), ["f"])["f"].records == 1


@pytest.mark.both_databases
def test_a_list_counts_what_stands_in_it(session: Session) -> None:
    add_entity_list(session, "boats", None, NOW)
    assert tally_list(session, PROGRAM, "boats") == ListTally(0, None, 0)
    uuids = add_entities(session, "boats", [NewEntity("Yaye", {}), NewEntity("Ndey", {})], None, NOW)
    (gone,) = add_entities(session, "boats", [NewEntity("Khady", {})], None, NOW + timedelta(days=1))
    delete_entity(session, "boats", gone, None, NOW + timedelta(days=2))
    assert len(uuids) == 2
    assert tally_list(session, PROGRAM, "boats") == ListTally(2, NOW, 0)
    assert tally_list(session, Viewer(1, "centre_staff"), "boats").entities == 0
