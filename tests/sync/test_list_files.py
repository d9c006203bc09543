"""Records are judged by the lists that their tablets had, not by those of today."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import md5

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sync import sites
from sync.devices import Contact, Fetch, record_contacts
from sync.entity_lists import Receiver, read_view, render_entity_csv
from sync.models import Device, Entity, IssuedVersion, Site, Submission
from sync.publishing import publish_form
from sync.server_lists import render_sites_csv
from tests.sync.entities import STAY, add_arrival, add_update, entity_form, publish_entity_forms
from tests.sync.factory import NOW, add_device, add_site, add_submission
from tests.sync.test_processing import settle

LATER = "5f0c1f3e-1d2a-4b6c-8d3e-000000000002"
MORNING, NOON, EVENING = (NOW - timedelta(hours=hours) for hours in (9, 5, 1))
READING = """
| survey |
| | type | name | label | choice_filter |
| | start | start | | |
| | end | end | | |
| | select_one_from_file dossiers.csv | dossier | Dossier | urgence = '0' |
| | select_one_from_file sites.csv | lieu | Lieu | |
| settings |
| | form_id | version |
| | lecture | 1 |
"""
DETAILS = sites.SiteDetails("Nouveau", "centre")
UNCERTAIN = [("/data/dossier", "unverifiable", "warning", "list_uncertain")]
REFUSED = [("/data/dossier", "choice", "error", "not_a_choice")]

Said = list[tuple[str, str, str, str]]


@pytest.fixture
def device(session: Session) -> Device:
    """A tablet of the centre KLK, where one stay is open since the morning."""
    publish_entity_forms(session)
    publish_form(session, entity_form(READING), {}, None, NOW)
    device = add_device(session, add_site(session, "KLK", kind="centre"))
    add_arrival(session)
    settle(session)
    session.execute(update(IssuedVersion).values(issued_at=MORNING))
    return device


def fetch(session: Session, device: Device, when: datetime, form_id: str = "lecture") -> None:
    """The tablet updates itself and gets what is served at this moment."""
    view = read_view(session, "dossiers", Receiver("KLK", "centre"), when)
    files = {"dossiers.csv": render_entity_csv(session, view), "sites.csv": render_sites_csv(session)}
    hashes = {name: md5(data, usedforsecurity=False).hexdigest() for name, data in files.items()}
    fetches = {Fetch("list", form_id, "1", name, found): when for name, found in hashes.items()}
    fetches[Fetch("form", form_id, "1", "", "f")] = when
    record_contacts(session, [Contact(device.id, when, "list", fetches=fetches)], when)


def judged(session: Session, device: Device | None, dossier: str, lieu: str = "", end: datetime = EVENING) -> Said:
    """What is said about a record of the evening."""
    start = end - timedelta(minutes=5)
    body = (
        f'<data id="lecture" version="1"><start>{start.isoformat()}</start><end>{end.isoformat()}</end>'
        f"<dossier>{dossier}</dossier><lieu>{lieu}</lieu><meta><instanceID>uuid:r</instanceID></meta></data>"
    )
    add_submission(session, "uuid:r", form_id="lecture", body=body.encode(), device=device)
    settle(session)
    [row] = session.scalars(select(Submission).where(Submission.instance_id == "uuid:r"))
    return [(one.path, one.kind, one.grade, one.code) for one in row.findings]


def close_stay(session: Session) -> None:
    add_update(session, "uuid:u", 1, values={"etat": "clos"})
    settle(session)
    assert session.scalar(select(Entity.is_open).where(Entity.uuid == STAY)) is False


def open_another(session: Session) -> None:
    add_arrival(session, "uuid:c2", stay=LATER)
    settle(session)


def nothing_changes(_session: Session) -> None:
    """The list is today what it was."""


@pytest.mark.both_databases
@pytest.mark.parametrize("change", [nothing_changes, close_stay, open_another])
def test_a_choice_of_the_list_on_board_is_right_whatever_changed_since(
    session: Session, device: Device, change: Callable[[Session], None]
) -> None:
    fetch(session, device, NOON)
    change(session)
    assert judged(session, device, STAY) == []


@pytest.mark.both_databases
def test_a_choice_that_was_not_on_board_is_refused(session: Session, device: Device) -> None:
    fetch(session, device, NOON)
    open_another(session)
    assert judged(session, device, LATER) == REFUSED


def test_a_row_that_the_filter_hid_is_refused(session: Session, device: Device) -> None:
    add_update(session, "uuid:u", 1, values={"urgence": "1"})
    settle(session)
    session.execute(update(IssuedVersion).values(issued_at=MORNING))
    fetch(session, device, NOON)
    assert judged(session, device, STAY) == REFUSED


def test_a_tablet_that_writes_the_list_may_have_rows_of_its_own(session: Session, device: Device) -> None:
    fetch(session, device, NOON)
    fetch(session, device, NOON, "assistance")
    assert judged(session, device, STAY) == []
    assert judged_anew(session, device) == UNCERTAIN


def judged_anew(session: Session, device: Device) -> Said:
    session.query(Submission).filter_by(instance_id="uuid:r").update({"instance_id": "uuid:before"})
    return judged(session, device, LATER)


@pytest.mark.parametrize("after", [timedelta(minutes=3), timedelta(hours=-1)], ids=["just before", "afterwards"])
def test_a_list_that_was_fetched_too_late_proves_nothing(session: Session, device: Device, after: timedelta) -> None:
    fetch(session, device, EVENING - after)
    assert judged(session, device, LATER) == UNCERTAIN


def test_a_tablet_without_a_log_is_judged_by_the_list_of_today_with_doubt(session: Session, device: Device) -> None:
    assert judged(session, device, STAY) == []
    assert judged_anew(session, device) == UNCERTAIN


def test_without_a_tablet_nothing_is_known_of_its_list(session: Session, device: Device) -> None:
    assert judged(session, None, STAY) == [("/data/dossier", "unverifiable", "warning", "list_not_held")]


def test_a_list_that_cannot_be_made_again_proves_nothing(session: Session, device: Device) -> None:
    session.execute(update(Entity).values(label="Never served under a number"))
    fetch(session, device, NOON)
    assert judged(session, device, LATER) == UNCERTAIN


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param("KLK", [], id="a site that was on board"),
        pytest.param("NEUF", [("/data/lieu", "choice", "error", "not_a_choice")], id="a site that came later"),
    ],
)
@pytest.mark.parametrize("changes", [0, 1, 2])
def test_sites_are_those_on_board_whatever_changed_since(
    session: Session, device: Device, changes: int, place: str, expected: Said
) -> None:
    fetch(session, device, NOON)
    if changes:
        sites.add_site(session, "NEUF", DETAILS, None, NOW)
    if changes > 1:
        klk = session.scalars(select(Site).where(Site.code == "KLK")).one()
        sites.change_site(session, klk, DETAILS, closed=True, actor_id=None, now=NOW)
    assert judged(session, device, "", place) == expected


def test_sites_that_changed_behind_our_back_prove_nothing(session: Session, device: Device) -> None:
    fetch(session, device, NOON)
    session.execute(update(Site).values(name="Kaolack"))
    assert judged(session, device, "", "ZZZ") == [("/data/lieu", "unverifiable", "warning", "list_uncertain")]


def test_an_unreadable_record_is_said_to_be_so(session: Session, device: Device) -> None:
    add_submission(session, "uuid:r", form_id="lecture", body=b"<data", device=device)
    settle(session)
    assert session.scalar(select(Submission.reason).where(Submission.instance_id == "uuid:r")) == "unreadable"
