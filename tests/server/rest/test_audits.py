"""The journal through the door of programs."""

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.server.rest.program import log_in_program, problem


def test_the_journal_is_told_filtered_and_cut(client: FlaskClient, session: Session) -> None:
    auditor = log_in_program(client, session, "auditor")
    (added,) = auditor.json("audits?action=user.added")
    assert (added["action"], added["loggedAt"][-1]) == ("user.added", "Z")
    assert auditor.json("audits?limit=0") == []
    assert auditor.json("audits?start=2999-01-01T00:00:00Z") == []
    assert len(auditor.json("audits?end=2999-01-01T00:00:00Z")) == 1
    for moment in ("yesterday", "0001-01-01T00:00:00%2B14:00"):
        assert problem(auditor.get(f"audits?start={moment}")) == (400, 400.8)
