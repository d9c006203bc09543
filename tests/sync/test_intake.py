"""Once is once: new, repeat, twin, edit and stale edit, on both databases."""

import pytest
from sqlalchemy.orm import Session

from sync.intake import Sender, count_quarantined, find_repeat
from sync.models import Submission
from tests.sync.arrivals import a_file, receive, rows
from tests.sync.factory import add_device, add_site, xml

pytestmark = pytest.mark.both_databases


def test_new_record_waits_to_be_judged(session: Session) -> None:
    receipt = receive(session, "uuid:1")
    (row,) = rows(session)
    assert (receipt.kind, row.state, row.reason, row.missing_files) == ("new", "received", None, 0)
    assert [(event.kind, event.details["as"]) for event in row.events] == [("received", "new")]


def test_same_bytes_are_a_repeat(session: Session) -> None:
    first = receive(session, "uuid:1")
    again = receive(session, "uuid:1", later=60)
    assert (again.kind, again.submission_id) == ("repeat", first.submission_id)
    assert len(rows(session)) == 1


def test_same_record_written_another_way_is_a_repeat(session: Session) -> None:
    receive(session, "uuid:1", body=b'<data id="passage" version="1"><a/></data>')
    again = receive(session, "uuid:1", body=b"<data   version='1' id='passage'><a></a></data>")
    assert (again.kind, len(rows(session))) == ("repeat", 1)


def test_other_content_under_the_same_id_is_kept_beside_the_first(session: Session) -> None:
    first = receive(session, "uuid:1")
    twin = receive(session, "uuid:1", direction="sortie")
    kept = rows(session)
    assert twin.kind == "twin"
    assert [(row.twin_of_id, row.state, row.reason) for row in kept] == [
        (None, "received", None),
        (first.submission_id, "quarantined", "twin"),
    ]


def test_twin_sent_again_is_still_one_twin(session: Session) -> None:
    receive(session, "uuid:1")
    twin = receive(session, "uuid:1", direction="sortie")
    again = receive(session, "uuid:1", direction="sortie")
    assert (again.kind, again.submission_id, len(rows(session))) == ("twin", twin.submission_id, 2)


def test_same_id_in_another_form_is_another_record(session: Session) -> None:
    receive(session, "uuid:1")
    assert receive(session, "uuid:1", form_id="arrivee").kind == "new"


def test_tests_of_a_draft_stay_apart(session: Session) -> None:
    receive(session, "uuid:1")
    assert receive(session, "uuid:1", sender=Sender(is_draft=True)).kind == "new"
    assert [row.is_draft for row in rows(session)] == [False, True]


def test_record_without_id_is_known_by_its_bytes(session: Session) -> None:
    first = receive(session, None)
    again = receive(session, None)
    other = receive(session, None, direction="sortie")
    assert (first.kind, again.kind, other.kind) == ("new", "repeat", "new")
    assert rows(session)[0].instance_id.startswith("sha256:")


def test_edit_names_what_it_replaces(session: Session) -> None:
    receive(session, "uuid:1")
    assert receive(session, "uuid:2", deprecated_id="uuid:1").kind == "edit"
    assert rows(session)[1].deprecated_id == "uuid:1"


def test_edit_before_its_original_is_kept(session: Session) -> None:
    assert receive(session, "uuid:2", deprecated_id="uuid:1").kind == "edit"


def test_edit_of_a_replaced_record_is_told_as_stale(session: Session) -> None:
    receive(session, "uuid:1")
    newer = receive(session, "uuid:2", deprecated_id="uuid:1")
    session.get_one(Submission, 1).superseded_by_id = newer.submission_id
    session.flush()
    assert receive(session, "uuid:3", deprecated_id="uuid:1").kind == "stale_edit"
    assert len(rows(session)) == 3


@pytest.mark.parametrize(
    "name",
    ["a" * 5000, "../../etc/passwd", "nul\0inside", "✅ '=+/*-451%/%", ""],
    ids=["endless", "path", "nul", "odd", "empty"],
)
def test_hostile_names_are_data(session: Session, name: str) -> None:
    body = xml("uuid:1")
    for _ in range(2):
        receive(session, f"uuid:{name}", form_id=name, deprecated_id=name, body=body)
    (row,) = rows(session)
    assert len(row.form_id) <= 255
    assert "\0" not in row.instance_id


def test_long_names_that_differ_stay_different(session: Session) -> None:
    receive(session, "uuid:1", form_id="a" * 300)
    assert receive(session, "uuid:1", form_id="a" * 300 + "b").kind == "new"


def test_repeat_is_found_by_its_bytes_alone(session: Session) -> None:
    receipt = receive(session, "uuid:1")
    (row,) = rows(session)
    found = find_repeat(session.connection(), row.xml_sha256, Sender())
    assert (found and found.submission_id) == receipt.submission_id
    assert find_repeat(session.connection(), row.xml_sha256, Sender(is_draft=True)) is None


def test_quarantined_records_of_a_tablet_are_counted_by_form(session: Session) -> None:
    device = add_device(session, add_site(session))
    sender = Sender(device_id=device.id)
    for direction in ("entree", "sortie", "transit"):
        latest = receive(session, "uuid:1", direction=direction, sender=sender)
    assert count_quarantined(session.connection(), device.id, latest.submission_id) == {"passage": 1}


def test_sender_is_noted_as_it_was_at_receipt(session: Session) -> None:
    device = add_device(session, add_site(session))
    sender = Sender(device.id, device.site_id, device.actor_id, "collect:" + "x" * 400, "agent")
    receive(session, "uuid:1", a_file("a.jpg"), sender=sender)
    (row,) = rows(session)
    assert (row.device_id, row.site_id, row.user_agent, len(row.collect_id or "")) == (1, 1, "agent", 255)
