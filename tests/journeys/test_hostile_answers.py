"""Answers that no officer gives: whatever a broken tablet or a script sends is kept, judged, shown and exported."""

from datetime import UTC, datetime
from random import Random

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.credentials import enrol_device
from server.extensions import attachment_store
from server.processing import Batch, process_pending
from server.shipped_forms import publish_library
from sync.models import Entity, Form, PersonRecord, Site, Submission
from sync.quarantine import accept
from tests.accounts import add_account, add_site, log_in
from tests.library_fills import fill_shipped, stay_id
from tests.server.openrosa.tablet import Tablet
from tests.server.rest.program import Program, form_path
from tests.server.web.conftest import Browser

FORMS = ("f02_passage", "f03_evenement", "f04_arrivee", "f07_assistance", "f08_orientation", "f09_sortie")
HOSTILE = (
    "", " ", "\n", "0", "-0", "-1", "9" * 20, "-" + "9" * 30, "1e400", "-1.8e309", "NaN", "١٢٣", "1_000", "true",
    "0001-01-01", "9999-12-31", "1800-01-01", "2026-02-30", "25:61", "0001-01-01T00:00:00.000+14:00",
    "9999-12-31T23:59:59.999-12:00", "91 181 0 0", "10 20 30", "14.7 -17.4 0 0;", "=1+1", "<b>", "'; DROP TABLE x",
    "\u202e✅\U0001f600", "\u2028", "\ufeffx", "é" * 300, "a" * 5000, "P<SEN" + "<" * 80, "a b c d", "uuid:x",
    "00000000-0000-0000-0000-000000000000", stay_id(1),
)  # fmt: skip


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = False, False
    return Browser(app, app.response_class)


@pytest.fixture
def site(session: Session) -> Site:
    publish_library(session, attachment_store(), datetime.now(UTC))
    return add_site(session, "CADKR", "centre")


def send_spoilt(client: FlaskClient, session: Session, site: Site, number: int) -> None:
    """Records of all shipped forms, in which one answer or many are not what anybody would say."""
    enrolled = enrol_device(
        session, current_app.extensions["teral_settings"], site, f"CADKR-{number:02}", datetime.now(UTC)
    )
    session.commit()
    tablet, chance = Tablet(client, f"/v1/key/{enrolled.token}/projects/1"), Random(number)
    for form_id in FORMS:
        for filled in fill_shipped(form_id, 8, number):
            root = etree.fromstring(filled.xml)
            leaves = [one for one in root.iter("{*}*") if not len(one) and not one.tag.endswith("instanceID")]
            for one in chance.sample(leaves, min(len(leaves), chance.choice((1, 3, 8, 30)))):
                one.text = chance.choice(HOSTILE)
            assert tablet.send(etree.tostring(root)).status_code == 201


def judge_all(session: Session, supervisor: int) -> Batch:
    """Judge what came, and again with a supervisor's word that it counts as it is."""
    judged = process_pending()
    session.rollback()
    for one in session.scalars(select(Submission).where(Submission.state == "quarantined")):
        accept(session, one, supervisor, "counts as it was said", datetime.now(UTC))
    session.commit()
    again = process_pending()
    session.rollback()
    return judged + again


def list_pages(session: Session) -> list[str]:
    records, persons = session.scalars(select(Submission.id)), set(session.scalars(select(PersonRecord.person_id)))
    entities = session.execute(select(Entity.list_name, Entity.uuid))
    return [
        "/", "/submissions/", "/people/", "/entities/", "/headcounts/", "/links/",
        *(f"/submissions/{one}" for one in records), *(f"/people/{one}" for one in sorted(persons)),
        *(f"/entities/{name}/{uuid}" for name, uuid in entities),
    ]  # fmt: skip


def list_exports(session: Session) -> list[str]:
    records = [f"{form_path(one)}/submissions" for one in session.scalars(select(Form.form_id))]
    kinds = ("", ".csv", ".csv.zip", ".xlsx", ".geojson", ".parquet")
    lists = [f"projects/1/datasets/{one}" for one in ("dossiers", "evenements", "orientations")]
    return [
        *(f"{one}{kind}" for one in records for kind in kinds),
        *(f"{one.removesuffix('/submissions')}.svc/Submissions?$expand=*&$wkt=true&$count=true" for one in records),
        *(f"{one}{kind}" for one in lists for kind in ("/entities", "/entities.csv", ".svc/Entities")),
    ]


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize("number", range(1, 7))
def test_no_answer_breaks_the_judging_the_pages_or_the_exports(
    client: FlaskClient, session: Session, site: Site, number: int
) -> None:
    send_spoilt(client, session, site, number)
    officer, exchange = add_account(session, "protection_officer", site), add_account(session, "exchange")
    assert judge_all(session, officer.actor_id).failed == 0
    pages, exports = list_pages(session), list_exports(session)
    log_in(client, officer)
    # What names another site by mistake, or is a complaint about the officers here, is not for this one.
    assert {one: status for one in pages if (status := client.get(one).status_code) not in (200, 404)} == {}
    program = Program(client, exchange)
    answered = {one: program.get(one) for one in exports}
    assert {one: answer.status_code for one, answer in answered.items() if answer.status_code != 200} == {}
    assert all(answer.data for answer in answered.values())
