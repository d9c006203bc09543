"""Sites keep codes that forms can hold, once, and tell every process when they change."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.catalogue import read_generation
from sync.models import AuditEvent
from sync.sites import SiteDetails, SiteRefused, add_site, change_site, find_site
from tests.sync.factory import NOW

ROSSO = SiteDetails("Rosso", "border_post", region="SN-SL")


@pytest.mark.both_databases
def test_an_added_site_changes_the_catalogue_and_the_journal(session: Session) -> None:
    before = read_generation(session)
    add_site(session, "rosso-01", ROSSO, None, NOW)
    assert find_site(session, "rosso-01") is not None
    assert read_generation(session) > before
    assert session.scalars(select(AuditEvent.action)).one() == "site.added"


@pytest.mark.parametrize("code", ["", "ROS SO", "Médina", "-ROS", "R" * 33, "ROS\n"], ids=repr)
def test_a_code_that_forms_cannot_hold_is_refused(session: Session, code: str) -> None:
    with pytest.raises(SiteRefused) as refused:
        add_site(session, code, ROSSO, None, NOW)
    assert refused.value.code == "site_code"


@pytest.mark.both_databases
def test_a_code_that_differs_in_case_alone_is_taken(session: Session) -> None:
    add_site(session, "ROS", ROSSO, None, NOW)
    with pytest.raises(SiteRefused) as refused:
        add_site(session, "ros", ROSSO, None, NOW)
    assert refused.value.code == "site_code_taken"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": " "}, "site_name"),
        ({"name": "R" * 256}, "site_long"),
        ({"kind": "market"}, "site_kind"),
        ({"region": "Louga"}, "site_region"),
        ({"capacity": "forty"}, "site_capacity"),
        ({"capacity": "9" * 5000}, "site_capacity"),
        ({"phone": "7" * 33}, "site_long"),
    ],
    ids=["no name", "long name", "kind", "region", "capacity", "huge capacity", "long telephone"],
)
def test_what_a_site_cannot_be_is_refused(session: Session, given: dict[str, str], code: str) -> None:
    with pytest.raises(SiteRefused) as refused:
        add_site(session, "ROS", SiteDetails(**{"name": "Rosso", "kind": "border_post", **given}), None, NOW)
    assert refused.value.code == code


def test_a_closed_site_keeps_its_first_closing_and_may_open_again(session: Session) -> None:
    site = add_site(session, "ROS", ROSSO, None, NOW)
    change_site(session, site, ROSSO, True, None, NOW)
    assert site.closed_at == NOW
    change_site(session, site, ROSSO, False, None, NOW)
    assert site.closed_at is None
