"""The pages of relays: enrolled with settings that are shown once, placed, given a new password, shut out."""

import re
from base64 import b64encode
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.config import Settings
from server.qr import draw_qr
from sync.models import AuditEvent, Relay, RelayedSite, Site
from tests.accounts import add_account, add_site, log_in
from tests.conftest import SECRET

PLACE = {"at": "new", "name": "Relais de Rosso", "code": "rel-1", "region": "SN-SL"}


@pytest.fixture
def administrator(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session))


@pytest.fixture
def site(session: Session) -> Site:
    site = add_site(session, "ROSSO")
    session.commit()
    return site


def told(page: str) -> dict[str, str]:
    """The settings as they stand on the page."""
    return dict(re.findall(r"export (TERAL_UPSTREAM_\w+)=(\S+?)(?:\n|</pre>)", unescape(page)))


def gets_in(client: FlaskClient, session: Session, access: dict[str, str]) -> bool:
    """Whether the server gives the relay a token, as it asks for one before all else."""
    session.rollback()
    login = {"email": access["TERAL_UPSTREAM_USER"], "password": access["TERAL_UPSTREAM_PASSWORD"]}
    answer = client.application.test_client().post("/v1/sessions", json=login)
    session.rollback()
    return answer.status_code == 200


def test_a_server_at_a_site_of_ours_is_enrolled_and_gets_in(
    administrator: FlaskClient, session: Session, site: Site
) -> None:
    page = administrator.post("/relays/new", data={"at": site.id}).text
    access = told(page)
    assert access["TERAL_UPSTREAM_USER"] == "rosso@relay.invalid"
    assert gets_in(administrator, session, access)
    text = "\n".join(f"export {name}={value}" for name, value in access.items())
    assert b64encode(draw_qr(text)).decode() in page
    later = administrator.get(f"/relays/{site.id}").text + administrator.get("/relays/").text
    assert "rosso@relay.invalid" in later
    assert access["TERAL_UPSTREAM_PASSWORD"] not in later


def test_a_new_place_becomes_a_site_with_its_region(administrator: FlaskClient, session: Session, site: Site) -> None:
    page = administrator.post("/relays/new", data=PLACE | {"sites": [site.id]}).text
    assert told(page)["TERAL_UPSTREAM_NUMBER"] == "1"
    session.rollback()
    made = session.scalars(select(Site).filter_by(code="REL-1")).one()
    assert (made.name, made.kind, made.region) == ("Relais de Rosso", "relay", "SN-SL")
    assert set(session.scalars(select(RelayedSite.site_id))) == {made.id, site.id}
    # A site has one relay, so this one is not offered any more.
    assert "Relais de Rosso (REL-1)" not in administrator.get("/relays/new").text


@pytest.mark.parametrize("wrong", [{"name": ""}, {"code": "a b"}, {"code": "ROSSO"}, {"region": "Saint-Louis"}])
def test_what_cannot_be_is_told_and_nothing_is_kept(
    administrator: FlaskClient, session: Session, site: Site, wrong: dict[str, Any]
) -> None:
    answer = administrator.post("/relays/new", data=PLACE | wrong)
    assert (answer.status_code, "SN-SL" in answer.text) == (422, True)
    session.rollback()
    assert (session.scalars(select(Relay)).all(), session.scalars(select(Site)).all()) == ([], [site])


def test_a_site_with_a_relay_is_told(administrator: FlaskClient, site: Site) -> None:
    administrator.post("/relays/new", data={"at": site.id})
    answer = administrator.post("/relays/new", data={"at": site.id})
    assert (answer.status_code, "Le site ROSSO a déjà un relais" in answer.text) == (422, True)


def test_it_is_shut_out_and_let_in_again_with_a_new_password(
    administrator: FlaskClient, session: Session, site: Site
) -> None:
    first = told(administrator.post("/relays/new", data={"at": site.id}).text)
    assert administrator.post(f"/relays/{site.id}/revoke").status_code == 302
    assert not gets_in(administrator, session, first)
    for path in ("/relays/", f"/relays/{site.id}", "/"):
        assert "exclu</span>" in administrator.get(path).text
    second = told(administrator.post(f"/relays/{site.id}/password").text)
    assert [gets_in(administrator, session, one) for one in (first, second)] == [False, True]
    assert None not in session.scalars(select(AuditEvent.actor_id).where(AuditEvent.action.startswith("relay.")))


def test_its_sites_are_changed(administrator: FlaskClient, session: Session, site: Site) -> None:
    other = add_site(session, "BAKEL")
    session.commit()
    administrator.post("/relays/new", data={"at": site.id})
    assert administrator.post(f"/relays/{site.id}/sites", data={"sites": [other.id]}).status_code == 302
    session.rollback()
    assert session.scalars(select(RelayedSite.site_id)).all() == [other.id]
    assert "aujourd’hui derrière" in administrator.get("/relays/new").text


def test_a_closed_site_stays_behind_its_relay(administrator: FlaskClient, session: Session, site: Site) -> None:
    """Its tablets may still hold records: who reads those of the relay's own site has no business with them."""
    closed = add_site(session, "BAKEL")
    session.commit()
    administrator.post("/relays/new", data={"at": site.id, "sites": [closed.id]})
    session.rollback()
    closed.closed_at = closed.created_at
    session.commit()
    boxes = re.findall(r'name="sites" value="(\d+)" checked', administrator.get(f"/relays/{site.id}").text)
    assert sorted(map(int, boxes)) == [site.id, closed.id]
    administrator.post(f"/relays/{site.id}/sites", data={"sites": boxes})
    session.rollback()
    assert set(session.scalars(select(RelayedSite.site_id))) == {site.id, closed.id}
    assert f'value="{closed.id}"' not in administrator.get("/relays/new").text


def test_a_site_without_a_relay_has_no_page(administrator: FlaskClient, site: Site) -> None:
    assert administrator.get(f"/relays/{site.id}").status_code == 404


class TestOnLoopback:
    @pytest.fixture
    def settings(self, tmp_path: Path, database: str) -> Settings:
        return Settings(data_dir=str(tmp_path), database_url=database, secret_key=SECRET)

    def test_who_hands_out_an_address_that_leads_nowhere_is_told(self, administrator: FlaskClient, site: Site) -> None:
        tablet = {"name": "R-1", "site": site.id, "language": "fr"}
        pages = [administrator.get(page) for page in ("/relays/new", "/devices/new")]
        pages += [
            administrator.post("/relays/new", data={"at": site.id}),
            administrator.post("/devices/new", data=tablet),
        ]
        for page in pages:
            assert page.status_code == 200
            assert "n'atteint http://127.0.0.1:8383, qui ne mène qu'à cette machine" in unescape(page.text)


def test_who_hands_out_an_address_that_is_known_is_not_warned(administrator: FlaskClient) -> None:
    assert "TERAL_PUBLIC_URL" not in administrator.get("/relays/new").text
