"""The drill of a wrong merge: two people made one by mistake and parted again are in every place as they were before.

Pages of every role, every address of programs with all its exports, and what a tablet downloads are read before the
mistake, while it stands, and after it was taken back. What still tells of it is the journal, and only that.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from zipfile import ZipFile, is_zipfile

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from server.accounts.credentials import enrol_device
from server.config import Settings
from sync.models import LinkDecision, Person
from sync.policy import PROGRAM_ROLES, ROLES, SITE_ROLES
from sync.registry import registry_digest
from tests.accounts import add_account, log_in
from tests.seed import Seeded, seed
from tests.server.openrosa.tablet import Tablet
from tests.server.rest import test_wall as programs
from tests.server.rest.program import Program
from tests.server.web import test_wall as pages
from tests.server.web.conftest import Browser
from tests.sync.people import AWA, add_record

# What was read, by who read it and where.
Snapshot = dict[tuple[str, ...], bytes]

# Two of one name: of one of them the mother is not known and the birth is an age, so that the server asks.
NAMESAKES = [AWA | {"birth_date": date(1991, 4, 12)}, AWA | {"mother_name": "", "age": 35}]
READERS = [one for one in ROLES if one not in PROGRAM_ROLES]
# Where it is told who decided and who read what, and since when a question is open that is asked again.
JOURNAL = {
    "audit.list_page", "links.decisions", "links.queue", "person_changes.list_page", "person_changes.page",
    "rest.audits",
}  # fmt: skip
# What is another at each download: the form's token, the clock, and the id of a snapshot.
_FLEETING = re.compile(rb'name="csrf_token" value="[^"]+"|\d\d[:h ]+\d\d(:\d\d)?(\.\d+)?')
_TOLD = re.compile(
    rb'\n<section class="card"(><h2>D.cisions sur des personnes</h2>| id="changes">).*?</section>\n', re.DOTALL
)


def bare(answer: TestResponse) -> bytes:
    """What an answer says, without what is another at each download, and without the journal; archives by file."""
    body = answer.data
    if is_zipfile(BytesIO(body)):
        with ZipFile(BytesIO(body)) as archive:
            body = b"".join(name.encode() + archive.read(name) for name in sorted(archive.namelist()))
    return str(answer.status_code).encode() + _TOLD.sub(b"", _FLEETING.sub(b"", body))


def read_pages(app: Flask, client: FlaskClient, role: str, places: Sequence[Seeded]) -> Snapshot:
    """Every page as a user sees it, about each of these people, and who is found by name and by reference."""
    references = [one.person.reference for one in places]
    rules = [rule for method, rule in pages.list_routes(app) if method == "GET" and rule.endpoint not in JOURNAL]
    asked = [(rule.endpoint, pages.address(app, rule, place)) for place in places for rule in rules]
    found = {("page", role, name, address): bare(client.get(address)) for name, address in asked}
    for name in ("Awa Ndiaye", *references):
        found["look-up", role, name] = bare(client.post("/people/", data={"asked": name}))
    return found


def read_program(app: Flask, program: Program, place: Seeded) -> Snapshot:
    """Every address of `/v1`, its exports among them."""
    rules = [rule for method, rule in programs.list_rules(app) if method == "GET" and rule.endpoint not in JOURNAL]
    asked = [programs.address(app, rule, place).removeprefix("/v1/") for rule in rules]
    return {("program", one): bare(program.get(one)) for one in asked}


def read_tablet(tablet: Tablet) -> Snapshot:
    """The form list, the manifests and every list, with the hashes by which a tablet sees that one has changed."""
    answers = [tablet.get("/formList")]
    manifests = [one["manifestUrl"] for one in tablet.list_forms() if "manifestUrl" in one]
    answers += [tablet.get(one) for one in manifests]
    addresses = sorted(set(re.findall(r"<downloadUrl>([^<]+)</downloadUrl>", "".join(one.text for one in answers))))
    answers += [tablet.get(one) for one in addresses]
    return {("tablet", str(turn)): one.data for turn, one in enumerate(answers)}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return Browser(app, app.response_class)


@pytest.fixture
def places(session: Session) -> list[Seeded]:
    """Two people of one site and of one name."""
    found = seed(session)
    records = [add_record(session, **one, site_id=found.site.id) for one in NAMESAKES]
    session.commit()
    return [replace(found, person=session.get_one(Person, one.home_id)) for one in records]


@pytest.fixture
def tablet(client: FlaskClient, session: Session, settings: Settings, places: list[Seeded]) -> Tablet:
    url = enrol_device(session, settings, places[0].site, "DKR-C-09", datetime.now(UTC)).server_url
    session.commit()
    return Tablet(client, url.removeprefix("http://teral.test"))


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_wrong_merge_taken_back_leaves_no_trace(
    app: Flask, session: Session, places: list[Seeded], tablet: Tablet
) -> None:
    users = [add_account(session, one, places[0].site if one in SITE_ROLES else None) for one in READERS]
    clients = {one.role: log_in(Browser(app, app.response_class), one) for one in users}
    program = Program(Browser(app, app.response_class), add_account(session, "exchange"))
    one, other = (place.person.id for place in places)

    def read() -> Snapshot:
        found = read_tablet(tablet) | read_program(app, program, places[0])
        for role, client in clients.items():
            found |= read_pages(app, client, role, places)
        return found | {("digest",): registry_digest(session).encode()}

    def act(address: str, **data: str) -> None:
        assert clients["data_steward"].post(address, data=data).status_code == 302
        session.rollback()

    before = read()
    act(f"/links/{one}/{other}", answer="same")
    wrong = read()
    act(f"/links/decisions/{session.scalars(select(LinkDecision.id).order_by(LinkDecision.id.desc())).first()}/undo")
    after = read()
    assert [key for key in before if after[key] != before[key]] == []
    changed = {key[:3:2] for key in before if wrong[key] != before[key]}
    assert {("page", "people.page"), ("page", "people.search_page"), ("digest",)} <= changed
    assert {key[0] for key in changed} == {"page", "look-up", "digest"}
