"""Entities as programs read them."""

import pytest
from sqlalchemy.orm import Session

from sync.entity_acts import NewEntity, add_entities, add_entity_list, add_property, change_entity, delete_entity
from sync.entity_records import (
    EntityPage,
    count_entities,
    describe_list,
    list_readable_properties,
    name_entity_columns,
    read_entities,
)
from sync.models import Actor
from sync.policy import Viewer
from sync.record_filters import compile_filter
from tests.sync.factory import NOW

VIEWER = Viewer(1, "exchange")


@pytest.fixture
def towns(session: Session) -> Session:
    """A list of three towns that one person made; the first has moved, the last is deleted."""
    actor = Actor(kind="user", display_name="awa", created_at=NOW)
    session.add(actor)
    session.flush()
    add_entity_list(session, "towns", actor.id, NOW)
    add_property(session, "towns", "region", actor.id, NOW)
    new = [NewEntity(name, {"region": "SL"}) for name in ("Dagana", "Podor", "Matam")]
    ids = add_entities(session, "towns", new, actor.id, NOW)
    change_entity(session, "towns", ids[0], None, {"region": "XX"}, 1, actor.id, NOW)
    delete_entity(session, "towns", ids[2], actor.id, NOW)
    session.flush()
    return session


@pytest.mark.both_databases
def test_an_entity_tells_who_made_it_and_how_often_it_changed(towns: Session) -> None:
    properties = list_readable_properties(towns, VIEWER, "towns", export=True)
    (page,) = read_entities(towns, VIEWER, "towns", properties, EntityPage())
    assert [(one.label, one.version, one.values, one.creator_name) for one in page] == [
        ("Podor", 1, {"region": "SL"}, "awa"),
        ("Dagana", 2, {"region": "XX"}, "awa"),
    ]
    assert [one.updated_at is not None for one in page] == [False, True]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("region eq 'SL'", 1),
        ("label eq 'Dagana' or region eq null", 1),
        ("__system/conflict eq null", 2),
        ("__system/updatedAt ne null", 1),
        ("__system/createdAt le now()", 2),
        ("__system/creatorId gt 0", 2),
        ("__system/deletedAt eq null", 2),
    ],
)
def test_filters_reach_metadata_and_properties(towns: Session, text: str, count: int) -> None:
    names = name_entity_columns(VIEWER, "towns", ["region"])
    page = EntityPage(condition=compile_filter(text, names, "", NOW))
    assert count_entities(towns, VIEWER, "towns", page) == count


def test_deleted_ones_are_listed_apart(towns: Session) -> None:
    (page,) = read_entities(towns, VIEWER, "towns", [], EntityPage(deleted=True))
    assert [one.label for one in page] == ["Matam"]


def test_a_list_tells_since_when_it_is_there_and_what_it_holds(towns: Session) -> None:
    facts = describe_list(towns, "towns")
    assert (facts.name, facts.properties) == ("towns", {"region": []})
    assert facts.created_at is not None
