"""Tablets → relay → centre: what a post without a link gathered arrives whole, and what it needs comes down."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from server.accounts.credentials import find_credential_by_token, revoke_device, rotate_credential
from server.cli import main
from server.extensions import attachment_store
from server.relay import forward, open_link
from server.tablets.listing import NotOpenRosa
from sync.devices import change_device_state, find_device
from sync.models import Device, Entity, FilePiece, PersonRecord, Relay, RelayedEntity, RelayedRecord, Submission
from sync.peer_pace import Pace
from sync.policy import programme
from sync.publishing import publish_form
from sync.quarantine import reject
from sync.relaying.overview import list_relays
from sync.sites import find_site
from tests.accounts import add_account, log_in
from tests.journeys.outposts import MONDAY, Outposts, device_of
from tests.journeys.relays import Chain, chain, digest, photo_record, receive_blank, receive_meeting, receive_photo
from tests.sync import meetings


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path_factory.mktemp("chain"), sqlite_template) as posts:
        assert "problem" not in posts.sync()
        yield posts


def test_a_stay_that_began_at_the_post_goes_on_at_the_centre(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    stay = a.open_stay("KLK-1", lit="1")
    a.sleep().follow(stay, lit="2")
    posts.relay.meet(a)
    a.follow(stay, urgence="2")
    doubted = a.open_stay("KLK-0", lit="9")
    posts.relay.meet(a)
    posts.relay.decide(reject, a.tablet.queue.records[-1])
    posts.settle()
    assert posts.centre.state(a.tablet.queue.records[-1]) == "rejected"
    assert not posts.centre.entity(doubted).exists
    assert digest(posts.centre) == digest(posts.relay)
    entity = posts.centre.entity(stay)
    assert (entity.label, entity.properties["lit"], entity.properties["urgence"]) == ("KLK-1", "2", "2")
    with posts.centre.looking() as session:
        rows = session.scalars(select(Submission)).all()
        assert {one.device.name for one in rows if one.device} == {a.tablet.officer.username}
        relayed = session.scalars(select(RelayedRecord)).all()
        assert {one.submission_id for one in relayed} == {one.id for one in rows}
        assert session.scalars(select(Relay)).one().told["waiting"] == 0


def test_a_traveller_keeps_their_reference_on_both_servers_when_an_edit_moves_them(posts: Chain) -> None:
    with posts.centre.looking() as session:
        publish_form(session, meetings.form_file(), {}, None, datetime.now(UTC))
    posts.settle()
    receive_meeting(posts, "uuid:m2", meetings.BINTA, deprecated_id="uuid:m1")
    posts.settle()
    receive_meeting(posts, "uuid:m1", meetings.AWA, meetings.BINTA)
    posts.settle()
    for place in (posts.centre, posts.relay):
        with place.looking() as session:
            left = session.scalars(select(PersonRecord).where(PersonRecord.given_names == "Binta")).one()
            assert (left.reference, left.path) == (meetings.reference("uuid:m1", 2), meetings.PATH)
    assert digest(posts.centre) == digest(posts.relay)


@pytest.mark.slow
def test_both_servers_change_one_stay_and_agree(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    stay = a.open_stay("KLK-2", lit="1")
    posts.relay.meet(a)
    posts.settle()
    b = posts.centre.tablet("KLK")
    a.follow(stay, lit="7")
    b.follow(stay, urgence="2")
    posts.relay.meet(a)
    posts.centre.meet(b)
    posts.settle()
    for one in (a, b):
        one.refresh()
        assert one.sees(stay, "lit", "urgence") == ("7", "2")
    a.follow(stay, urgence="1")
    posts.relay.meet(a)
    posts.settle()
    # Whoever lowered it had seen the 2: nobody needs to be asked.
    entity = posts.centre.entity(stay)
    assert (entity.properties["urgence"], entity.open_conflicts) == ("1", 0)
    assert posts.centre.waits(stay) == posts.relay.waits(stay) == []


def test_a_relay_holds_only_what_its_own_tablets_need(posts: Chain) -> None:
    b = posts.centre.tablet("DKR")
    elsewhere = b.open_stay("DKR-1", lit="1")
    moving = b.open_stay("DKR-2", lit="2")
    posts.centre.meet(b)
    posts.sync()
    assert {elsewhere, moving} & known(posts) == set()
    b.follow(moving, site="KLK")
    posts.centre.meet(b)
    posts.sync()
    assert {elsewhere, moving} & known(posts) == {moving}
    a = posts.relay.tablet("KLK")
    assert a.sees(moving, "lit") == ("2",)
    a.follow(moving, lit="5")
    posts.relay.meet(a)
    assert "DKR-2" in read_page(posts, moving)
    a.follow(moving, site="DKR")
    posts.relay.meet(a)
    posts.settle()
    assert moving not in a.refresh().rows()
    with posts.relay.looking() as session:
        kept = session.scalars(select(Entity).where(Entity.uuid == moving)).one()
        assert (kept.exists, kept.label, kept.properties) == (False, "", {})
        assert {str(one.properties) + one.label for one in kept.issued} == {"{}"}
    with posts.centre.looking() as session:
        given = select(Entity.uuid).join(RelayedEntity, RelayedEntity.entity_id == Entity.id)
        assert moving not in session.scalars(given).all()


def read_page(posts: Chain, stay: str) -> str:
    """The entity's page at the post, where only what happened there can be told."""
    posts.relay.app.config["WTF_CSRF_ENABLED"] = False
    with posts.relay.looking() as session:
        user = add_account(session, "protection_officer", find_site(session, "KLK"))
        answer = log_in(posts.relay.app.test_client(), user).get(f"/entities/dossiers/{stay}")
        assert answer.status_code == 200
        return answer.text


def known(posts: Chain) -> set[str]:
    with posts.relay.looking() as session:
        return set(session.scalars(select(Entity.uuid)))


def test_a_tablet_that_is_revoked_at_the_centre_is_shut_out_at_the_post(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    name = a.tablet.officer.username
    posts.sync()
    with posts.centre.looking() as session:
        device = find_device(session, name)
        assert device is not None
        assert device.site.code == "KLK"
        assert device.id in list_relays(session, None)[0].device_ids
    assert change_state(posts, name, "revoked") == "revoked"
    with pytest.raises(NotOpenRosa, match="403"):
        a.refresh()
    # In use again, but not with a secret that may be in wrong hands.
    assert change_state(posts, name, "active") == "active"
    with pytest.raises(NotOpenRosa, match="403"):
        a.refresh()


def test_a_tablet_that_the_post_revoked_and_renewed_stays_in_use(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    posts.sync()
    with posts.relay.looking() as session:
        revoke_device(session, device_of(session, a), datetime.now(UTC))
    posts.sync()
    with posts.relay.looking() as session:
        token = rotate_credential(session, posts.relay.settings, device_of(session, a), datetime.now(UTC)).token
    for _ in range(2):
        posts.sync()
    for place in (posts.relay, posts.centre):
        with place.looking() as session:
            assert device_of(session, a).state == "active"
    with posts.relay.looking() as session:
        holder = find_credential_by_token(session.connection(), token, datetime.now(UTC), 0)
        assert (holder and holder.right) == "all"


def change_state(posts: Chain, name: str, state: str) -> str | None:
    """Give a tablet another state at the centre; return the one that it has at the post then."""
    with posts.centre.looking() as session:
        device = find_device(session, name)
        assert device is not None
        change_device_state(session, device, state, datetime.now(UTC))
    posts.sync()
    with posts.relay.looking() as session:
        found = find_device(session, name)
        return found.state if found else None


def test_a_photograph_goes_on_where_the_line_broke(posts: Chain) -> None:
    photo = Random(1).randbytes(700_000)
    receive_photo(posts, "p", photo)
    rounds, posts.line.passed = 0, 0
    while "problem" in posts.sync(300_000):
        rounds += 1
    posts.line.left = None
    # What came before a break is not sent once more, but for the piece in which it happened.
    assert rounds > 1
    assert posts.line.passed < 2 * len(photo)
    with posts.centre.looking() as session:
        row = session.scalars(select(Submission).where(Submission.instance_id == "uuid:p")).one()
        assert (row.xml, row.missing_files) == (photo_record("p"), 0)
        assert attachment_store().read(row.attachments[0].blob_sha256 or "") == photo
        assert session.scalar(select(func.count()).select_from(FilePiece)) == 0


def test_a_file_that_was_lost_or_damaged_at_the_post_stops_no_other(posts: Chain) -> None:
    photos = [Random(number).randbytes(1000) for number in range(3)] + [Random(3).randbytes(400_000)]
    lost, cut, _whole, spoilt = [
        posts.relay.settings.data_path / "attachments" / one[:2] / one[2:]
        for one in (receive_photo(posts, f"f{number}", photo) for number, photo in enumerate(photos))
    ]
    lost.unlink()
    cut.write_bytes(photos[1][:10])
    spoilt.write_bytes(bytes(400_000))
    posts.line.passed = 0
    assert posts.sync() == {"sent": 4, "files": 1, "taken": 0, "waiting": 3, "problem": "relay_file"}
    # What the centre would refuse when it had all of it is not sent at all.
    assert posts.line.passed < 100_000
    for file, photo in [(lost, photos[0]), (cut, photos[1]), (spoilt, photos[3])]:
        file.write_bytes(photo)
    assert posts.sync() == {"sent": 0, "files": 3, "taken": 0, "waiting": 0}


def test_an_update_that_the_centre_rejects_counts_at_the_post_no_more(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    stay = posts.relay.share("KLK-3", a)
    record = a.follow(stay, lit="9")
    posts.relay.meet(a)
    posts.settle()
    posts.centre.decide(reject, record)
    posts.settle()
    assert posts.relay.state(record) == "rejected"
    assert a.refresh().sees(stay, "lit") == ("1",)


def test_the_centre_gets_urgent_records_first_and_of_each_kind_the_oldest(posts: Chain) -> None:
    urgent = next(one.form_id for one in programme().forms.values() if one.urgent)
    for number, form_id in enumerate(["notes", urgent, "notes", urgent]):
        receive_blank(posts, form_id, f"order-{number}", MONDAY - timedelta(hours=number))
    assert posts.sync()["sent"] == 4
    came = select(Submission.instance_id).where(Submission.instance_id.like("uuid:order-%")).order_by(Submission.id)
    with posts.centre.looking() as session:
        assert session.scalars(came).all() == [f"uuid:order-{number}" for number in (3, 1, 2, 0)]


@pytest.mark.slow
def test_of_a_link_that_never_lasts_for_all_each_time_carries_some(posts: Chain) -> None:
    for number in range(40):
        receive_blank(posts, "notes", f"thin-{number}", MONDAY)
    waiting = [40]
    while waiting[-1] and len(waiting) < 40:
        waiting.append(posts.sync(14_000)["waiting"])
    posts.line.left = None
    # All of them at once are more than the link carries even without anything else.
    assert waiting[-1] == 0 < 5 < len(waiting)


def test_the_link_carries_no_more_a_second_than_the_setting_says(posts: Chain) -> None:
    receive_photo(posts, "capped", Random(9).randbytes(200_000))
    with posts.relay.app.app_context():
        link = open_link(replace(posts.relay.settings, upstream_kb=2))
        slept = Slept(link.client._session.pace)
        assert forward(link)["files"] == 1
    # What else goes to and fro beside the photograph is little.
    assert 200_000 / 2048 <= slept.seconds < 250_000 / 2048


class Slept:
    """Lets nobody wait, and counts for how long they would have."""

    def __init__(self, pace: Pace) -> None:
        self.seconds = 0.0
        pace.clock, pace.sleep = lambda: self.seconds, self.sleep

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_the_centre_shows_the_relay_its_tablets_and_how_old_that_is(posts: Chain) -> None:
    a = posts.relay.tablet("KLK")
    sha256 = receive_photo(posts, "late", b"late")
    lost = posts.relay.settings.data_path / "attachments" / sha256[:2] / sha256[2:]
    lost.unlink()
    before = datetime.now(UTC)
    posts.sync()
    after = datetime.now(UTC)
    page = read_home(posts)
    lost.write_bytes(b"late")
    relay, tablet = find_row(page, "Relais", "Rosso"), find_row(page, "Tablettes", a.tablet.officer.username)
    with posts.relay.looking() as session:
        tablets = session.scalar(select(func.count()).select_from(Device))
    assert re.findall(r'class="number">(\d+)<', relay) == [str(tablets), "1", "0"]
    assert before <= told_at(tablet) <= told_at(relay) <= after


def read_home(posts: Chain) -> str:
    """The first page, as the national supervisor reads it."""
    posts.centre.app.config["WTF_CSRF_ENABLED"] = False
    with posts.centre.looking() as session:
        answer = log_in(posts.centre.app.test_client(), add_account(session, "national_supervisor")).get("/")
    assert answer.status_code == 200
    return answer.text


def told_at(row: str) -> datetime:
    return datetime.fromisoformat(re.findall(r'<time datetime="([^"]+)"', row)[0])


def find_row(page: str, heading: str, name: str) -> str:
    """The row of this name in the table under this heading."""
    section = page.partition(f"<h2>{heading}</h2>")[2].partition("</section>")[0]
    return next(one for one in section.split("<tr>") if name in one)


@pytest.mark.slow
def test_the_commands_carry_a_bundle_up_and_down(posts: Chain, tmp_path: Path) -> None:
    assert "problem" not in posts.sync()
    receive_photo(posts, "carried", b"carried")
    up, down = tmp_path / "up.bundle", tmp_path / "down.bundle"
    written = run(posts.relay, "export", up)
    assert written["contents"] == 2
    assert run(posts.centre, "import", up) == written
    with posts.centre.looking() as session:
        row = session.scalars(select(Submission).where(Submission.instance_id == "uuid:carried")).one()
        assert (row.xml, row.missing_files) == (photo_record("carried"), 0)
    told = run(posts.centre, "export", down, "--to", "KLK")
    assert told["receipts"] == written["lines"] - 1  # of all but of what the relay says of itself
    assert run(posts.relay, "import", down) == told
    assert run(posts.relay, "export", up)["contents"] == 0


def run(place: Outposts, *arguments: object) -> dict[str, Any]:
    """What `teral relay …` prints on this server."""
    told = [*map(str, arguments), "--json"]
    result = CliRunner().invoke(main, ["relay", *told], env=place.settings.to_environment())
    assert result.exit_code == 0, result.output
    printed: dict[str, Any] = json.loads(result.output)
    return printed
