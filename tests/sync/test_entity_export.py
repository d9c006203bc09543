"""A list as a table: ODK Central's columns, every row once, values as the reader may see them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from sync import entity_export
from sync.entity_acts import NewEntity, add_entities
from sync.entity_browsing import EntityFilters
from sync.entity_export import export_head, export_lines
from sync.models import Actor
from sync.policy import Viewer
from tests.sync.entities import STAY, add_arrival, add_update, publish_entity_forms
from tests.sync.factory import NOW, add_device, add_site
from tests.sync.test_entity_browsing import add_stay
from tests.sync.test_processing import settle

PROPERTIES = ("sexe", "urgence")


def export(session: Session, viewer: Viewer | None = None, **filters: str) -> list[dict[str, object]]:
    lines = export_lines(session, viewer, "dossiers", PROPERTIES, EntityFilters(**filters))
    return [dict(zip(export_head(PROPERTIES), line, strict=True)) for line in lines]


@pytest.fixture
def updated(session: Session) -> Session:
    """A stay that one tablet made and changed."""
    publish_entity_forms(session)
    tablet = add_device(session, add_site(session, "KLK", kind="centre"), "KLK-1")
    add_arrival(session, device=tablet)
    settle(session)
    add_update(session, "uuid:a", 1, values={"sexe": "2"}, device=tablet)
    settle(session)
    return session


@pytest.mark.both_databases
def test_columns_are_those_of_central(updated: Session) -> None:
    [row] = export(updated)
    assert list(row) == [
        "__id", "label", "sexe", "urgence",
        "__createdAt", "__creatorId", "__creatorName", "__updates", "__updatedAt", "__version",
    ]  # fmt: skip
    assert (row["__id"], row["label"], row["sexe"], row["urgence"]) == (STAY, "Dossier 1", "2", "0")
    assert (row["__creatorName"], row["__updates"], row["__version"]) == ("KLK-1", 1, 2)
    for name in ("__createdAt", "__updatedAt"):
        moment = str(row[name])
        assert moment.endswith("Z")
        assert abs((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()) < 3600


def test_who_made_a_row_without_a_form_is_named(session: Session) -> None:
    publish_entity_forms(session)
    session.add(Actor(id=7, kind="user", display_name="Awa", created_at=NOW))
    session.flush()
    add_entities(session, "dossiers", [NewEntity("Lit 3", {"sexe": "1"})], 7, NOW)
    [row] = export(session)
    assert (row["__creatorId"], row["__creatorName"], row["__updates"], row["__updatedAt"]) == (7, "Awa", 0, "")
    assert row["__createdAt"] == "2026-03-02T09:30:00.000Z"


@pytest.mark.both_databases
def test_batches_join_without_loss_or_repetition(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entity_export, "_AT_ONCE", 2)
    for number in range(5):
        add_stay(session, number, f"Lit {5 - number}", is_open=number != 3)
    add_stay(session, 9, "parti", exists=False, is_open=False)
    assert [row["label"] for row in export(session)] == ["Lit 5", "Lit 4", "Lit 3", "Lit 2", "Lit 1"]
    assert [row["label"] for row in export(session, state="closed")] == ["Lit 2"]


def test_the_table_of_roles_holds_for_every_cell(updated: Session) -> None:
    [row] = export(updated, Viewer(1, "auditor"))
    assert (row["label"], row["sexe"], row["urgence"], row["__creatorName"]) == ("•••", "2", "", "KLK-1")
    [row] = export(updated, Viewer(1, "data_steward"))
    assert (row["label"], row["__creatorId"], row["__creatorName"]) == ("Dossier 1", "", "")
    assert export(updated, Viewer(1, "administrator")) == []
