"""Another model becomes the active one when it has read every record, and leaves no trace of the one before it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.link_fold import link_some
from sync.link_models import (
    LinkModelRefused,
    activate_model,
    add_model,
    drop_model,
    find_linking,
    get_model,
    keep_model,
    list_activations,
    list_linkings,
)
from sync.linkage.model import LinkModel, default_model
from sync.models import (
    LinkActivation,
    LinkChange,
    LinkIdentity,
    LinkKey,
    LinkMember,
    LinkModelVersion,
    LinkPair,
    LinkProgress,
    LinkQuestion,
    LinkWord,
    PersonRecord,
)
from sync.registry import registry_digest
from tests.sync.factory import NOW
from tests.sync.meetings import AWA, AWA_AGAIN, BINTA, meet, persons, prepare, reject_meeting
from tests.sync.test_rebuilding import rebuild

TIMID = replace(default_model(), link_at=200.0)


@pytest.fixture
def linked(session: Session) -> None:
    prepare(session)
    meet(session, "uuid:1", AWA, day=3)
    meet(session, "uuid:2", AWA_AGAIN, day=2)
    assert len(persons(session)) == 1


def activate(session: Session, model: LinkModel) -> None:
    add_model(session, model, None, NOW)
    activate_model(session, model.version, None, "essai", NOW)
    session.commit()
    process_pending()
    session.expire_all()


def active_version(session: Session) -> str:
    linking = find_linking(session)
    assert linking is not None
    return linking.model.version


def test_before_the_first_record_no_model_is_active(session: Session) -> None:
    assert find_linking(session) is None


@pytest.mark.both_databases
def test_another_model_decides_all_persons_anew(session: Session, linked: None) -> None:
    before = registry_digest(session)
    activate(session, TIMID)
    assert active_version(session) == TIMID.version
    assert len(persons(session)) == 2
    assert session.scalars(select(LinkChange.cause).order_by(LinkChange.id.desc())).first() == "model"
    activate(session, default_model())
    assert registry_digest(session) == before


def test_activations_are_journalled(session: Session, linked: None) -> None:
    activate(session, TIMID)
    rows = session.scalars(select(LinkActivation).order_by(LinkActivation.id)).all()
    assert [one.model.version for one in rows] == [default_model().version, TIMID.version]
    assert all(one.effective_at for one in rows)
    assert [one.asked_at for one in rows] == [None, NOW]


def test_the_last_choice_holds_by_a_clock_that_was_set_back_too(session: Session, linked: None) -> None:
    activate(session, TIMID)
    activate_model(session, default_model().version, None, "retour", NOW - timedelta(days=1))
    session.commit()
    process_pending()
    assert active_version(session) == default_model().version
    assert list_activations(session)[0].reason == "retour"


def test_the_model_that_ships_may_be_kept_before_the_first_record(session: Session) -> None:
    add_model(session, default_model(), None, NOW)
    prepare(session)
    meet(session, "uuid:1", AWA)
    meet(session, "uuid:2", AWA_AGAIN)
    assert (active_version(session), len(persons(session))) == (default_model().version, 1)


def test_an_activation_that_another_overtakes_never_takes_effect(session: Session, linked: None) -> None:
    add_model(session, TIMID, None, NOW)
    activate_model(session, TIMID.version, None, "essai", NOW)
    activate(session, replace(default_model(), link_at=300.0))
    rows = session.scalars(select(LinkActivation).order_by(LinkActivation.id)).all()
    assert [one.effective_at is not None for one in rows] == [True, False, True]
    assert active_version(session) == rows[-1].model.version
    drop_model(session, TIMID.version, None, NOW)


def test_the_model_before_forgets_what_it_read(session: Session, linked: None) -> None:
    activate(session, TIMID)
    assert set(session.scalars(select(LinkMember.model_id))) == {session.scalar(select(LinkProgress.model_id))}
    assert session.scalar(select(func.count()).select_from(LinkIdentity)) == 2


def test_a_rival_reads_along_and_links_nobody(session: Session, linked: None) -> None:
    add_model(session, TIMID, None, NOW)
    keep_model(session, TIMID.version, None, NOW)
    session.commit()
    meet(session, "uuid:3", BINTA)
    read = (
        select(func.count()).select_from(LinkMember).join(LinkModelVersion, LinkModelVersion.id == LinkMember.model_id)
    )
    assert session.scalar(read.where(LinkModelVersion.version == TIMID.version)) == 3
    assert len(persons(session)) == 2
    drop_model(session, TIMID.version, None, NOW)
    assert session.scalar(read.where(LinkModelVersion.version == TIMID.version)) == 0


def test_a_model_that_is_to_be_the_active_one_is_not_dropped(session: Session, linked: None) -> None:
    """It would take effect with nothing read: nobody would be linked."""
    add_model(session, TIMID, None, NOW)
    activate_model(session, TIMID.version, None, "", NOW)
    with pytest.raises(LinkModelRefused) as refused:
        drop_model(session, TIMID.version, None, NOW)
    assert refused.value.code == "link_model_awaited"


def test_a_model_is_kept_as_it_is(session: Session) -> None:
    assert add_model(session, TIMID, None, NOW) is add_model(session, TIMID, None, NOW)
    assert get_model(session, TIMID.version).version == TIMID.version


def test_what_cannot_be_done_with_a_model(session: Session, linked: None) -> None:
    with pytest.raises(LinkModelRefused) as refused:
        activate_model(session, "nobody", None, "", NOW)
    assert refused.value.code == "link_model_unknown"
    with pytest.raises(LinkModelRefused) as refused:
        drop_model(session, active_version(session), None, NOW)
    assert refused.value.code == "link_model_active"
    with pytest.raises(LinkModelRefused):
        get_model(session, "nobody")


def test_a_model_that_is_awaited_takes_effect_after_a_rebuild(session: Session, linked: None) -> None:
    add_model(session, TIMID, None, NOW)
    activate_model(session, TIMID.version, None, "essai", NOW)
    session.commit()
    rebuild(session)
    process_pending()
    session.expire_all()
    assert (active_version(session), len(persons(session))) == (TIMID.version, 2)


def test_what_a_smaller_registry_still_has_to_find_is_found_whatever_comes(session: Session, linked: None) -> None:
    """Another model, or so many records that the prior changes, while the pairs are looked for that were too light."""
    add_model(session, TIMID, None, NOW)
    activate_model(session, TIMID.version, None, "essai", NOW)
    session.execute(update(LinkProgress).values(decided_to=0, cause="shrunk"))
    before = session.scalar(select(LinkProgress.model_id))
    while session.scalar(select(LinkProgress.model_id)) == before:
        assert link_some(session, NOW)
    row = session.scalars(select(LinkProgress)).one()
    assert (row.decided_to, row.cause) == (0, "shrunk")
    list_linkings(session.connection(), NOW, more=100)
    session.refresh(row)
    assert (row.decided_to, row.cause) == (0, "shrunk")
    while link_some(session, NOW):
        pass
    list_linkings(session.connection(), NOW, more=1000)
    session.refresh(row)
    assert (row.decided_to, row.cause) == (0, "grown")


def test_records_from_before_any_model_are_read_by_and_by(session: Session, linked: None) -> None:
    expected = registry_digest(session)
    read = (LinkQuestion, LinkPair, LinkKey, LinkWord, LinkMember, LinkIdentity)
    for table in (*read, LinkChange, LinkActivation, LinkProgress):
        session.execute(delete(table))
    session.execute(delete(LinkModelVersion))
    session.execute(update(PersonRecord).values(person_id=PersonRecord.home_id))
    session.commit()
    meet(session, "uuid:3", BINTA)
    reject_meeting(session, "uuid:3")
    assert registry_digest(session) == expected
    assert session.scalar(select(LinkProgress.records)) == 2
