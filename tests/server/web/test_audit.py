"""The journal: who may read which of its lines."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from sync.audit import add_audit_event
from tests.accounts import add_account, log_in


@pytest.mark.parametrize(("role", "sees"), [("auditor", True), ("administrator", True), ("data_steward", False)])
def test_some_read_all_and_some_their_own(client: FlaskClient, session: Session, role: str, sees: bool) -> None:
    user = add_account(session, role)
    for actor_id, target in ((user.actor_id, "person:1"), (None, "person:2")):
        add_audit_event(session, actor_id, "person.read", target, datetime.now(UTC))
    session.commit()
    page = log_in(client, user).get("/audit/").text
    assert ("person:1" in page, "person:2" in page) == (True, sees)


def test_the_journal_is_narrowed_to_one_act(client: FlaskClient, session: Session) -> None:
    user = add_account(session, "auditor", language="en")
    add_audit_event(session, user.actor_id, "purpose.stated", "actor:9", datetime.now(UTC), purpose="oversight")
    session.commit()
    page = log_in(client, user).get("/audit/?action=purpose.stated").text
    assert "purpose: Oversee how the programme works" in page
    assert "user:" not in page
