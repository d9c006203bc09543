"""A fresh server links by the model that was chosen last, in whichever order it is told of models and records."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.authors import find_author
from sync.db import begin_write
from sync.journal import JournalFact, JournalRefused, parse_lines, read_journal, receive_journal, write_line
from sync.link_model_facts import ModelFact, read_models, receive_model
from sync.link_models import LinkModelRefused, activate_model, add_model, find_linking, keep_model, list_models
from sync.linkage.errors import LinkageRefused
from sync.linkage.model import LinkModel, default_model
from sync.linkage.pet_forms import add_pet_forms
from sync.models import LinkActivation, LinkMember, LinkModelVersion
from sync.registry import registry_digest
from tests.sync.factory import NOW
from tests.sync.meetings import AWA, AWA_AGAIN, BINTA, meet, persons, prepare
from tests.sync.test_registry import forget

TIMID = replace(default_model(), link_at=200.0)
BOLD = add_pet_forms(replace(default_model(), link_at=12.0), [("pupu", "coumba")])
LATER = NOW + timedelta(days=400)


def choose(session: Session, *models: LinkModel, minutes: int = 0) -> None:
    """Awa makes one model after the other the active one, and each takes effect."""
    for turn, model in enumerate(models):
        now = NOW + timedelta(minutes=minutes + turn)
        session.commit()
        begin_write(session)
        awa = find_author(session, "Awa", now).id
        add_model(session, model, awa, now)
        activate_model(session, model.version, awa, f"essai {turn}", now)
        session.commit()
        process_pending()
        session.expire_all()


def take_in(session: Session, *facts: JournalFact) -> None:
    session.commit()
    begin_write(session)
    receive_journal(session, facts, LATER)
    session.commit()


def tell_models(session: Session) -> list[ModelFact]:
    session.rollback()
    return list(read_models(session))


def active(session: Session) -> str:
    session.rollback()
    linking = find_linking(session)
    assert linking is not None
    return linking.model.version


@pytest.fixture
def chosen(session: Session) -> list[ModelFact]:
    """What a server tells on which two others were made the active one, and one was never."""
    prepare(session)
    meet(session, "uuid:1", AWA, day=3)
    meet(session, "uuid:2", AWA_AGAIN, day=2)
    choose(session, BOLD, TIMID)
    add_model(session, replace(default_model(), link_at=99.0), None, NOW)
    session.commit()
    assert (len(persons(session)), active(session)) == (2, TIMID.version)
    return tell_models(session)


@pytest.mark.both_databases
def test_a_fresh_server_links_by_the_model_that_was_chosen_last(session: Session, chosen: list[ModelFact]) -> None:
    before = registry_digest(session)
    for seed in range(3):
        forget(session)
        live_again(session, chosen, seed)
        assert (registry_digest(session), active(session)) == (before, TIMID.version)
        assert tell_models(session) == chosen


def live_again(session: Session, told: Sequence[ModelFact], seed: int) -> None:
    """Records and models come in any order, some of them twice; now and then they are processed."""
    dice = random.Random(seed)
    order: list[ModelFact | int] = [*told, *told[:2], 1, 2]
    dice.shuffle(order)
    for one in order:
        if isinstance(one, ModelFact):
            take_in(session, one)
        else:
            meet(session, f"uuid:{one}", (AWA, AWA_AGAIN)[one - 1], day=4 - one)
    process_pending()


def test_models_outlive_their_lines(session: Session, chosen: list[ModelFact]) -> None:
    lines = [write_line(one) for one in read_journal(session)]
    assert len(lines) == 4
    assert list(parse_lines(lines)) == chosen
    named = [(version, by, reason) for version, _, _, _, some in map(as_row, chosen) for _, by, reason, _ in some]
    assert sorted(named, key=str) == sorted(
        [(default_model().version, None, ""), (BOLD.version, "Awa", "essai 0"), (TIMID.version, "Awa", "essai 1")],
        key=str,
    )


def as_row(fact: ModelFact) -> tuple[object, ...]:
    return fact.version, fact.content, fact.added_at, fact.added_by, fact.activations


def test_only_the_last_one_reads_on_a_fresh_server(session: Session, chosen: list[ModelFact]) -> None:
    """Those that were active before would read along with every record for ever."""
    forget(session)
    take_in(session, *chosen)
    process_pending()
    meet(session, "uuid:1", AWA)
    states = {row.version: state for row, state in list_models(session)}
    assert states.pop(TIMID.version) == "active"
    assert set(states.values()) == {"kept"}
    assert len(session.scalars(select(LinkMember)).all()) == 1


def test_what_was_chosen_here_later_stands(session: Session, chosen: list[ModelFact]) -> None:
    choose(session, BOLD, minutes=60)
    take_in(session, *chosen)
    process_pending()
    assert active(session) == BOLD.version


def test_what_was_chosen_elsewhere_later_takes_effect_here(session: Session, chosen: list[ModelFact]) -> None:
    forget(session)
    meet(session, "uuid:1", AWA, day=3)
    meet(session, "uuid:3", BINTA)
    choose(session, BOLD, minutes=-60)
    take_in(session, *chosen)
    assert active(session) == BOLD.version
    process_pending()
    assert active(session) == TIMID.version


def test_another_model_that_shipped_before_ours_holds_until_somebody_chooses(session: Session) -> None:
    """The server that tells was set up with an older edition of the program."""
    prepare(session)
    meet(session, "uuid:1", AWA)
    earlier = ModelFact(TIMID.version, TIMID.to_json(), NOW, None, [(None, None, "", NOW - timedelta(days=9))])
    take_in(session, earlier)
    process_pending()
    assert active(session) == TIMID.version
    assert len(session.scalars(select(LinkActivation)).all()) == 2


def test_a_shadow_that_was_not_chosen_stays_one(session: Session, chosen: list[ModelFact]) -> None:
    keep_model(session, BOLD.version, None, NOW)
    take_in(session, *chosen)
    assert {row.version: state for row, state in list_models(session)}[BOLD.version] == "shadow"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content": "{}"}, "link_model_unreadable"),
        ({"content": TIMID.to_json().replace('"edition": 3', '"edition": 2')}, "link_model_edition"),
        ({"content": TIMID.to_json()}, "link_model_other"),
    ],
    ids=["no model", "another edition", "another content"],
)
def test_what_is_not_that_model_is_refused(session: Session, change: dict[str, str], code: str) -> None:
    fact = ModelFact(BOLD.version, BOLD.to_json(), NOW, None, [])
    with pytest.raises((LinkageRefused, LinkModelRefused), check=lambda refused: refused.code == code):
        receive_model(session, replace(fact, **change), NOW)
    assert BOLD.version not in session.scalars(select(LinkModelVersion.version)).all()


def test_a_line_that_is_no_model_is_refused_with_its_number() -> None:
    line = write_line(ModelFact(TIMID.version, "x", NOW, None, [(NOW, "Awa", "essai", None)]))
    for odd in (line.replace('essai"', 'essai", 1'), line.replace(TIMID.version, "x" * 17)):
        with pytest.raises(JournalRefused):
            list(parse_lines([odd]))
