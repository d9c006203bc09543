"""Taking a row out of its list on its page, and bringing it back: who may, what tablets get, what is written down."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import AuditEvent
from tests.accounts import add_account, log_in
from tests.seed import Seeded, seed


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


def enter(client: FlaskClient, session: Session, seeded: Seeded, role: str) -> tuple[FlaskClient, str]:
    page = f"/entities/{seeded.entity.list_name}/{seeded.entity.uuid}"
    return log_in(client, add_account(session, role, seeded.site)), page


def test_a_row_is_deleted_and_restored_on_its_page(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    officer, page = enter(client, session, seeded, "protection_officer")
    assert "Supprimer cette ligne" in officer.get(page).text
    deleted = officer.post(f"{page}/delete", follow_redirects=True).text
    assert "Rétablir cette ligne" in deleted
    assert "Supprimer cette ligne" not in deleted
    assert seeded.entity.uuid not in officer.get("/entities/dossiers/").text
    restored = officer.post(f"{page}/restore", follow_redirects=True).text
    assert "Supprimer cette ligne" in restored
    assert seeded.entity.uuid in officer.get("/entities/dossiers/").text


def test_both_acts_are_written_down(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    officer, page = enter(client, session, seeded, "protection_officer")
    officer.post(f"{page}/delete")
    officer.post(f"{page}/restore")
    session.rollback()
    acts = session.scalars(
        select(AuditEvent.action).where(AuditEvent.action.in_(["entity.deleted", "entity.restored"]))
    )
    assert list(acts) == ["entity.deleted", "entity.restored"]


def test_what_is_done_already_is_told(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    officer, page = enter(client, session, seeded, "protection_officer")
    refused = officer.post(f"{page}/restore")
    assert (refused.status_code, "est pas supprimée" in refused.text) == (422, True)
    officer.post(f"{page}/delete")
    assert officer.post(f"{page}/delete").status_code == 422


def test_who_may_not_change_stays_may_delete_none(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    supervisor, page = enter(client, session, seeded, "site_supervisor")
    assert "Supprimer cette ligne" not in supervisor.get(page).text
    assert supervisor.post(f"{page}/delete").status_code == 403
