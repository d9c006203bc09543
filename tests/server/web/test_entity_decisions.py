"""Conflicts on the page: both values and the base, choosing or typing one with a reason, and the way back."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import AuditEvent, Entity, EntityDecision
from tests.accounts import add_account, log_in
from tests.sync.entities import STAY, add_arrival, add_update, publish_entity_forms
from tests.sync.factory import add_device, add_site
from tests.sync.test_processing import settle

PAGE = f"/entities/dossiers/{STAY}"


@pytest.fixture
def officer(client: FlaskClient, session: Session) -> FlaskClient:
    """A protection officer of the centre where two tablets say different sexes of one person."""
    publish_entity_forms(session)
    site = add_site(session, "KLK", kind="centre", name="Centre de Kolda")
    device = add_device(session, site, "KLK-1")
    add_arrival(session, device=device)
    settle(session)
    add_update(session, "uuid:a", 1, on="A", hour=1, values={"sexe": "2"}, device=device)
    add_update(session, "uuid:b", 1, on="B", hour=2, values={"sexe": "9"}, device=device)
    settle(session)
    return log_in(client, add_account(session, "protection_officer", site))


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found
    return found[1]


def decide(officer: FlaskClient, **given: str) -> tuple[int, str]:
    token = token_of(officer.get(PAGE).text)
    data = {"property": "sexe", "token": token, "reason": "vu sur le passeport", **given}
    answer = officer.post(f"{PAGE}/decisions", data=data)
    return answer.status_code, answer.text


def stands(session: Session) -> tuple[str, int]:
    session.rollback()
    entity = session.scalars(select(Entity)).one()
    return entity.properties["sexe"], entity.open_conflicts


def test_a_conflict_shows_both_values_the_base_and_who_said_them(officer: FlaskClient) -> None:
    page = officer.get(PAGE).text
    words = ("Homme", "Femme", "Sans objet")
    assert [one for one in words if f"<strong>{one}</strong>" not in page] == []
    assert page.count("Centre de Kolda") >= 2
    assert "assistance nº 2" in page


@pytest.mark.parametrize(
    ("given", "value"),
    [({"choice": "=2"}, "2"), ({"choice": "=9"}, "9"), ({"choice": "other", "other": "0"}, "0")],
    ids=["one", "the other", "a typed one"],
)
def test_a_value_is_chosen_or_typed(officer: FlaskClient, session: Session, given: dict[str, str], value: str) -> None:
    assert decide(officer, **given)[0] == 302
    assert stands(session) == (value, 0)


def test_a_decision_is_told_with_its_reason_written_down_and_undone(officer: FlaskClient, session: Session) -> None:
    decide(officer, choice="=2")
    page = officer.get(PAGE).text
    assert "vu sur le passeport" in page
    decision = session.scalars(select(EntityDecision)).one()
    answer = officer.post(f"{PAGE}/decisions/{decision.id}/undo")
    assert answer.status_code == 302
    assert stands(session) == ("9", 1)
    acts = session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("entity.dec%")))
    assert list(acts) == ["entity.decided", "entity.decision_undone"]
    assert officer.post(f"{PAGE}/decisions/{decision.id}/undo").status_code == 422


def test_a_decision_needs_a_reason(officer: FlaskClient, session: Session) -> None:
    status, page = decide(officer, choice="=2", reason=" ")
    assert (status, "Donnez un motif" in page or "motif" in page) == (422, True)
    assert stands(session) == ("9", 1)


def test_nobody_decides_about_values_that_they_did_not_see(officer: FlaskClient, session: Session) -> None:
    assert decide(officer, choice="=2", token="0" * 32)[0] == 422
    assert decide(officer, choice="=2", property="etat")[0] == 422
    assert stands(session) == ("9", 1)


def test_a_choice_that_is_none_is_refused(officer: FlaskClient, session: Session) -> None:
    assert decide(officer, choice="")[0] == 400
    assert decide(officer)[0] == 400
    assert officer.post(f"{PAGE}/decisions/4711/undo").status_code == 404
    assert stands(session) == ("9", 1)


def test_a_held_update_says_what_it_waits_for(officer: FlaskClient, session: Session) -> None:
    add_update(session, "uuid:late", 4, on="C", values={"etat": "clos"})
    settle(session)
    page = officer.get(PAGE).text
    assert "Elle attend une mise à jour antérieure de la même tablette" in page
    assert "Fait hors ligne : changement 4" in page
