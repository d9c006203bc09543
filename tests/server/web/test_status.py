"""The first page: what came, what waits and why, and which tablets need somebody."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from sync.models import Relay, RelayedDevice, Upstream
from sync.relaying.belonging import give_site
from sync.relaying.enrolment import enrol_relay, place_sites
from sync.settings import change_setting
from tests.accounts import add_account, add_site, log_in
from tests.seed import Seeded, add_submission, seed


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


def read(client: FlaskClient, session: Session, role: str = "national_supervisor") -> str:
    session.commit()
    return log_in(client, add_account(session, role, language="en")).get("/").text


def test_what_waits_is_told_with_its_reason(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    page = read(client, session)
    assert "An answer breaks a rule of the form." in page
    assert "choice that is not offered: 1" in page


def test_a_held_record_names_the_one_it_waits_for(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    seeded.submission.state, seeded.submission.waits_for = "held", "uuid:original"
    page = read(client, session)
    assert "Held until another record comes" in page
    assert "uuid:original" in page


def test_an_administrator_reads_no_small_count_and_no_records_name(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    seeded.submission.state, seeded.submission.waits_for = "held", "uuid:original"
    page = read(client, session, "administrator")
    assert "Hidden: small counts would tell of somebody" in page
    assert "uuid:original" not in page


@pytest.mark.parametrize(("role", "counted"), [("national_supervisor", True), ("protection_officer", False)])
def test_who_may_not_know_of_tablets_is_told_no_number_of_them(
    client: FlaskClient, session: Session, seeded: Seeded, role: str, counted: bool
) -> None:
    assert (">Tablets</th>" in read(client, session, role)) == counted


def test_a_clock_that_is_ahead_is_told(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    seeded.device.clock_ahead_s = 7200
    assert "clock ahead by 2 hours" in read(client, session)


def test_a_tablet_with_an_older_version_is_named(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    seeded.submission.version = "0"
    assert "Tablets with an older version of a form" in read(client, session)


def test_how_long_records_were_on_their_way(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    now = datetime.now(UTC)
    for number, hours in enumerate((1, 2, 3, 90)):
        one = add_submission(session, seeded.site, seeded.device, seeded.version, now, f"uuid:lag-{number}")
        one.ended_at = now - timedelta(hours=hours)
    page = read(client, session)
    assert "3 hours" in page
    assert "9 in 10 within" in page


def test_a_silent_tablet_is_pointed_out(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    seeded.device.last_contact_at = datetime.now(UTC) - timedelta(hours=73)
    assert "silent" in read(client, session)


def test_a_site_supervisor_sees_one_site(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    add_site(session, "ROSSO")
    page = read(client, session, "site_supervisor")
    assert "Rosso" in page
    assert "Dkr-C" not in page


def test_a_notice_is_text_whatever_it_says(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    change_setting(session, "notice", "<b>Power cut</b> on Monday", None, datetime.now(UTC))
    assert "&lt;b&gt;Power cut&lt;/b&gt; on Monday" in read(client, session)


def test_without_anything_it_says_so(client: FlaskClient, session: Session) -> None:
    page = read(client, session)
    assert "Nothing waits: all that came is merged." in page
    assert "No tablet is enrolled yet." in page


def test_a_tablet_that_never_sent_anything_is_there(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    seeded.device.name, seeded.submission.device_id = "ROSSO-NEUVE", None
    assert "ROSSO-NEUVE" in read(client, session)


@pytest.fixture
def relay(session: Session, seeded: Seeded) -> Relay:
    """A relay at Kolda with the seeded site behind it, heard of two days ago, which then held three records."""
    site, two_days_ago = add_site(session, "KOLDA", "relay"), datetime.now(UTC) - timedelta(days=2)
    relay = enrol_relay(session, site, add_account(session, "relay", site).actor_id, two_days_ago)
    place_sites(session, relay, [seeded.site], two_days_ago)
    relay.heard_at = relay.told_at = two_days_ago
    relay.told = {"waiting": 3, "oldest_at": two_days_ago.isoformat()}
    known = RelayedDevice(relay_id=site.id, name="T-1", device=seeded.device, state_changed_at=two_days_ago)
    session.add(known)
    return relay


def test_a_relay_is_shown_with_its_tablets_and_how_old_that_is(
    client: FlaskClient, session: Session, relay: Relay
) -> None:
    page = read(client, session)
    assert "Records waiting there" in page
    assert '<td class="number">3</td>' in page
    assert "by way of Kolda" in page
    assert "2 days ago" in page


def test_a_site_that_a_relay_speaks_of_and_nobody_placed_is_told(
    client: FlaskClient, session: Session, seeded: Seeded, relay: Relay
) -> None:
    """What comes from there is kept as of the relay's own site, where others may read it."""
    bakel = add_site(session, "BAKEL")
    for code in ("BAKEL", "BAKEL", seeded.site.code, "NOWHERE", None):
        give_site(session, relay, code)
    session.commit()
    log_in(client, add_account(session, "site_supervisor", seeded.site, language="en"))
    assert "BAKEL" not in client.get("/").text
    session.rollback()
    assert "not behind it: BAKEL." in read(client, session)
    session.rollback()
    place_sites(session, relay, [seeded.site, bakel], datetime.now(UTC))
    session.commit()
    assert "not behind it" not in client.get("/").text


def test_of_a_relay_with_other_sites_a_supervisor_of_one_reads_no_sums(
    client: FlaskClient, session: Session, seeded: Seeded, relay: Relay
) -> None:
    place_sites(session, relay, [seeded.site, add_site(session, "BAKEL")], datetime.now(UTC))
    session.commit()
    user = add_account(session, "site_supervisor", seeded.site, language="en")
    page = log_in(client, user).get("/").text
    assert "Kolda" in page
    assert ("Bakel" in page, '<td class="number">3</td>' in page) == (False, False)


def test_a_relay_says_when_it_reached_the_centre_and_what_waits(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    session.add(Upstream(number=7, problem="peer_unreachable", waiting=4))
    page = read(client, session)
    assert "This server is a relay." in page
    assert "records are still to be taken by the centre" in page
    assert "The server cannot be reached" in page
