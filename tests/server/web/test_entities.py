"""Follow-up lists as people see them: what is shown to whom, and what is written down of it."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import AuditEvent, Entity
from tests.accounts import add_account, add_site, log_in
from tests.seed import CANARIES, Seeded, seed
from tests.sync.entities import add_event, publish_entity_forms
from tests.sync.test_entity_browsing import add_stay
from tests.sync.test_processing import settle


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


def enter(client: FlaskClient, session: Session, seeded: Seeded, role: str = "centre_staff") -> FlaskClient:
    return log_in(client, add_account(session, role, seeded.site))


def acts(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("entit%"))))


def test_lists_are_counted_and_lead_to_their_rows(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    page = enter(client, session, seeded).get("/entities/").text
    assert 'href="/entities/dossiers/"' in page
    assert 'href="/entities/dossiers/?state=open">1<' in page


def test_an_entity_is_shown_by_its_questions_and_choices(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    page = enter(client, session, seeded).get(f"/entities/dossiers/{seeded.entity.uuid}").text
    assert "<dt>Sexe</dt><dd>Femme</dd>" in page
    assert CANARIES["D3"] in page


def test_looking_is_written_down(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    browser = enter(client, session, seeded)
    browser.get("/entities/dossiers/")
    browser.get(f"/entities/dossiers/{seeded.entity.uuid}")
    assert acts(session) == ["entities.listed", "entity.read"]


def test_a_search_finds_by_the_label_and_stays_out_of_the_address(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    browser = enter(client, session, seeded)
    found = browser.post("/entities/dossiers/", data={"asked": CANARIES["D3"][:5].lower()}).text
    assert seeded.entity.uuid in found
    assert seeded.entity.uuid not in browser.post("/entities/dossiers/", data={"asked": "personne"}).text


def test_words_in_an_address_search_nothing(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    browser = enter(client, session, seeded, "national_supervisor")
    assert "row-link" in browser.get("/entities/evenements/?asked=nobody").text
    assert browser.get("/entities/evenements/export.csv?asked=nobody").text.count("\n") == 2


def test_pages_of_a_search_are_asked_for_by_form(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    for number in range(100, 152):
        add_stay(session, number, f"Lit {number}", site_code="DKR-C")
    session.commit()
    browser = enter(client, session, seeded)
    first = browser.post("/entities/dossiers/", data={"asked": "lit"}).text
    assert first.count("row-link") == 50
    assert "asked=" not in first
    last = session.scalars(select(Entity).where(Entity.label == "Lit 149")).one()
    assert browser.post("/entities/dossiers/", data={"asked": "lit", "after": last.id}).text.count("row-link") == 2


def test_a_list_or_row_that_is_not_there_is_not_found(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    browser = enter(client, session, seeded)
    for path in ("/entities/nulle_part/", "/entities/dossiers/nothing", f"/entities/evenements/{seeded.entity.uuid}"):
        assert browser.get(path).status_code == 404


def test_masked_readers_get_what_a_mask_leaves(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    page = enter(client, session, seeded, "site_supervisor").get("/entities/dossiers/").text
    assert "Femme" in page
    assert CANARIES["D3"] not in page
    assert seeded.entity.uuid[:8] in page


def test_a_border_post_has_no_list_of_stays(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    browser = log_in(client, add_account(session, "site_supervisor", add_site(session, "ROSSO")))
    assert "/entities/dossiers/" not in browser.get("/entities/").text
    assert browser.get("/entities/dossiers/").status_code == 404


def test_a_list_leaves_the_server_with_those_who_may_take_it(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    browser = enter(client, session, seeded, "national_supervisor")
    assert browser.get("/entities/dossiers/export.csv").status_code == 403
    add_event(session, 1, "DKR-C", "2026-03-02")
    publish_entity_forms(session)
    settle(session)
    answer = browser.get("/entities/evenements/export.csv?state=open")
    assert answer.mimetype == "text/csv"
    assert "\ufeff__id,label,site_debarq,date,__createdAt" in answer.text
    assert acts(session) == ["entities.exported"]
