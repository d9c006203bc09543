"""The history of one entity: everybody who spoke of it, what they had seen, and what became of what they said."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.entity_acts import delete_entity
from sync.entity_decisions import conflict_token, decide_conflict, undo_decision
from sync.entity_fold import force_overdue
from sync.entity_history import EntityHistory, Seen, Step, read_history
from sync.models import Actor, Entity
from sync.policy import Viewer
from sync.quarantine import reject
from tests.sync.entities import add_arrival, add_update, publish_entity_forms
from tests.sync.factory import NOW, add_device, add_site
from tests.sync.test_processing import settle

STEWARD = Viewer(1, "data_steward")


def the_entity(session: Session) -> Entity:
    session.expire_all()
    return session.scalars(select(Entity)).one()


def read(session: Session, viewer: Viewer = STEWARD) -> EntityHistory:
    return read_history(session, the_entity(session), viewer)


def step_of(session: Session, instance_id: str, viewer: Viewer = STEWARD) -> Step:
    return next(one for one in read(session, viewer).steps if one.said and f" {instance_id} " in one.key)


@pytest.fixture
def disputed(session: Session) -> Session:
    """A stay of which two tablets say different sexes, neither having seen the other's word; one of them twice."""
    publish_entity_forms(session)
    add_arrival(session)
    settle(session)
    add_update(session, "uuid:a", 1, on="A", hour=1, values={"sexe": "2"})
    add_update(session, "uuid:a2", 2, on="A", hour=3, values={"urgence": "2"})
    add_update(session, "uuid:b", 1, on="B", hour=2, values={"sexe": "9"})
    settle(session)
    return session


@pytest.mark.both_databases
def test_steps_stand_in_causal_order_with_what_each_had_seen(disputed: Session) -> None:
    history = read(disputed)
    assert [(one.key.split()[1], one.seen) for one in history.steps] == [
        ("uuid:c", Seen("nothing")),
        ("uuid:a", Seen("version", 1)),
        ("uuid:b", Seen("version", 1)),
        ("uuid:a2", Seen("branch", 1, 2)),
    ]
    assert {one.standing for one in history.steps} == {"applied"}
    assert history.steps[0].version == 1


def test_values_say_what_became_of_them(disputed: Session) -> None:
    assert step_of(disputed, "uuid:c").fates["sexe"].outcome == "replaced"
    assert step_of(disputed, "uuid:a").fates["sexe"].outcome == "open"
    assert step_of(disputed, "uuid:a2").fates["urgence"].outcome == "stands"


def test_a_question_may_be_answered_by_those_who_may_change_the_value(disputed: Session) -> None:
    [asked] = read(disputed, Viewer(1, "protection_officer", 1)).questions
    assert (asked.conflict.property_name, asked.conflict.base, asked.may_decide) == ("sexe", "1", True)
    [asked] = read(disputed).questions
    assert not asked.may_decide


def test_a_decision_is_a_step_and_so_is_its_end(disputed: Session) -> None:
    disputed.add(Actor(id=7, kind="user", display_name="Binta", created_at=NOW))
    entity = the_entity(disputed)
    token = conflict_token(entity.conflicts[0])
    given = {"actor_id": 7, "now": NOW + timedelta(hours=1)}
    decision = decide_conflict(disputed, entity, "sexe", "2", token, reason="papier vu", **given)  # type: ignore[arg-type]
    officer = Viewer(1, "protection_officer", 1)
    step = next(one for one in read(disputed, officer).steps if one.decision)
    assert (step.actor, step.standing, step.may_undo) == ("Binta", "applied", True)
    assert step_of(disputed, "uuid:b").fates["sexe"].by == step.key
    undo_decision(disputed, decision, actor_id=7, now=NOW + timedelta(hours=2))
    step = next(one for one in read(disputed, officer).steps if one.decision)
    assert (step.standing, step.may_undo) == ("undone", False)


def test_what_waits_says_for_what_until_it_is_applied_without(session: Session) -> None:
    publish_entity_forms(session)
    add_arrival(session)
    add_update(session, "uuid:late", 3, on="A", values={"sexe": "2"})
    settle(session)
    [held] = read(session).held
    assert (held.waits_for, held.values, held.fates, held.version) == ("branch version 3", {"sexe": "2"}, {}, None)
    force_overdue(session, 5, NOW + timedelta(days=9))
    assert step_of(session, "uuid:late").standing == "forced"


def test_what_does_not_count_comes_last_and_stays_to_be_read(disputed: Session) -> None:
    submission = step_of(disputed, "uuid:a").submission
    assert submission is not None
    reject(disputed, submission, None, "saisi deux fois", NOW)
    settle(disputed)
    held, last = read(disputed).steps[-2:]
    assert (held.standing, held.waits_for) == ("held", "branch version 2")
    assert (last.standing, last.values, last.fates) == ("aside", {"sexe": "2"}, {})


def test_an_edit_stands_where_its_original_stood(disputed: Session) -> None:
    add_update(disputed, "uuid:b2", 1, on="B", hour=4, values={"sexe": "1"}, deprecated_id="uuid:b")
    settle(disputed)
    first, last = (one for one in read(disputed).steps if one.key.split()[1] == "uuid:b")
    assert (first.standing, first.values["sexe"]) == ("applied", "1")
    assert (last.standing, last.values["sexe"]) == ("aside", "9")


def test_a_deletion_is_told_without_a_value(disputed: Session) -> None:
    entity = the_entity(disputed)
    delete_entity(disputed, entity.list_name, entity.uuid, None, NOW + timedelta(hours=1))
    step = next(one for one in read(disputed).steps if one.act)
    assert (step.act.action if step.act else "", step.values, step.actor) == ("delete", {}, None)


def test_a_record_of_another_site_stays_unnamed(session: Session) -> None:
    publish_entity_forms(session)
    here, there = add_site(session, "KLK", kind="centre"), add_site(session, "ZIG", kind="centre")
    add_arrival(session, device=add_device(session, there, "ZIG-1"))
    add_update(session, "uuid:a", 1, device=add_device(session, here, "KLK-1"), values={"sexe": "2"})
    settle(session)
    viewer = Viewer(1, "centre_staff", here.id)
    known = {one.key.split()[1]: one.submission is not None for one in read(session, viewer).steps}
    assert known == {"uuid:c": False, "uuid:a": True}
