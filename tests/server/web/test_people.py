"""People: found by what the reader may know, never by an address that names somebody."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import Result
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from server.accounts.models import User
from server.extensions import db
from sync.db import begin_write
from sync.link_decisions import Word, decide_same, undo_link_decision
from sync.models import AuditEvent, Encounter, LinkDecision, Person, PersonRecord
from sync.registry import registry_digest
from tests.accounts import add_account, add_site, log_in
from tests.seed import CANARIES, REFERENCE, Seeded, seed
from tests.server.cli.conftest import run
from tests.sync.factory import NOW
from tests.sync.meetings import AWA, BINTA, MODOU, meet, persons, prepare, reference

__all__ = ["run"]
# What is another at each download, and the journal of links, which alone tells of a link that was undone.
_CHANGING = re.compile(
    r'name="csrf_token" value="[^"]*"|nonce="[^"]*"|\n<section class="card" id="changes">.*?</section>\n', re.DOTALL
)


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


def search(client: FlaskClient, asked: str) -> bool:
    return 'href="/people/1"' in client.post("/people/", data={"asked": asked}).text


@pytest.mark.parametrize(
    ("asked", "found"),
    [(CANARIES["D3"][:6].lower(), True), ("awa", True), ("+221770000001", True), (REFERENCE.lower(), True),
     (REFERENCE.replace("-", " "), True), ("canari awa", True), ("AOUA Kanaritroi 1991", True), ("77 000 00 01", True),
     ("%", False), ("ndiaye", False)],
)  # fmt: skip
def test_staff_find_by_name_telephone_and_reference(
    client: FlaskClient, session: Session, seeded: Seeded, asked: str, found: bool
) -> None:
    assert search(log_in(client, add_account(session, "centre_staff", seeded.site)), asked) == found


@pytest.mark.parametrize(
    ("asked", "enough"),
    [({}, False), ({"asked": "35"}, False), ({"asked": "1991-02-03"}, False), ({"sex": "2"}, False),
     ({"asked": "ndiaye"}, True), ({"mother": "ndiaye"}, True)],
    ids=["nothing", "age", "birth", "sex", "name", "mother"],
)  # fmt: skip
def test_who_finds_nobody_is_told_whether_they_said_enough(
    client: FlaskClient, session: Session, seeded: Seeded, asked: dict[str, str], enough: bool
) -> None:
    page = log_in(client, add_account(session, "centre_staff", seeded.site, language="en")).post("/people/", data=asked)
    assert ("Nobody fits." in page.text, "Give a name, a reference" in page.text) == (enough, not enough)
    assert "No record tells of a person yet." not in page.text


@pytest.mark.parametrize(("asked", "weighs"), [("awa kanaritroi 1991", True), ("aw kana", False)])
def test_how_well_somebody_fits_is_shown_where_it_speaks_for_them(
    client: FlaskClient, session: Session, seeded: Seeded, asked: str, weighs: bool
) -> None:
    page = log_in(client, add_account(session, "centre_staff", seeded.site, language="en")).post(
        "/people/", data={"asked": asked}
    )
    assert ('href="/people/1"' in page.text, ">Fits<" in page.text) == (True, weighs)


def test_a_slip_in_a_reference_is_told(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "centre_staff", seeded.site, language="en"))
    slip = f"{REFERENCE[:-1]}{(int(REFERENCE[-1]) + 1) % 10}"
    assert "There is a slip in this reference" in client.post("/people/", data={"asked": slip}).text


def test_a_search_keeps_no_tablet_waiting_while_it_looks(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "centre_staff", seeded.site))
    begun: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _cursor, sql, *_more: begun.append(sql))
    client.post("/people/", data={"asked": "Canaritrois"})
    locked = begun.index("BEGIN IMMEDIATE")
    assert "BEGIN" in begun[:locked]
    assert not [one for one in begun[locked:] if "person_records" in one]


def test_who_reads_masked_finds_by_reference_only(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "auditor"))
    assert (search(client, CANARIES["D3"]), search(client, REFERENCE)) == (False, True)


def test_a_person_is_told_of_by_their_own_meetings(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    for path, place in (
        ("/data/personnes[1]", "Ici"),
        ("/data/personnes[2]", "Ailleurs"),
        ("/data/personnes[10]", "Loin"),
    ):
        session.add(Encounter(submission=seeded.submission, path=path, destination=place))
    session.commit()
    page = log_in(client, add_account(session, "centre_staff", seeded.site)).get("/people/1").text
    assert [place in page for place in (CANARIES["D2"], "Ici", "Ailleurs", "Loin")] == [True, True, False, False]


def test_another_site_finds_nobody(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "centre_staff", add_site(session, "AUTRE", "centre")))
    assert not search(client, REFERENCE)
    assert client.get(f"/people/{seeded.person.id}").status_code == 404


def test_a_look_at_a_person_is_in_the_journal_without_their_name(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    log_in(client, add_account(session, "centre_staff", seeded.site))
    assert CANARIES["D3"] in client.get(f"/people/{seeded.person.id}").text
    session.rollback()
    lines = session.scalars(select(AuditEvent).where(AuditEvent.action == "person.read")).all()
    assert [(one.target, one.details) for one in lines] == [(f"person:{seeded.person.id}", {})]


def meet_twice(client: FlaskClient, session: Session) -> list[PersonRecord]:
    prepare(session)
    meet(session, "uuid:1", AWA, day=3)
    meet(session, "uuid:2", replace(AWA, nom="Ndiaay", papier="passport", numero="A00123456"), day=2)
    log_in(client, add_account(session, "data_steward"))
    return list(session.scalars(select(PersonRecord).order_by(PersonRecord.id)))


def test_a_person_of_two_records_shows_both_and_what_is_known(client: FlaskClient, session: Session) -> None:
    first, second = meet_twice(client, session)
    page = client.get(f"/people/{first.person_id}").text
    assert all(f'<h2 class="code">{one.reference}</h2>' in page for one in (first, second))
    assert "Attesté par un document" in page
    assert 'Attesté par un document<span class="sub">1 fiche dit autre chose</span>' in page


def test_the_address_from_before_a_link_still_leads_to_the_person(client: FlaskClient, session: Session) -> None:
    first, second = meet_twice(client, session)
    answer = client.get(f"/people/{second.home_id}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/people/{first.home_id}")


def test_a_person_is_listed_by_the_reference_on_their_page_and_by_which_one_found_them(
    client: FlaskClient, session: Session
) -> None:
    first, second = meet_twice(client, session)
    page = client.get("/people/").text
    assert (page.count('class="row-link code reference"'), second.reference in page) == (1, False)
    found = client.post("/people/", data={"asked": second.reference}).text
    assert f'href="/people/{first.person_id}">{first.reference}</a>' in found
    assert f"trouvée par {second.reference}" in found


def test_each_record_leads_to_why_it_is_of_the_person(client: FlaskClient, session: Session) -> None:
    first, second = meet_twice(client, session)
    page = client.get(f"/people/{first.person_id}").text
    for one, other in ((first, second), (second, first)):
        assert f'href="/links/{one.home_id}/{other.home_id}"' in page
    assert "Poids" in client.get(f"/links/{first.home_id}/{second.home_id}").text
    assert "/links/" not in log_in(client.application.test_client(), add_staff(session)).get("/people/1").text


def add_staff(session: Session) -> User:
    session.rollback()
    return add_account(session, "national_supervisor")


@pytest.mark.parametrize("own", [0, 1])
def test_a_site_knows_a_person_by_its_own_records(client: FlaskClient, session: Session, own: int) -> None:
    """What another site wrote is in no golden value here, and its reference, the person's own or not, is not told."""
    site = add_site(session)
    staff = log_in(client.application.test_client(), add_account(session, "centre_staff", site))
    records = meet_twice(client, session)
    mine, other = records[own], records[1 - own]
    mine.site_id = site.id
    session.commit()
    page = staff.get(f"/people/{mine.person_id}").text
    assert (mine.reference in page, other.reference in page, "Ndiaay" in page) == (True, False, bool(own))


@pytest.fixture
def steward(client: FlaskClient, session: Session) -> FlaskClient:
    """A data steward, and two people who have nothing to do with each other."""
    log_in(client, add_account(session, "data_steward"))
    prepare(session)
    meet(session, "uuid:1", MODOU, day=2)
    meet(session, "uuid:2", BINTA, day=1)
    session.commit()
    return client


def everything(client: FlaskClient, session: Session, run: Callable[..., Result]) -> dict[str, str]:
    """All that a data steward sees of people, all that is taken out of the server, and its digest."""
    ids = session.scalars(select(Person.id).order_by(Person.id)).all()
    session.commit()
    pages = {f"/people/{one}": client.get(f"/people/{one}").text for one in ids}
    found = {one: client.post("/people/", data={"asked": one}).text for one in (MODOU.nom, reference("uuid:2"))}
    told = {name: run("people", name, "--json").stdout for name in ("list", "known")}
    lists = {address: client.get(address).text for address in ("/people/", "/submissions/", "/")}
    session.expire_all()
    read = pages | found | told | lists | {"digest": registry_digest(session)}
    session.commit()
    return {name: _CHANGING.sub("", body) for name, body in read.items()}


def test_a_wrong_link_that_is_undone_leaves_no_trace(
    steward: FlaskClient, session: Session, run: Callable[..., Result]
) -> None:
    before = everything(steward, session, run)
    begin_write(session)
    decision_id = decide_same(session, reference("uuid:1"), reference("uuid:2"), Word(None, NOW, "essai")).id
    session.commit()
    wrong = everything(steward, session, run)
    assert len(persons(session)) == 1
    assert {name for name in before if before[name] != wrong[name]} >= {"list", "known", "digest", "/people/"}
    session.commit()
    begin_write(session)
    undo_link_decision(session, session.get_one(LinkDecision, decision_id), None, NOW)
    session.commit()
    assert everything(steward, session, run) == before
