"""Sites as an administrator keeps them; tablets get the list with their next contact."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Catalogue, Site
from tests.accounts import add_account, add_site, log_in


@pytest.fixture
def administrator(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session))


def find(session: Session, code: str) -> Site | None:
    session.rollback()
    return session.scalar(select(Site).where(Site.code == code))


def test_a_site_is_added_with_its_code_in_capitals(administrator: FlaskClient, session: Session) -> None:
    before = session.scalar(select(Catalogue.generation)) or 0
    given = {"code": "diama", "name": "Poste de Diama", "kind": "border_post", "region": "SN-SL"}
    assert administrator.post("/sites/new", data=given).status_code == 302
    site = find(session, "DIAMA")
    assert site is not None
    assert (site.name, site.kind, site.region) == ("Poste de Diama", "border_post", "SN-SL")
    assert (session.scalar(select(Catalogue.generation)) or 0) > before


@pytest.mark.parametrize(
    "given",
    [{"code": "ROSSO"}, {"code": ""}, {"name": ""}, {"kind": "zoo"}, {"capacity": "many"}],
    ids=["taken", "no code", "no name", "unknown kind", "no number"],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    administrator: FlaskClient, session: Session, given: dict[str, str]
) -> None:
    add_site(session, "ROSSO")
    session.commit()
    asked = {"code": "NEUF", "name": "Nouveau poste", "kind": "border_post", **given}
    answer = administrator.post("/sites/new", data=asked)
    assert answer.status_code == 422
    assert asked["name"] in answer.text


def test_a_site_is_changed_and_closed(administrator: FlaskClient, session: Session) -> None:
    site = add_site(session, "ROSSO")
    session.commit()
    given = {"name": "Rosso", "kind": "border_post", "closed": "yes"}
    assert administrator.post(f"/sites/{site.id}", data=given).status_code == 302
    changed = find(session, "ROSSO")
    assert changed is not None
    assert changed.closed_at is not None
    assert "Rosso" in administrator.get("/sites/").text


def test_a_site_that_is_not_there_is_404(administrator: FlaskClient) -> None:
    assert administrator.get("/sites/999").status_code == 404
