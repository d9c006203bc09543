"""Sensitive complaints: nobody at the site may know of them, the national focal point reads them and nothing else."""

from dataclasses import dataclass
from hashlib import sha256

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.browsing import find_submission
from sync.bypassing import can_bypass
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.models import RestrictedSubmission, Submission
from sync.policy import ROLES, SITE_ROLES, Viewer
from sync.publishing import publish_form
from sync.scopes import scope_counts, scope_submissions
from sync.status import read_status
from tests.library_fills import NOW, fill_as_told
from tests.seed import shipped_form
from tests.sync.factory import add_site
from tests.sync.test_processing import settle

COMPLAINT = {"volet": "plainte", "anonyme": "oui"}


@dataclass(frozen=True)
class Heard:
    """The complaints and the help that a centre noted, by what they are."""

    site_id: int
    ids: dict[str, int]


@pytest.fixture
def heard(session: Session) -> Heard:
    """A sensitive complaint, a plain one, and help that was given."""
    publish_form(session, shipped_form("f07_assistance"), {}, None, NOW)
    site_id = add_site(session, "CADKR", kind="centre").id
    ids = {
        "sensitive": receive(session, site_id, 1, sensible="oui"),
        "plain": receive(session, site_id, 2, sensible="non"),
        "help": receive(session, site_id, 3, volet="assistance", anonyme=""),
    }
    settle(session)
    return Heard(site_id, ids)


def receive(session: Session, site_id: int, seed: int, **told: str) -> int:
    answers = {name: value for name, value in {**COMPLAINT, **told}.items() if value}
    filled = fill_as_told("f07_assistance", answers, seed=seed)
    return deliver(session, site_id, filled.instance_id, filled.xml)


def deliver(session: Session, site_id: int, instance_id: str, xml: bytes) -> int:
    version = xml.decode().partition('version="')[2].partition('"')[0]
    record = IncomingRecord("f07_assistance", version, instance_id, None, ())
    upload = Upload(xml, sha256(xml).hexdigest(), (), False)
    return receive_submission(session, record, upload, Sender(site_id=site_id), NOW).submission_id


def seen(session: Session, role: str, heard: Heard) -> set[str]:
    viewer = Viewer(1, role, heard.site_id if role in SITE_ROLES else None)
    found = set(session.scalars(scope_submissions(select(Submission.id), viewer)))
    return {name for name, one in heard.ids.items() if one in found}


@pytest.mark.both_databases
def test_each_role_knows_of_the_complaints_that_are_its_business(session: Session, heard: Heard) -> None:
    known = {role: seen(session, role, heard) for role in ROLES}
    assert {role: found for role, found in known.items() if found} == {
        "protection_officer": {"plain", "help"},
        "focal_point": {"sensitive"},
        "auditor": {"sensitive", "plain", "help"},
        "exchange": {"sensitive", "plain", "help"},
    }


@pytest.mark.parametrize("role", sorted(SITE_ROLES))
def test_a_sensitive_complaint_is_in_no_count_of_its_site(session: Session, heard: Heard, role: str) -> None:
    viewer = Viewer(1, role, heard.site_id)
    assert heard.ids["sensitive"] not in set(session.scalars(scope_counts(select(Submission.id), viewer)))
    assert find_submission(session, viewer, heard.ids["sensitive"]) is None
    counted = sum(read_status(session, viewer, NOW).counts.values())
    session.delete(session.get_one(RestrictedSubmission, heard.ids["sensitive"]))
    session.flush()
    assert sum(read_status(session, viewer, NOW).counts.values()) >= counted


def test_a_record_is_kept_from_its_site_until_it_was_read(session: Session, heard: Heard) -> None:
    fresh = receive(session, heard.site_id, 4, sensible="non")
    officer = Viewer(1, "protection_officer", heard.site_id)
    assert find_submission(session, officer, fresh) is None
    settle(session)
    assert find_submission(session, officer, fresh) is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"<sensible>non<", b"<sensible><", id="nobody said"),
        pytest.param(b"<sensible>non<", b"<sensible>peut_etre<", id="another answer"),
        pytest.param(b'id="f07_assistance" version="', b'id="f07_assistance" version="9', id="a version unknown here"),
    ],
)
def test_what_does_not_say_a_plain_no_stays_with_the_focal_point(
    session: Session, heard: Heard, old: bytes, new: bytes
) -> None:
    filled = fill_as_told("f07_assistance", {**COMPLAINT, "sensible": "non"}, seed=5)
    assert old in filled.xml
    odd = deliver(session, heard.site_id, filled.instance_id, filled.xml.replace(old, new, 1))
    settle(session)
    assert session.get(RestrictedSubmission, odd) is not None


def test_what_is_judged_again_stays_where_it_was(session: Session, heard: Heard) -> None:
    row = session.get_one(Submission, heard.ids["sensitive"])
    row.processed_at = None
    settle(session)
    assert session.get(RestrictedSubmission, heard.ids["sensitive"]) is not None


def test_other_forms_have_no_such_question() -> None:
    assert [can_bypass(one) for one in ("f07_assistance", "f04_arrivee", "passage")] == [True, False, False]
