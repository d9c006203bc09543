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
# What is another at each download: the form's token, the clock, how long ago it was, and the id of a snapshot.
_FLEETING = re.compile(rb'name="csrf_token" value="[^"]+"|<time [^>]+>[^<]*</time>|\d\d[:h ]+\d\d(:\d\d)?(\.\d+)?')
_TOLD = re.compile(
    rb'\n<section class="card"(><h2>D..cisions sur les personnes</h2>| id="changes">).*?</section>\n', re.DOTALL
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
    return enrol(client, session, settings, places)


def enrol(client: FlaskClient, session: Session, settings: Settings, places: Sequence[Seeded]) -> Tablet:
    url = enrol_device(session, settings, places[0].site, "DKR-C-09", datetime.now(UTC)).server_url
    session.commit()
    return Tablet(client, url.removeprefix("http://teral.test"))


class Drill:
    """Everybody who reads, a tablet and a program, and a data steward who makes and mends the mistake."""

    def __init__(self, app: Flask, session: Session, places: list[Seeded], tablet: Tablet) -> None:
        users = [add_account(session, one, places[0].site if one in SITE_ROLES else None) for one in READERS]
        self.app, self.session, self.places, self.tablet = app, session, places, tablet
        self.clients = {one.role: log_in(Browser(app, app.response_class), one) for one in users}
        self.program = Program(Browser(app, app.response_class), add_account(session, "exchange"))
        self.steward = self.clients["data_steward"]

    def read(self) -> Snapshot:
        found = read_tablet(self.tablet) | read_program(self.app, self.program, self.places[0])
        for role, client in self.clients.items():
            found |= read_pages(self.app, client, role, self.places)
        return found | {("digest",): registry_digest(self.session).encode()}

    def act(self, address: str, **data: str) -> None:
        assert self.steward.post(address, data=data).status_code == 302
        self.session.rollback()

    def undo_the_latest(self) -> None:
        latest = self.session.scalars(select(LinkDecision.id).order_by(LinkDecision.id.desc())).first()
        undo = f"/links/decisions/{latest}/undo"
        assert f'action="{undo}"' in self.steward.get("/links/decisions").text
        self.act(undo)


def check_traces(before: Snapshot, wrong: Snapshot, after: Snapshot) -> None:
    """The mistake was seen by people who read, and by nobody and nothing afterwards."""
    assert [key for key in before if after[key] != before[key]] == []
    changed = {key[:3:2] for key in before if wrong[key] != before[key]}
    assert {("page", "people.page"), ("page", "people.search_page"), ("digest",)} <= changed
    assert {key[0] for key in changed} == {"page", "look-up", "digest"}


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_wrong_merge_taken_back_leaves_no_trace(
    app: Flask, session: Session, places: list[Seeded], tablet: Tablet
) -> None:
    drill = Drill(app, session, places, tablet)
    one, other = (place.person.id for place in places)
    before = drill.read()
    drill.act(f"/links/{one}/{other}", answer="same")
    wrong = drill.read()
    drill.undo_the_latest()
    check_traces(before, wrong, drill.read())


@pytest.fixture
def homonyms(session: Session) -> list[Seeded]:
    """Two people of one site about whom all is alike: the server makes them one by itself, and has that checked."""
    found = seed(session)
    told = AWA | {"birth_date": date(1991, 4, 12)}
    first = add_record(session, **told, site_id=found.site.id)
    later = add_record(session, **told, site_id=found.site.id, reference="2ZZZZ-ZZZZZ-00", hours=0)
    assert later.person_id == first.person_id
    session.commit()
    return [replace(found, person=session.get_one(Person, one.home_id)) for one in (later, first)]


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_wrong_link_that_nobody_made_is_found_and_parted_and_leaves_no_trace(
    app: Flask, client: FlaskClient, session: Session, settings: Settings, homonyms: list[Seeded]
) -> None:
    drill = Drill(app, session, homonyms, enrol(client, session, settings, homonyms))
    later, first = (place.person.id for place in homonyms)

    def part() -> None:
        assert "/links/check" in drill.steward.get("/links/").text
        assert drill.steward.get("/links/check").location == f"/links/{later}/{first}"
        drill.act(f"/links/{later}/{first}/check", answer="apart")
        assert drill.steward.get("/links/check").location == "/links/"

    part()
    before = drill.read()
    drill.undo_the_latest()
    wrong = drill.read()
    part()
    # The digest tells of the decision that parts them, which is another one by now.
    check_traces(before, wrong, drill.read() | {("digest",): before["digest",]})
