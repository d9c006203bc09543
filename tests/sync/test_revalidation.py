"""Judging again says what would change, and changes nothing by itself."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.processing import process_pending
from sync.attachments import add_blob
from sync.models import PersonRecord, Submission, SubmissionFinding
from sync.publishing import publish_form
from sync.quarantine import accept
from sync.revalidation import Change, Mark, compare, list_judged, release_changed
from tests.sync.factory import NOW, add_submission, form_file

AWA = {"prenoms": "Awa", "nom": "Ndiaye", "sexe": "2", "age": "31"}
WRONG = AWA | {"sexe": "9"}
CHOICE = Mark("/data/personnes[1]/sexe", "choice", "error", "not_a_choice")


@pytest.fixture(autouse=True)
def published(session: Session) -> None:
    villages = attachment_store().save(b"name,label\nros,Rosso\n")
    add_blob(session.connection(), villages, NOW)
    publish_form(session, form_file(), {"villages.csv": villages.sha256}, None, NOW)


def judged(session: Session, person: dict[str, str]) -> Submission:
    row = add_submission(session, "uuid:1", [person])
    settle(session)
    return row


def settle(session: Session) -> None:
    session.commit()
    process_pending()
    session.expire_all()


def forget(session: Session, row: Submission) -> None:
    """As an older engine left it: the finding was not made."""
    row.findings.clear()
    row.error_count, row.state = 0, "merged"
    session.commit()


def changes(session: Session, version: str | None = None) -> list[Change]:
    ids = list_judged(session, "passage", version)
    return compare(session, attachment_store(), ids, {}, NOW)


def test_what_is_judged_as_before_is_no_change(session: Session) -> None:
    judged(session, WRONG)
    assert changes(session) == []


def test_a_finding_that_the_engine_makes_now_is_shown(session: Session) -> None:
    row = judged(session, WRONG)
    forget(session, row)
    assert changes(session) == [Change(row.id, "uuid:1", "merged", "quarantined", [CHOICE], [])]
    session.expire_all()
    assert (row.state, row.findings) == ("merged", [])


def test_a_finding_that_the_engine_makes_no_longer_is_shown(session: Session) -> None:
    row = judged(session, AWA)
    finding = {"path": CHOICE.path, "kind": "choice", "grade": "error", "code": CHOICE.code}
    row.findings.append(SubmissionFinding(**finding, params={}, message={}))
    row.error_count, row.state = 1, "quarantined"
    session.commit()
    assert changes(session) == [Change(row.id, "uuid:1", "quarantined", "merged", [], [CHOICE])]


def test_what_a_person_accepted_stays_accepted(session: Session) -> None:
    row = judged(session, WRONG)
    accept(session, row, None, "Vu sur papier", NOW)
    settle(session)
    forget(session, row)
    [change] = changes(session)
    assert (change.before, change.after, change.added) == ("merged", "merged", [CHOICE])


def test_only_the_version_asked_for_is_judged(session: Session) -> None:
    forget(session, judged(session, WRONG))
    assert (len(changes(session, "1")), changes(session, "2")) == (1, [])


def test_released_records_are_judged_and_folded_anew(session: Session) -> None:
    row = judged(session, WRONG)
    forget(session, row)
    assert release_changed(session, [row.id], None, NOW) == 1
    assert release_changed(session, [row.id], None, NOW) == 0
    settle(session)
    assert (row.state, session.scalars(select(PersonRecord)).all()) == ("quarantined", [])
