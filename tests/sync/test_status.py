"""How far every tablet, site and record has come, as its reader may know."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Site, Submission, SubmissionFinding
from sync.policy import Viewer
from sync.publishing import publish_form
from sync.status import Status, read_status
from tests.sync.factory import NOW, add_device, add_site, add_submission, form_file


def arrive(session: Session, number: int, site: str = "ROS", state: str = "merged", **facts: object) -> Submission:
    device = facts.pop("device", None) or session.info["devices"][site]
    given = {name: facts.pop(name) for name in ("reason", "waits_for", "error_count", "ended_at") if name in facts}
    row = add_submission(session, f"uuid:{number}", device=device, **facts)
    row.state = state
    for name, value in given.items():
        setattr(row, name, value)
    session.flush()
    return row


@pytest.fixture(autouse=True)
def sites(session: Session) -> None:
    devices = {code: add_device(session, add_site(session, code, name=code), f"{code}-1") for code in ("ROS", "DIA")}
    session.info["devices"] = devices


def read(session: Session, viewer: Viewer | None = None) -> Status:
    return read_status(session, viewer, NOW)


@pytest.mark.both_databases
def test_counts_by_state_site_and_tablet(session: Session) -> None:
    for number, (site, state) in enumerate([("ROS", "merged"), ("ROS", "quarantined"), ("DIA", "merged")]):
        arrive(session, number, site, state)
    status = read(session)
    assert {state: count for state, count in status.counts.items() if count} == {"merged": 2, "quarantined": 1}
    assert {one.site.code: one.counts["merged"] for one in status.sites} == {"ROS": 1, "DIA": 1}
    assert status.device_counts[session.info["devices"]["ROS"].id]["quarantined"] == 1


def test_tests_of_drafts_are_not_counted(session: Session) -> None:
    arrive(session, 1, is_draft=True)
    assert sum(read(session).counts.values()) == 0


def test_oldest_pending_tells_since_when(session: Session) -> None:
    arrive(session, 1, state="received", received_at=NOW - timedelta(minutes=5))
    arrive(session, 2, "DIA", state="received", received_at=NOW - timedelta(minutes=2))
    status = read(session)
    assert (status.pending, status.oldest_pending_s) == (2, 300)


@pytest.mark.both_databases
def test_what_waits_is_told_by_reason_over_all_sites(session: Session) -> None:
    arrive(session, 1, "ROS", "quarantined", reason="twin")
    arrive(session, 2, "DIA", "quarantined", reason="twin")
    arrive(session, 3, "DIA", "held", waits_for="uuid:9")
    status = read(session)
    assert [(one.state, one.reason, one.count) for one in status.waiting] == [
        ("held", None, 1),
        ("quarantined", "twin", 2),
    ]
    assert [(one.waits_for, one.count) for one in status.held] == [("uuid:9", 1)]


def test_what_the_validator_objects_to_is_told_by_the_first_error(session: Session) -> None:
    row = arrive(session, 1, state="quarantined", error_count=2)
    for kind, grade in (("unknown", "warning"), ("choice", "error"), ("type", "error")):
        row.findings.append(SubmissionFinding(path="/data/a", kind=kind, grade=grade, code="x", params={}, message={}))
    session.flush()
    assert read(session).finding_kinds == {"choice": 1}


def test_lag_is_told_by_site_and_tablet(session: Session) -> None:
    for number, hours in enumerate((1, 2, 3)):
        arrive(session, number, ended_at=NOW - timedelta(hours=hours))
    arrive(session, 4, "DIA", ended_at=NOW + timedelta(hours=9))
    status = read(session)
    lag = next(one.lag for one in status.sites if one.site.code == "ROS")
    assert lag is not None
    assert (lag.median_s, lag.p90_s) == (7200, pytest.approx(10080))
    assert set(status.device_lags) == {session.info["devices"]["ROS"].id}


def test_tablet_that_still_fills_an_older_version_is_named(session: Session) -> None:
    for version in ("1", "2"):
        publish_form(session, form_file(version), {}, None, NOW)
    arrive(session, 1, "ROS", received_at=NOW - timedelta(hours=2))
    arrive(session, 2, "DIA", received_at=NOW - timedelta(hours=2))
    arrive(session, 3, "DIA", version="2")
    assert [(one.device_id, one.version, one.newest) for one in read(session).drift] == [
        (session.info["devices"]["ROS"].id, "1", "2")
    ]


def test_site_supervisor_sees_one_site(session: Session) -> None:
    arrive(session, 1, "ROS", form_id="f02_passage")
    arrive(session, 2, "DIA", form_id="f02_passage")
    viewer = Viewer(1, "site_supervisor", session.info["devices"]["ROS"].site_id)
    status = read(session, viewer)
    assert ([one.site.code for one in status.sites], status.counts["merged"]) == (["ROS"], 1)
    assert [one.name for one in status.devices] == ["ROS-1"]


def test_who_knows_of_no_record_is_told_no_small_count(session: Session) -> None:
    """Nor one that would tell it: of two sites' counts neither, since their total is there."""
    for number in range(12):
        arrive(session, number, "ROS" if number < 3 else "DIA")
    arrive(session, 20, "DIA", "held", waits_for="uuid:9")
    for number in range(30, 38):
        arrive(session, number, "DIA", "quarantined", reason="twin" if number < 32 else "stale_edit")
    status = read(session, Viewer(1, "administrator"))
    assert [status.counts[one] for one in ("merged", "held", "quarantined", "rejected")] == [12, None, None, 0]
    assert {(one.site.code, one.counts["merged"], one.waiting) for one in status.sites} == {
        ("ROS", None, 0),
        ("DIA", None, None),
    }
    assert {one.reason: one.count for one in status.waiting} == {None: None, "twin": None, "stale_edit": None}
    assert (status.held, status.device_counts) == ([], {})


def test_what_is_left_of_a_total_tells_of_no_closed_site(session: Session) -> None:
    session.info["devices"]["KID"] = add_device(session, add_site(session, "KID", name="KID"), "KID-1")
    for number in range(16):
        arrive(session, number, "ROS" if number < 3 else "DIA" if number < 9 else "KID")
    session.scalars(select(Site).where(Site.code == "ROS")).one().closed_at = NOW
    status = read(session, Viewer(1, "administrator"))
    assert {one.site.code: one.counts["merged"] for one in status.sites} == {"DIA": None, "KID": 7}
