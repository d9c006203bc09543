"""The registry told anew is the same registry, whatever was damaged of what follows from the facts."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from sync.db import Base, begin_write
from sync.entity_acts import change_entity, delete_entity
from sync.entity_decisions import conflict_token, decide_conflict
from sync.entity_fold import force_overdue
from sync.models import (
    Encounter,
    Entity,
    EntityConflict,
    EntityContribution,
    FormVersion,
    IssuedVersion,
    LinkIdentity,
    LinkKey,
    LinkMember,
    LinkPair,
    LinkQuestion,
    PersonRecord,
    Submission,
)
from sync.publishing import publish_form
from sync.quarantine import accept, reject
from sync.rebuilding import RebuildRefused, Rebuilt, rebuild_registry
from sync.registry import registry_digest
from tests.sync.entities import STAY, add_arrival, add_update, publish_entity_forms
from tests.sync.factory import NOW, add_submission, form_file
from tests.sync.test_processing import AWA, MOUSSA, WRONG, settle

OTHER = "5f0c1f3e-1d2a-4b6c-8d3e-000000000002"
# Numbers of rows, and what says only when something was done.
_PASSING = {"id", "person_id", "opened_at", "processed_at"}


@pytest.fixture
def lived(session: Session) -> Session:
    """A registry with people, an edit, twins, quarantine, branches, a conflict, a decision, a release and acts."""
    publish_form(session, form_file(), {}, None, NOW)
    publish_entity_forms(session)
    add_people(session)
    add_stays(session)
    return session


def add_people(session: Session) -> None:
    add_submission(session, "uuid:1", [AWA, MOUSSA])
    add_submission(session, "uuid:2", [AWA], deprecated_id="uuid:1")
    first = add_submission(session, "uuid:3", [MOUSSA])
    add_submission(session, "uuid:3", [AWA], twin_of_id=first.id)
    accept(session, add_submission(session, "uuid:4", [WRONG]), None, "vu avec le poste", NOW)
    add_submission(session, "uuid:5", [WRONG])
    reject(session, add_submission(session, "uuid:6", [AWA]), None, "vu avec le poste", NOW)
    add_submission(session, "uuid:7", [AWA], deprecated_id="uuid:absent")
    settle(session)


def add_stays(session: Session) -> None:
    add_arrival(session)
    add_arrival(session, "uuid:c2", stay=OTHER)
    settle(session)
    add_update(session, "uuid:a", 1, on="A", hour=1, values={"sexe": "2"})
    add_update(session, "uuid:b", 1, on="B", hour=2, values={"sexe": "9"})
    add_update(session, "uuid:d3", 9, on="D", hour=3, values={"urgence": "2"})
    settle(session)
    begin_write(session)
    force_overdue(session, -9999, NOW)
    entity = session.scalars(select(Entity).where(Entity.uuid == STAY)).one()
    token = conflict_token(entity.conflicts[0])
    decide_conflict(session, entity, "sexe", "9", token, actor_id=None, now=NOW + timedelta(hours=1))
    add_update(session, "uuid:e", 1, on="E", hour=1, values={"sexe": "0"})
    settle(session)
    change_entity(session, "dossiers", OTHER, None, {"urgence": "1"}, None, None, NOW)
    delete_entity(session, "dossiers", OTHER, None, NOW)
    session.commit()


def dump(session: Session, *left_out: str) -> dict[str, list[str]]:
    """Every row that follows from facts, and the numbers that were served."""
    session.expire_all()
    models = (Entity, EntityContribution, EntityConflict, IssuedVersion, PersonRecord, Encounter, Submission)
    return {one.__tablename__: _dump(session, one, {*_PASSING, *left_out}) for one in models}


def _dump(session: Session, model: type[Base], left_out: set[str]) -> list[str]:
    columns = [one for one in model.__table__.columns if one.name not in left_out]
    return sorted(repr(tuple(row)) for row in session.execute(select(*columns)))


def rebuild(session: Session) -> Rebuilt:
    session.commit()
    begin_write(session)
    rebuilt = rebuild_registry(session, attachment_store(), {}, NOW + timedelta(days=1))
    session.commit()
    return rebuilt


def damage(session: Session) -> None:
    links = (LinkQuestion, LinkPair, LinkKey, LinkMember, LinkIdentity)
    for model in (EntityContribution, EntityConflict, Encounter, PersonRecord, *links):
        session.execute(delete(model))
    session.execute(update(Entity).values(open_conflicts=0, claimed=99, is_settled=False, tip_base=7, whole_from=None))
    session.execute(update(Submission).values(superseded_by_id=None, waits_for=None))
    session.commit()


@pytest.mark.both_databases
def test_rebuilding_changes_nothing(lived: Session) -> None:
    before, digest = dump(lived), registry_digest(lived)
    assert rebuild(lived) == Rebuilt(submissions=14, entities=2)
    assert (dump(lived), registry_digest(lived)) == (before, digest)


@pytest.mark.both_databases
def test_rebuilding_a_registry_in_which_nobody_is_changes_nothing(session: Session) -> None:
    before = registry_digest(session)
    rebuild_registry(session, attachment_store(), {}, NOW)
    assert registry_digest(session) == before


def test_rebuilding_tells_anew_what_was_damaged(lived: Session) -> None:
    before, digest = dump(lived), registry_digest(lived)
    damage(lived)
    rebuild(lived)
    assert (dump(lived), registry_digest(lived)) == (before, digest)


def test_what_stood_there_wrongly_gets_a_new_number(lived: Session) -> None:
    entity = lived.scalars(select(Entity).where(Entity.uuid == STAY)).one()
    served = entity.version
    entity.properties = {**entity.properties, "etat": "clos"}
    rebuild(lived)
    assert (entity.properties["etat"], entity.version) == ("arrive", served + 1)


def test_what_nobody_has_judged_is_left_to_the_processing(lived: Session) -> None:
    digest = registry_digest(lived)
    add_submission(lived, "uuid:new", [AWA])
    rebuild(lived)
    assert registry_digest(lived) == digest
    settle(lived)
    assert registry_digest(lived) != digest


def test_nobody_is_lost_with_a_form_that_is_gone(lived: Session) -> None:
    lived.execute(update(Submission).values(form_version_id=None))
    lived.execute(update(FormVersion).values(version="gone"))
    with pytest.raises(RebuildRefused, match="counts and cannot be read"):
        rebuild(lived)
