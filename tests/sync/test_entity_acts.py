"""What people do without a form is a fact like any other: late tablets undo none of it, and it loses none of theirs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.entity_acts import (
    EntityActRefused,
    NewEntity,
    add_entities,
    add_entity_list,
    add_property,
    change_entity,
    delete_entity,
    restore_entity,
)
from sync.entity_lists import Receiver, list_gone, read_view, render_entity_csv
from sync.models import Entity, EntityAct, IssuedVersion
from tests.sync.entities import STAY, add_arrival, add_update, publish_entity_forms
from tests.sync.factory import NOW
from tests.sync.test_processing import settle

ROW = {"sexe": "1", "urgence": "0", "site_id": "KLK", "etat": "arrive"}


@pytest.fixture
def published(session: Session) -> Session:
    publish_entity_forms(session)
    return session


def the_entity(session: Session) -> Entity:
    session.expire_all()
    return session.scalars(select(Entity)).one()


def create(session: Session, label: str = "Dossier 1", uuid: str = STAY) -> None:
    add_entities(session, "dossiers", [NewEntity(label, ROW, uuid)], None, NOW)
    session.commit()


def change(session: Session, base: int | None, hours: int = 1, **values: str) -> None:
    change_entity(session, "dossiers", STAY, None, values, base, None, NOW + timedelta(hours=hours))
    session.commit()


def delete(session: Session) -> None:
    delete_entity(session, "dossiers", STAY, None, NOW + timedelta(hours=2))
    session.commit()


def restore(session: Session) -> None:
    restore_entity(session, "dossiers", STAY, None, NOW + timedelta(hours=3))
    session.commit()


def served(session: Session) -> str:
    view = read_view(session, "dossiers", Receiver("KLK", "centre"), NOW)
    return render_entity_csv(session, view).decode()


@pytest.mark.both_databases
def test_what_the_api_makes_tablets_get_and_may_update(published: Session) -> None:
    create(published)
    assert f"{STAY},Dossier 1,1,1,0,KLK,arrive" in served(published)
    add_update(published, "uuid:u", 1, on="A", values={"urgence": "2"})
    settle(published)
    entity = the_entity(published)
    assert (entity.properties["urgence"], entity.version) == ("2", 2)


@pytest.mark.both_databases
def test_what_is_made_is_kept_to_the_letter(published: Session) -> None:
    label, values = 'Né à "Thiès" \\ \'ñ\'\n\t€ 🛶 {"a": [null]}', {"site_id": "KLK", "sexe": "\\u0041;%s:x"}
    add_entities(published, "dossiers", [NewEntity(label, values, STAY)], None, NOW)
    published.commit()
    entity = the_entity(published)
    assert [(one.label, one.properties) for one in (entity, *entity.acts, *entity.issued)] == [(label, values)] * 3
    assert (entity.acts[0].acted_at, entity.issued[0].added) == (NOW, [f"act {entity.acts[0].uuid}"])
    assert (entity.deleted_at, entity.is_open, entity.open_until, entity.label_key[:3]) == (None, True, None, "ne ")


@pytest.mark.both_databases
def test_a_hundred_thousand_are_made_in_few_statements(published: Session) -> None:
    ids = add_entities(published, "dossiers", (NewEntity(f"D {n}", ROW) for n in range(2500)), None, NOW)
    counts = [published.scalar(select(func.count()).select_from(one)) for one in (Entity, EntityAct, IssuedVersion)]
    assert (len(set(ids)), counts) == (2500, [2500, 2500, 2500])


def test_a_change_is_made_over_what_was_seen_or_refused(published: Session) -> None:
    create(published)
    change(published, 1, urgence="3")
    with pytest.raises(EntityActRefused, match="at version 2, and you saw version 1"):
        change(published, 1, urgence="1")
    change(published, None, urgence="1")
    assert (the_entity(published).properties["urgence"], the_entity(published).version) == ("1", 3)


def test_a_tablet_that_did_not_see_the_change_still_brings_its_graver_value(published: Session) -> None:
    create(published)
    change(published, 1, urgence="1")
    add_update(published, "uuid:u", 1, on="A", values={"urgence": "3", "sexe": "2"})
    settle(published)
    assert the_entity(published).properties["urgence"] == "3"


def test_a_label_is_changed_and_never_blanked(published: Session) -> None:
    create(published)
    change_entity(published, "dossiers", STAY, "Dossier A", {}, 1, None, NOW)
    assert the_entity(published).label == "Dossier A"
    with pytest.raises(EntityActRefused, match="needs a label"):
        change_entity(published, "dossiers", STAY, " ", {}, None, None, NOW)


@pytest.mark.both_databases
def test_a_deleted_entity_leaves_every_tablet_and_what_comes_late_does_not_bring_it_back(published: Session) -> None:
    create(published)
    delete(published)
    add_update(published, "uuid:u", 1, on="A", values={"urgence": "2"})
    settle(published)
    view = read_view(published, "dossiers", Receiver("KLK", "centre"), NOW)
    assert STAY not in served(published)
    assert list_gone(published, view, [STAY]) == {STAY: True}
    assert the_entity(published).deleted_at == NOW + timedelta(hours=2)


@pytest.mark.both_databases
def test_a_restored_entity_says_also_what_came_meanwhile(published: Session) -> None:
    create(published)
    delete(published)
    add_update(published, "uuid:u", 1, on="A", values={"urgence": "2"})
    settle(published)
    restore(published)
    entity = the_entity(published)
    assert (entity.deleted_at, entity.properties["urgence"]) == (None, "2")
    assert f"{STAY},Dossier 1,{entity.version},1,2,KLK,arrive" in served(published)


def test_an_entity_of_a_form_is_changed_and_deleted_the_same_way(published: Session) -> None:
    add_arrival(published)
    settle(published)
    change(published, 1, sexe="2")
    delete(published)
    assert (the_entity(published).properties["sexe"], the_entity(published).exists) == ("2", False)


def test_an_update_that_came_before_is_released_by_the_creation(published: Session) -> None:
    add_update(published, "uuid:u", 1, on="A", values={"urgence": "3"})
    settle(published)
    create(published)
    entity = the_entity(published)
    assert (entity.exists, entity.properties["urgence"], entity.version) == (True, "3", 2)


def make_twice(session: Session) -> None:
    create(session)
    create(session)


def make_anew(session: Session) -> None:
    create(session)
    delete(session)
    create(session)


def change_deleted(session: Session) -> None:
    create(session)
    delete(session)
    change(session, None, urgence="1")


def delete_twice(session: Session) -> None:
    create(session)
    delete(session)
    delete(session)


def restore_undeleted(session: Session) -> None:
    create(session)
    restore(session)


def make_same_together(session: Session) -> None:
    add_entities(session, "dossiers", [NewEntity("A", {}, STAY), NewEntity("B", {}, f"uuid:{STAY}")], None, NOW)


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (make_twice, "entity_exists"),
        (make_same_together, "entity_exists"),
        (make_anew, "entity_deleted"),
        (change_deleted, "entity_deleted"),
        (delete_twice, "entity_deleted"),
        (restore_undeleted, "entity_not_deleted"),
        (lambda session: change(session, None, urgence="1"), "entity_unknown"),
        (lambda session: create(session, uuid="1"), "entity_id"),
        (lambda session: create(session, label=" "), "entity_label_missing"),
        (lambda session: add_entities(session, "dossiers", [NewEntity("A", {"x": "1"})], None, NOW),
         "entity_property_unknown"),
        (lambda session: add_entities(session, "absents", [NewEntity("A")], None, NOW), "entity_list_unknown"),
        (lambda session: add_entity_list(session, "dossiers", None, NOW), "entity_list_exists"),
        (lambda session: add_entity_list(session, "Dossiers", None, NOW), "entity_list_exists"),
        (lambda session: add_entity_list(session, "Sites", None, NOW), "entity_list_name"),
        (lambda session: add_entity_list(session, "a.b", None, NOW), "entity_list_name"),
        (lambda session: add_property(session, "dossiers", "sexe", None, NOW), "entity_property_exists"),
        (lambda session: add_property(session, "dossiers", "Sexe", None, NOW), "entity_property_exists"),
        (lambda session: add_property(session, "dossiers", "Label", None, NOW), "entity_property_name"),
    ],
    ids=[
        "made twice", "the same twice in one call", "made anew", "changed when deleted", "deleted twice",
        "restored without need", "unknown", "no uuid", "no label", "unknown property", "unknown list",
        "a list twice", "a list of a like name", "the name of a list of the server", "a list's name",
        "a property twice", "a property of a like name", "a reserved property",
    ],
)  # fmt: skip
def test_an_act_that_cannot_be_done_is_refused_by_name(
    published: Session, act: Callable[[Session], object], code: str
) -> None:
    with pytest.raises(EntityActRefused) as refused:
        act(published)
    assert refused.value.code == code
    assert "%(" not in str(refused.value)


def test_a_list_and_a_property_of_ones_own(published: Session) -> None:
    add_entity_list(published, "materiels", None, NOW)
    add_property(published, "materiels", "tag", None, NOW)
    add_entities(published, "materiels", [NewEntity("Groupe", {"tag": "G\0-1"})], None, NOW)
    assert the_entity(published).properties == {"tag": "G-1"}
