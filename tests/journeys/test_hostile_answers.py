"""Answers that no officer gives: whatever a broken tablet or a script sends is kept, judged, shown and exported."""

from collections.abc import Callable
from copy import deepcopy
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

Spoil = Callable[[etree._Element, Random], None]
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


def spoil_answers(root: etree._Element, chance: Random) -> None:
    """One answer or many are not what anybody would say."""
    leaves = [one for one in root.iter("{*}*") if not len(one) and not one.tag.endswith("instanceID")]
    for one in chance.sample(leaves, min(len(leaves), chance.choice((1, 3, 8, 30)))):
        one.text = chance.choice(HOSTILE)


def spoil_structure(root: etree._Element, chance: Random) -> None:
    """Some nodes stand twice, deep, elsewhere, under another name or not at all."""
    nodes = [one for one in root.iter("{*}*") if one is not root and not one.tag.endswith(("meta", "instanceID"))]
    for one in chance.sample(nodes, min(len(nodes), chance.choice((1, 2, 5, 12)))):
        chance.choice(STRUCTURES)(one, root)


def double(one: etree._Element, root: etree._Element) -> None:
    for _ in range(20):
        one.addnext(deepcopy(one))


def loosen(one: etree._Element, root: etree._Element) -> None:
    one.text, one.tail = "loose", "text"


def deepen(one: etree._Element, root: etree._Element) -> None:
    for _ in range(60):
        one = etree.SubElement(one, "deep")
    one.text = "1"


def rename(one: etree._Element, root: etree._Element) -> None:
    one.tag = "end" if one.tag.endswith("start") else "a.b"


def make_template(one: etree._Element, root: etree._Element) -> None:
    one.set("{http://openrosa.org/javarosa}template", "")


STRUCTURES: tuple[Callable[[etree._Element, etree._Element], None], ...] = (
    double, loosen, deepen, rename, make_template,
    lambda one, root: root.append(one), lambda one, root: one.clear(),
)  # fmt: skip


def send_spoilt(client: FlaskClient, session: Session, site: Site, spoil: Spoil, number: int) -> None:
    """Records of all shipped forms, as an officer fills them and then as they should never be."""
    settings, name = current_app.extensions["teral_settings"], f"CADKR-{number:02}"
    enrolled = enrol_device(session, settings, site, name, datetime.now(UTC))
    session.commit()
    tablet, chance = Tablet(client, f"/v1/key/{enrolled.token}/projects/1"), Random(number)
    for form_id in FORMS:
        for filled in fill_shipped(form_id, 8, number):
            root = etree.fromstring(filled.xml)
            spoil(root, chance)
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
    kinds = ("", ".csv", ".csv.zip", ".xlsx", ".geojson", ".parquet", ".parquet.zip")
    lists = [f"projects/1/datasets/{one}" for one in ("dossiers", "evenements", "orientations")]
    return [
        *(f"{one}{kind}" for one in records for kind in kinds),
        *(f"{one.removesuffix('/submissions')}.svc/Submissions?$expand=*&$wkt=true&$count=true" for one in records),
        *(f"{one}{kind}" for one in lists for kind in ("/entities", "/entities.csv", ".svc/Entities")),
    ]


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize("number", range(1, 4))
@pytest.mark.parametrize("spoil", [spoil_answers, spoil_structure])
def test_no_answer_breaks_the_judging_the_pages_or_the_exports(
    client: FlaskClient, session: Session, site: Site, spoil: Spoil, number: int
) -> None:
    send_spoilt(client, session, site, spoil, number)
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
