"""Which rows a reader may know of, by role, site and class."""

from typing import Any

import pytest
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from sync.models import Alert, Device, PersonRecord, Site, Submission
from sync.policy import Viewer
from sync.scopes import scope_alerts, scope_counts, scope_devices, scope_people, scope_sites, scope_submissions, site_of
from tests.sync.factory import NOW, add_device, add_site, add_submission

FORMS = ("f02_passage", "f04_arrivee", "unheard")  # classes D2, D3 and, since nobody said, D3


@pytest.fixture
def sites(session: Session) -> list[int]:
    """Two sites, each with a tablet, an alert about it, and a record of each form that tells of a person."""
    ids = []
    for code in ("ROS", "DIA"):
        site = add_site(session, code)
        device = add_device(session, site, f"{code}-1")
        session.add(Alert(kind="second_device_id", raised_at=NOW, device_id=device.id, site_id=site.id, params={}))
        for form_id in FORMS:
            row = add_submission(session, f"uuid:{code}-{form_id}", device=device, form_id=form_id)
            session.add(_person(row))
        ids.append(site.id)
    session.flush()
    return ids


def _person(row: Submission) -> PersonRecord:
    from sync.models import Person

    home = Person(reference=f"R-{row.id}")
    return PersonRecord(
        person=home, home=home, submission=row, path="/data", reference=home.reference, ended_at=NOW,
        site_id=row.site_id,
    )  # fmt: skip


def count(session: Session, found: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


@pytest.mark.parametrize(
    ("role", "tied", "seen"),
    [
        # submissions, people, tablets, sites
        ("national_supervisor", False, (6, 0, 2, 2)),  # people only for a purpose
        ("auditor", False, (6, 6, 2, 2)),
        ("data_steward", False, (6, 6, 0, 2)),
        ("site_supervisor", True, (3, 3, 1, 1)),
        ("protection_officer", True, (3, 3, 0, 1)),
        ("centre_staff", True, (3, 3, 0, 1)),
        ("centre_staff", False, (0, 0, 0, 0)),  # tied to a site, but to none
        ("administrator", False, (0, 0, 2, 2)),
        ("form_designer", False, (0, 0, 0, 2)),
        ("visitor", False, (0, 0, 0, 2)),
    ],
)
def test_rows_are_those_of_the_role_and_its_site(
    session: Session, sites: list[int], role: str, tied: bool, seen: tuple[int, ...]
) -> None:
    viewer = Viewer(1, role, sites[0] if tied else None)
    scoped: list[Select[Any]] = [
        scope_submissions(select(Submission.id), viewer),
        scope_people(select(PersonRecord.id), viewer),
        scope_devices(select(Device.id), viewer),
        scope_sites(select(Site.id), viewer),
    ]
    assert tuple(count(session, one) for one in scoped) == seen
    assert count(session, scope_alerts(select(Alert.id), viewer)) == seen[2]


def test_a_purpose_opens_people(session: Session, sites: list[int]) -> None:
    viewer = Viewer(1, "national_supervisor", None, "oversight")
    assert count(session, scope_people(select(PersonRecord.id), viewer)) == 6


def test_what_may_be_counted_may_be_more_than_what_is_listed(session: Session, sites: list[int]) -> None:
    viewer = Viewer(1, "site_supervisor", sites[0])
    listed = count(session, scope_submissions(select(Submission.id), viewer))
    assert count(session, scope_counts(select(Submission.id), viewer)) >= listed


@pytest.mark.parametrize(
    ("viewer", "bound"),
    [(Viewer(1, "auditor"), None), (Viewer(1, "centre_staff", 7), 7), (Viewer(1, "centre_staff"), -1)],
)
def test_a_reader_is_bound_to_their_site(viewer: Viewer, bound: int | None) -> None:
    assert site_of(viewer) == bound
