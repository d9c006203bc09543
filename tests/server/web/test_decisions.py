"""What a supervisor decides about a record, and what cannot be decided."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import AuditEvent, Decision, Submission
from tests.accounts import add_account, log_in
from tests.seed import CANARIES, Seeded, seed


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


@pytest.fixture
def officer(client: FlaskClient, session: Session, seeded: Seeded) -> FlaskClient:
    return log_in(client, add_account(session, "protection_officer", seeded.site))


def decide(client: FlaskClient, seeded: Seeded, kind: str, reason: str = ""):  # type: ignore[no-untyped-def]
    data = {"kind": kind, "reason": reason}
    return client.post(f"/submissions/{seeded.submission.id}/decisions?state=quarantined", data=data)


def decisions(session: Session) -> list[tuple[str, str]]:
    session.rollback()
    return [(one.kind, one.reason) for one in session.scalars(select(Decision).order_by(Decision.id))]


@pytest.mark.parametrize("kind", ["accept", "reject", "replay"])
def test_a_decision_is_noted_and_the_record_judged_anew(
    officer: FlaskClient, session: Session, seeded: Seeded, kind: str
) -> None:
    answer = decide(officer, seeded, kind, "Vu avec le poste")
    assert answer.location == f"/submissions/{seeded.submission.id}?state=quarantined"
    assert decisions(session) == [(kind, "Vu avec le poste")]
    assert session.get_one(Submission, seeded.submission.id).processed_at is None


@pytest.mark.parametrize("kind", ["accept", "reject"])
def test_a_decision_without_a_reason_is_told_and_changes_nothing(
    officer: FlaskClient, session: Session, seeded: Seeded, kind: str
) -> None:
    assert decide(officer, seeded, kind, " ").status_code == 422
    assert decisions(session) == []


def test_a_refusal_that_shows_the_answers_is_in_the_journal(
    officer: FlaskClient, session: Session, seeded: Seeded
) -> None:
    assert CANARIES["D3"] in decide(officer, seeded, "accept", " ").text
    session.rollback()
    read = session.scalars(select(AuditEvent.target).where(AuditEvent.action == "submission.read")).all()
    assert read == [f"submission:{seeded.submission.id}"]


def test_an_act_that_nobody_knows_is_400(officer: FlaskClient, seeded: Seeded) -> None:
    assert decide(officer, seeded, "burn", "Vu avec le poste").status_code == 400


def test_who_only_reads_decides_nothing(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "auditor"))
    assert decide(client, seeded, "accept", "Vu avec le poste").status_code == 403
    assert decisions(session) == []
