"""`teral revalidate` shows first, and changes only when told to."""

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from sync.models import Submission
from tests.sync.test_revalidation import WRONG, forget, judged, published

__all__ = ["published"]


@pytest.fixture
def forgotten(session: Session) -> Submission:
    row = judged(session, WRONG)
    forget(session, row)
    return row


def test_without_apply_nothing_changes(run: Any, session: Session, forgotten: Submission) -> None:
    said = json.loads(run("revalidate", "--form", "passage", "--json").stdout)
    assert (said["judged"], said["states"], said["applied"]) == (1, {"merged → quarantined": 1}, False)
    assert said["submissions"][0]["added"][0]["code"] == "not_a_choice"
    session.expire_all()
    assert forgotten.state == "merged"


def test_apply_processes_what_changes(run: Any, session: Session, forgotten: Submission) -> None:
    result = run("revalidate", "--form", "passage", "--apply")
    assert "+ error /data/personnes[1]/sexe: not_a_choice" in result.stdout
    session.expire_all()
    assert forgotten.state == "quarantined"
    assert json.loads(run("revalidate", "--form", "passage", "--json").stdout)["changed"] == 0
