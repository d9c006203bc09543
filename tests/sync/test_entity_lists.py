"""Which lists there are and what a view shows; what tablets download of it is in tests/server/openrosa."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from sync.entity_acts import NewEntity, add_entities
from sync.entity_lists import Receiver, find_list_name, read_view, register_list, select_visible
from tests.sync.factory import NOW


@pytest.mark.parametrize(
    ("filename", "name"),
    [("towns.csv", "towns"), ("dossiers.csv", "dossiers"), ("nothing.csv", None), ("towns.geojson", None)],
)
def test_a_file_stands_for_a_list_that_is_declared_or_known(session: Session, filename: str, name: str | None) -> None:
    register_list(session, "towns", ["region"])
    assert find_list_name(session, filename) == name


@pytest.mark.parametrize(("days", "shown"), [(0, ["Kayar"]), (29, ["Kayar"]), (31, [])])
def test_a_view_shows_rows_until_they_are_too_old(session: Session, days: int, shown: list[str]) -> None:
    register_list(session, "evenements", ["date", "site_debarq", "etat"])
    said = {"date": NOW.date().isoformat(), "site_debarq": "KAY", "etat": "ouvert"}
    add_entities(session, "evenements", [NewEntity("Kayar", said)], None, NOW)
    view = read_view(session, "evenements", Receiver("KAY", "centre"), NOW + timedelta(days=days))
    assert [one.label for one in session.scalars(select_visible(view))] == shown


def test_a_view_shows_the_open_rows_of_its_site(session: Session) -> None:
    register_list(session, "dossiers", ["site_id", "etat"])
    told = [("KLK", "arrive"), ("KLK", "clos"), ("ZIG", "arrive"), ("", "arrive")]
    rows = [NewEntity(f"{site} {state}", {"site_id": site, "etat": state}) for site, state in told]
    add_entities(session, "dossiers", rows, None, NOW)
    view = read_view(session, "dossiers", Receiver("KLK", "centre"), NOW)
    assert [one.label for one in session.scalars(select_visible(view))] == ["KLK arrive"]
