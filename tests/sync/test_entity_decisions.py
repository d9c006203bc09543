"""A person's decision covers what it was shown, is a fact like any record, and can be taken back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync.entity_decisions import (
    LONGEST,
    EntityDecisionRefused,
    conflict_token,
    decide_conflict,
    describe_decision,
    receive_decision,
    undo_decision,
)
from sync.models import Entity, EntityDecision
from sync.registry import registry_digest
from tests.sync.entities import add_arrival, add_update, publish_entity_forms
from tests.sync.factory import NOW
from tests.sync.test_processing import clear, settle


@pytest.fixture
def disputed(session: Session) -> Session:
    """A stay of which two tablets say different sexes, neither having seen the other's word."""
    publish_entity_forms(session)
    add_disputed(session)
    return session


def add_disputed(session: Session) -> None:
    add_arrival(session)
    add_update(session, "uuid:a", 1, on="A", hour=1, values={"sexe": "2"})
    add_update(session, "uuid:b", 1, on="B", hour=2, values={"sexe": "9"})
    settle(session)


def the_entity(session: Session) -> Entity:
    session.expire_all()
    return session.scalars(select(Entity)).one()


def decide(session: Session, value: str) -> EntityDecision:
    entity = the_entity(session)
    (conflict,) = entity.conflicts
    now = NOW + timedelta(hours=1)
    decision = decide_conflict(session, entity, "sexe", value, conflict_token(conflict), actor_id=None, now=now)
    session.commit()
    return decision


def says(session: Session) -> tuple[str, int, list[str]]:
    entity = the_entity(session)
    rivals = [value for one in entity.conflicts for _key, value in one.candidates]
    return entity.properties["sexe"], entity.open_conflicts, sorted(rivals)


@pytest.mark.both_databases
@pytest.mark.parametrize("value", ["2", "9", "3"], ids=["the first", "the second", "another"])
def test_what_a_person_decides_stands_and_reaches_tablets(disputed: Session, value: str) -> None:
    before = the_entity(disputed).version
    decide(disputed, value)
    assert says(disputed) == (value, 0, [])
    assert the_entity(disputed).version > before


def test_undoing_opens_the_question_again(disputed: Session) -> None:
    decision = decide(disputed, "2")
    undo_decision(disputed, decision, actor_id=None, now=NOW)
    assert says(disputed) == ("9", 1, ["2", "9"])
    with pytest.raises(EntityDecisionRefused, match="already undone"):
        undo_decision(disputed, decision, actor_id=None, now=NOW)


def test_a_value_that_nobody_was_shown_opens_the_question_again(disputed: Session) -> None:
    decide(disputed, "9")
    add_update(disputed, "uuid:d", 1, on="D", hour=0, values={"sexe": "0"})
    settle(disputed)
    assert says(disputed)[1:] == (1, ["0", "9"])


def test_an_edit_that_says_otherwise_was_not_shown(disputed: Session) -> None:
    decide(disputed, "9")
    add_update(disputed, "uuid:a2", 1, on="A", deprecated_id="uuid:a", values={"sexe": "0"})
    settle(disputed)
    assert says(disputed)[1:] == (1, ["0", "9"])


def test_whoever_downloaded_the_decision_may_write_over_it(disputed: Session) -> None:
    decide(disputed, "9")
    add_update(disputed, "uuid:e", the_entity(disputed).version, values={"sexe": "1"})
    settle(disputed)
    assert says(disputed) == ("1", 0, [])


def test_nobody_decides_about_values_that_they_did_not_see(disputed: Session) -> None:
    entity = the_entity(disputed)
    token = conflict_token(entity.conflicts[0])
    add_update(disputed, "uuid:d", 1, on="D", hour=3, values={"sexe": "0"})
    settle(disputed)
    with pytest.raises(EntityDecisionRefused, match="changed meanwhile"):
        decide_conflict(disputed, entity, "sexe", "9", token, actor_id=None, now=NOW)


def test_a_value_without_end_is_refused(disputed: Session) -> None:
    with pytest.raises(EntityDecisionRefused, match="At most"):
        decide(disputed, "x" * (LONGEST + 1))


@pytest.mark.both_databases
def test_a_decision_waits_for_the_records_that_it_speaks_of(disputed: Session) -> None:
    fact = describe_decision(decide(disputed, "2"))
    expected = registry_digest(disputed)
    disputed.execute(delete(EntityDecision))
    clear(disputed)
    receive_decision(disputed, fact, NOW)
    disputed.commit()
    (waiting,) = disputed.scalars(select(EntityDecision))
    assert waiting.waits_for is not None
    add_disputed(disputed)
    disputed.refresh(waiting)
    assert (waiting.waits_for, registry_digest(disputed)) == (None, expected)


@pytest.mark.parametrize("told", [{"value": "x" * (LONGEST + 1)}, {"shown": [("x" * 1025, "1")]}])
def test_a_decision_without_measure_is_not_taken_in(disputed: Session, told: dict[str, Any]) -> None:
    fact = replace(describe_decision(decide(disputed, "2")), uuid="0" * 36, **told)
    with pytest.raises(EntityDecisionRefused, match="At most"):
        receive_decision(disputed, fact, NOW)
