"""What a relay tells first, and what it tells no more."""

from datetime import timedelta

from sqlalchemy.orm import Session

from sync.policy import programme
from sync.relaying.lines import DeviceLine, RecordLine, of_kind, receipt_for
from sync.relaying.receipts import CENTRE, note_receipts
from sync.relaying.up import describe_relay, list_up, list_waiting
from tests.sync.factory import NOW, add_device, add_site, add_submission


def test_urgent_forms_come_first_and_of_each_the_oldest(session: Session) -> None:
    urgent = next(one.form_id for one in programme().forms.values() if one.urgent)
    for number, form_id in enumerate(["passage", urgent, "passage", urgent]):
        received_at = NOW - timedelta(hours=number)
        add_submission(session, f"uuid:{number}", form_id=form_id, received_at=received_at)
    add_submission(session, "uuid:test", is_draft=True)
    assert [one.instance_id for one in list_waiting(session)] == ["uuid:3", "uuid:1", "uuid:2", "uuid:0"]


def test_what_the_centre_took_is_told_again_only_when_it_says_something_else(session: Session) -> None:
    device = add_device(session, add_site(session))
    add_submission(session, "uuid:1", device=device)
    told = list(list_up(session))
    assert [type(one) for one in told] == [DeviceLine, RecordLine]
    note_receipts(session, CENTRE, [receipt_for(one) for one in told])
    note_receipts(session, CENTRE, [receipt_for(one) for one in told])
    assert list(list_up(session)) == []
    device.last_contact_at = NOW
    session.flush()
    assert [type(one) for one in list_up(session)] == [DeviceLine]


def test_a_relay_says_how_much_waits_and_since_when(session: Session) -> None:
    add_submission(session, "uuid:1")
    add_submission(session, "uuid:2", received_at=NOW - timedelta(days=9))
    told = describe_relay(session, of_kind(list_up(session), RecordLine), NOW)
    assert (told.waiting, told.oldest_at) == (2, NOW - timedelta(days=9))
