"""What a peer may be, and what becomes of it when it is paused, changed or read again."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.leases import take_lease
from sync.models import AuditEvent, Peer, PeerForm, PeerRecord
from sync.peers import (
    PeerDetails,
    PeerRefused,
    add_peer,
    add_run,
    change_peer,
    find_last_runs,
    get_peer,
    lease_name,
    list_peers,
    list_runs,
    list_states,
    pause_peer,
    resend_from,
    resume_peer,
)
from tests.sync.factory import add_site, add_submission

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
FULL = PeerDetails("https://odk.example.sn/", "4", "both", "santé", pulls="a b,c\r\n d ", site="")
PLAIN = PeerDetails("https://odk.example.sn")


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"address": "odk.example.sn"}, "peer_address"),
        ({"address": "ftp://odk.example.sn"}, "peer_address"),
        ({"address": "https://"}, "peer_address"),
        ({"address": "https://[odk"}, "peer_address"),
        ({"address": "https://me:secret@odk.example.sn"}, "peer_address"),
        ({"address": "https://odk.example.sn/" + "x" * 300}, "peer_address"),
        ({"address": "http://odk.example.sn"}, "peer_address_plain"),
        ({"address": "http://8.8.8.8"}, "peer_address_plain"),
        ({"project": "one"}, "peer_project"),
        ({"project": "0"}, "peer_project"),
        ({"direction": "sideways"}, "peer_direction"),
        ({"credentials": "Ministère"}, "peer_name"),
    ],
)
def test_what_a_peer_cannot_be_is_told(facts: dict[str, str], code: str) -> None:
    with pytest.raises(PeerRefused) as refused:
        replace(PLAIN, **facts).check()
    assert refused.value.code == code


@pytest.mark.parametrize("address", ["http://10.0.0.7:8383", "http://localhost", "http://relais.local/odk"])
def test_servers_of_the_local_network_may_go_without_a_certificate(address: str) -> None:
    PeerDetails(address).check()


def test_a_name_is_an_identifier_and_taken_once_and_a_site_is_one_of_ours(session: Session) -> None:
    add_peer(session, "m", PLAIN, None, NOW)
    elsewhere = replace(PLAIN, site="NOWHERE")
    wrong = (("Ministry", PLAIN, "peer_name"), ("m", PLAIN, "peer_name_taken"), ("n", elsewhere, "peer_site"))
    for name, details, code in wrong:
        with pytest.raises(PeerRefused) as refused:
            add_peer(session, name, details, None, NOW)
        assert refused.value.code == code


@pytest.mark.both_databases
def test_a_peer_begins_paused_and_names_its_credentials(session: Session) -> None:
    add_site(session, "DKR")
    peer = add_peer(session, "m", replace(FULL, credentials="", site="DKR"), None, NOW)
    assert (peer.address, peer.project_id, peer.credentials, peer.paused_at) == ("https://odk.example.sn", 4, "m", NOW)
    assert (peer.pulls, peer.site and peer.site.code) == (["a b", "c", "d"], "DKR")
    resume_peer(session, peer, None, NOW)
    assert peer.paused_at is None
    pause_peer(session, peer, None, NOW)
    assert [one.action for one in session.scalars(select(AuditEvent))] == ["peer.added", "peer.resumed", "peer.paused"]
    assert list_peers(session) == [get_peer(session, "m")]
    with pytest.raises(PeerRefused, match="no peer x"):
        get_peer(session, "x")


def known(session: Session) -> Peer:
    """A peer of which a form and two records were read."""
    peer = add_peer(session, "m", PLAIN, None, NOW)
    session.add(PeerForm(peer_id=peer.id, form_id="passage", read_until=NOW))
    for hours, name in ((1, "uuid:new"), (48, "uuid:old")):
        row = add_submission(session, name)
        session.add(
            PeerRecord(
                peer_id=peer.id, form_id="passage", instance_id=name, submission_id=row.id, edits=0, files=0,
                changed_at=NOW - timedelta(hours=hours), judged_at=NOW, told_sha256="x",
            )
        )  # fmt: skip
    session.flush()
    return peer


@pytest.mark.both_databases
def test_what_changed_since_a_date_is_read_and_told_once_more(session: Session) -> None:
    peer = known(session)
    assert resend_from(session, peer, NOW - timedelta(days=1), None, NOW) == 1
    assert session.scalars(select(PeerForm.read_until)).one() == NOW - timedelta(days=1)
    rows = session.scalars(select(PeerRecord).order_by(PeerRecord.id)).all()
    assert [(one.is_stale, one.judged_at) for one in rows] == [(True, None), (False, NOW)]
    assert [(one.peer, one.last_run, one.records) for one in list_states(session)] == [(peer, None, 2)]


def test_another_project_is_read_from_its_beginning(session: Session) -> None:
    peer = known(session)
    change_peer(session, peer, replace(PLAIN, direction="push"), None, NOW)
    assert len(session.scalars(select(PeerRecord)).all()) == 2
    change_peer(session, peer, replace(PLAIN, project="2"), None, NOW)
    assert session.scalars(select(PeerRecord)).all() == session.scalars(select(PeerForm)).all() == []


@pytest.mark.both_databases
@pytest.mark.parametrize("change", [True, False], ids=["changed", "resent"])
def test_nothing_is_changed_or_resent_under_an_exchange(session: Session, change: bool) -> None:
    peer = known(session)
    take_lease(session, lease_name(peer), "another:1", NOW, NOW + timedelta(minutes=1))
    for now, refused in ((NOW, True), (NOW + timedelta(minutes=2), False)):
        with pytest.raises(PeerRefused, match="is under way") if refused else nullcontext():
            change_peer(session, peer, PLAIN, None, now) if change else resend_from(session, peer, NOW, None, now)
    assert [one.action for one in session.scalars(select(AuditEvent))][1:] == [
        f"peer.{'changed' if change else 'resent'}"
    ]
    # The turn is free again for the next exchange.
    assert take_lease(session, lease_name(peer), "another:2", NOW, NOW)


def test_the_last_run_is_found(session: Session) -> None:
    peer = add_peer(session, "m", PLAIN, None, NOW)
    assert find_last_runs(session, [peer]) == {}
    add_run(session, peer.id, NOW, "failed", {}, [{"what": "", "message": "x", "params": {}}], NOW)
    last = add_run(session, peer.id, NOW, "done", {"records_in": 3}, [], NOW)
    assert find_last_runs(session, [peer]) == {peer.id: last}
    assert list_runs(session, peer, 1) == [last]
