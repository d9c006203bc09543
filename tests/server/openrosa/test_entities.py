"""What tablets are given of entity lists: the open rows of their own site, under a hash that moves with them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts.credentials import enrol_device
from server.config import Settings
from server.openrosa.routes import get_room
from sync.devices import change_device_state
from sync.models import Device, Entity, Submission
from sync.publishing import publish_form
from sync.quarantine import reject
from tests.server.openrosa.tablet import MANIFEST, Tablet, entries
from tests.sync.entities import (
    ARRIVAL,
    STAY,
    add_arrival,
    add_event,
    add_update,
    branch,
    entity_form,
    publish_entity_forms,
)
from tests.sync.factory import NOW, add_site
from tests.sync.test_processing import settle


def tablet_at(
    client: FlaskClient, session: Session, settings: Settings, code: str, kind: str, region: str | None = None
) -> Tablet:
    site = add_site(session, code, kind=kind, region=region)
    enrolment = enrol_device(session, settings, site, code, datetime.now(UTC))
    session.commit()
    return Tablet(client, enrolment.server_url.removeprefix("http://teral.test"))


@pytest.fixture
def tablet(client: FlaskClient, session: Session, settings: Settings) -> Tablet:
    """A tablet of the centre KLK, where one stay is open."""
    publish_entity_forms(session)
    tablet = tablet_at(client, session, settings, "KLK", "centre")
    add_arrival(session)
    settle(session)
    return tablet


def listed(tablet: Tablet, form_id: str = "assistance") -> dict[str, str]:
    [form] = [one for one in tablet.list_forms() if one["formID"] == form_id]
    [file] = entries(tablet.get(form["manifestUrl"]), MANIFEST)
    return file


def rows(tablet: Tablet, form_id: str = "assistance") -> list[str]:
    return tablet.get(listed(tablet, form_id)["downloadUrl"]).text.splitlines()


def is_gone(tablet: Tablet) -> str | None:
    answer = tablet.client.get(listed(tablet)["integrityUrl"], query_string={"id": STAY})
    return ElementTree.fromstring(answer.data).findtext("entities/entity/deleted")


def test_a_centre_gets_its_open_stays(tablet: Tablet) -> None:
    assert rows(tablet) == ["name,label,__version,sexe,urgence,site_id,etat", f"{STAY},Dossier 1,1,1,0,KLK,arrive"]


def test_the_manifest_says_that_it_is_an_entity_list(tablet: Tablet) -> None:
    [form] = [one for one in tablet.list_forms() if one["formID"] == "assistance"]
    assert '<mediaFile type="entityList">' in tablet.get(form["manifestUrl"]).text


@pytest.mark.parametrize(("code", "kind"), [("DKR", "centre"), ("ROS", "border_post")])
def test_other_sites_get_no_row(
    tablet: Tablet, client: FlaskClient, session: Session, settings: Settings, code: str, kind: str
) -> None:
    assert len(rows(tablet_at(client, session, settings, code, kind))) == 1


def test_a_border_post_gets_no_stay_that_names_it(client: FlaskClient, session: Session, settings: Settings) -> None:
    publish_entity_forms(session)
    add_arrival(session, values={"site_id": "ROS"})
    settle(session)
    assert len(rows(tablet_at(client, session, settings, "ROS", "border_post"))) == 1


def test_a_row_that_leaves_the_view_changes_the_hash_and_is_gone(tablet: Tablet, session: Session) -> None:
    before = listed(tablet)["hash"]
    assert is_gone(tablet) == "false"
    add_update(session, "uuid:u", 1, values={"etat": "clos"})
    settle(session)
    assert (listed(tablet)["hash"] != before, len(rows(tablet)), is_gone(tablet)) == (True, 1, "true")


def _move_tablet(session: Session) -> None:
    session.scalars(select(Device)).one().site_id = add_site(session, "DKR", kind="centre").id


def _drain_tablet(session: Session) -> None:
    change_device_state(session, session.scalars(select(Device)).one(), "drained", NOW)


def _reject_arrival(session: Session) -> None:
    reject(session, session.scalars(select(Submission)).one(), None, "Saisie de formation", NOW)


def _publish_with_another_property(session: Session) -> None:
    more = ARRIVAL.replace("| | end | end | | |", "| | end | end | | |\n| | text | lit | Lit | lit |")
    publish_form(session, entity_form(more.replace("| arrivee | 1 |", "| arrivee | 2 |")), {}, None, NOW)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        pytest.param(lambda session: add_arrival(session, "uuid:d", stay=branch("S")), 2, id="another stay"),
        pytest.param(lambda session: add_update(session, "uuid:u", 1, values={"urgence": "2"}), 1, id="a value"),
        pytest.param(lambda session: add_update(session, "uuid:u", 1, values={"etat": "arrive"}), 1, id="no new value"),
        pytest.param(lambda session: add_update(session, "uuid:u", 1, values={"etat": "clos"}), 0, id="a closure"),
        pytest.param(lambda session: add_update(session, "uuid:u", 1, values={"site_id": "DKR"}), 0, id="a departure"),
        pytest.param(lambda session: add_update(session, "uuid:u", 1, values={"site_id": ""}), 0, id="a blank site"),
        pytest.param(lambda session: add_update(session, "uuid:u", 3, on="A", trunk=1), 1, id="an update that waits"),
        pytest.param(_reject_arrival, 0, id="a rejected creation"),
        pytest.param(_move_tablet, 0, id="a tablet that moves"),
        pytest.param(_drain_tablet, 0, id="a drained tablet"),
        pytest.param(_publish_with_another_property, 1, id="a new column"),
    ],
)
def test_the_hash_changes_with_whatever_the_tablet_could_see(
    tablet: Tablet, session: Session, change: Callable[[Session], object], left: int
) -> None:
    before = listed(tablet)["hash"]
    change(session)
    settle(session)
    assert listed(tablet)["hash"] != before
    assert len(rows(tablet)) == 1 + left


def test_the_hash_stays_with_what_another_site_does(tablet: Tablet, session: Session) -> None:
    before = listed(tablet)["hash"]
    add_arrival(session, "uuid:d", stay=branch("S"), values={"site_id": "DKR"})
    settle(session)
    assert listed(tablet)["hash"] == before


def test_an_entity_that_is_not_here_yet_is_not_called_gone(tablet: Tablet) -> None:
    answer = tablet.client.get(listed(tablet)["integrityUrl"], query_string={"id": STAY.replace("1", "2")})
    assert ElementTree.fromstring(answer.data).findall("entities/entity") == []


def test_an_unchanged_list_is_not_sent_twice(tablet: Tablet) -> None:
    file = listed(tablet)
    etag = file["hash"].removeprefix("md5:")
    assert tablet.get(file["downloadUrl"], **{"If-None-Match": f'"{etag}"'}).status_code == 304


def test_a_patrol_gets_the_events_of_its_region_for_thirty_days(
    client: FlaskClient, session: Session, settings: Settings
) -> None:
    publish_entity_forms(session)
    add_site(session, "MBR", kind="landing_place", region="SN-TH")
    add_site(session, "DKR", kind="landing_place", region="SN-DK")
    today = datetime.now(UTC).date()
    for number, (site, age) in enumerate([("MBR", 0), ("MBR", 30), ("MBR", 31), ("DKR", 0), ("", 0)]):
        add_event(session, number, site, (today - timedelta(days=age)).isoformat())
    add_event(session, 5, "MBR", "hier")
    settle(session)
    patrol = tablet_at(client, session, settings, "P1", "mobile_patrol", "SN-TH")
    assert [row.split(",")[1] for row in rows(patrol, "vigie")[1:]] == ["Pirogue 0", "Pirogue 1"]
    national = tablet_at(client, session, settings, "P2", "mobile_patrol", "SN")
    assert [row.split(",")[1] for row in rows(national, "vigie")[1:]] == ["Pirogue 0", "Pirogue 1", "Pirogue 3"]


def test_an_unchanged_list_is_not_read_again(tablet: Tablet, session: Session) -> None:
    before = rows(tablet)
    session.execute(update(Entity).values(label="Changed behind the fold's back"))
    session.commit()
    assert rows(tablet) == before
    add_update(session, "uuid:u", 1, values={"urgence": "2"})
    settle(session)
    assert rows(tablet)[1].split(",")[4] == "2"


READING = """
| survey |
| | type | name | label |
| | end | end | |
| | select_one_from_file dossiers.csv | dossier | Dossier |
| settings |
| | form_id | version |
| | lecture | 1 |
"""


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("dossier", "said"),
    [pytest.param(STAY, [], id="was there"), pytest.param("nobody", ["not_a_choice"], id="never was")],
)
def test_a_record_is_judged_by_the_list_that_its_tablet_fetched(
    tablet: Tablet, session: Session, app: Flask, dossier: str, said: list[str]
) -> None:
    publish_form(session, entity_form(READING), {}, None, NOW)
    session.commit()
    [form] = [one for one in tablet.list_forms() if one["formID"] == "lecture"]
    assert tablet.get(form["downloadUrl"]).status_code == 200
    assert len(rows(tablet, "lecture")) == 2
    get_room(app).contacts.flush()
    add_update(session, "uuid:u", 1, values={"etat": "clos"})
    settle(session)
    assert (len(rows(tablet, "lecture")), findings_of(tablet, session, dossier)) == (1, said)


def findings_of(tablet: Tablet, session: Session, dossier: str) -> list[str]:
    """What is said about a record that the tablet filled an hour after it had fetched the list."""
    end = datetime.now(UTC) + timedelta(hours=1)
    record = (
        f'<data id="lecture" version="1"><end>{end.isoformat()}</end><dossier>{dossier}</dossier>'
        "<meta><instanceID>uuid:r</instanceID></meta></data>"
    )
    assert tablet.send(record.encode()).status_code == 201
    settle(session)
    [row] = session.scalars(select(Submission).where(Submission.instance_id == "uuid:r"))
    return [one.code for one in row.findings]
