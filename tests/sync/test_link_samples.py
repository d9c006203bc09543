"""Pairs below the review floor that are drawn for people: which, for whom, and what the answers count for."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import link_samples
from sync.link_decisions import Word, decide_apart, decide_same, decide_unsure, undo_link_decision
from sync.link_fold import link_some
from sync.link_labels import read_labels
from sync.link_models import activate_model, add_model
from sync.link_queue import count_questions, list_queue
from sync.link_samples import draw_samples, list_samples
from sync.linkage.model import default_model
from sync.models import Actor, LinkDecision, LinkQuestion, LinkSample, PersonRecord
from sync.policy import Viewer
from sync.registry import registry_digest
from tests.sync.factory import NOW, add_site
from tests.sync.people import AWA, add_record

STEWARD = Viewer(1, "data_steward")
SIRA = AWA | {"given_names": "Sira", "mother_name": "Ndella Diouf"}


@pytest.fixture(autouse=True)
def reviewer(session: Session) -> None:
    session.add(Actor(kind="user", display_name="Awa", created_at=NOW))
    session.flush()


def add_light(session: Session, **values: object) -> tuple[PersonRecord, PersonRecord]:
    """Two of one name and place who weigh some bits too little to be asked about."""
    return add_record(session, **AWA, age=35, **values), add_record(session, **SIRA, age=33, **values)


def add_many(session: Session, count: int) -> None:
    """So many of whom each two are a light pair."""
    for name in ("Awa", "Binta", "Coumba", "Dieynaba", "Fatou", "Sira")[:count]:
        add_record(session, **AWA | {"given_names": name, "mother_name": f"{name} {name}ne"}, age=33)


def list_drawn(session: Session) -> set[tuple[str, str]]:
    found = session.scalars(select(LinkSample))
    by_home = {one.home_id: one.reference for one in session.scalars(select(PersonRecord))}
    return {(by_home[one.one_id], by_home[one.other_id]) for one in found}


@pytest.mark.both_databases
def test_a_pair_too_light_for_a_question_is_drawn_and_queued_as_such(session: Session) -> None:
    pair = add_light(session)
    assert (count_questions(session, STEWARD), list_queue(session, STEWARD, NOW)) == (0, [])
    before = registry_digest(session)
    assert draw_samples(session, NOW) == 1
    [queued] = list_queue(session, STEWARD, NOW)
    assert ({queued.one_id, queued.other_id}, queued.reason) == ({one.home_id for one in pair}, "drawn")
    assert -4 < queued.bits < 0
    assert (count_questions(session, STEWARD), registry_digest(session)) == (0, before)


def test_the_same_records_and_model_give_the_same_draws(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_samples, "_OF_EACH", 2)
    add_many(session, 6)
    assert draw_samples(session, NOW) == 2
    drawn = list_drawn(session)
    assert draw_samples(session, NOW) == 0
    session.query(LinkSample).delete()
    assert (draw_samples(session, NOW), list_drawn(session)) == (2, drawn)


def test_a_label_speaks_for_all_that_it_was_drawn_from(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_samples, "_OF_EACH", 1)
    add_many(session, 4)
    assert draw_samples(session, NOW) == 1
    [ends] = list_drawn(session)
    decide_apart(session, *ends, Word(1, NOW))
    assert [(one.same, one.stands_for) for one in read_labels(session)] == [(False, pytest.approx(6.0))]


def test_of_many_records_a_piece_is_looked_at_and_the_chance_says_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_samples, "_POOL", 2)
    add_many(session, 4)
    draw_samples(session, NOW)
    chances = set(session.scalars(select(LinkSample.chance)))
    assert (len(list_drawn(session)), chances) == (5, {0.75})


@pytest.mark.parametrize("decide", [decide_same, decide_apart, decide_unsure])
def test_an_answer_closes_a_draw_until_it_is_undone(session: Session, decide: object) -> None:
    one, other = add_light(session)
    draw_samples(session, NOW)
    made = decide(session, one.reference, other.reference, Word(1, NOW))  # type: ignore[operator]
    assert list_samples(session, STEWARD) == []
    undo_link_decision(session, session.get_one(LinkDecision, made.id), 1, NOW)
    assert len(list_samples(session, STEWARD)) == 1
    assert draw_samples(session, NOW) == 0


def test_a_few_are_shown_at_a_time_and_only_to_who_may_read_both(session: Session) -> None:
    site, elsewhere = add_site(session), add_site(session, "DIA")
    add_light(session, site_id=site.id)
    add_many(session, 4)
    assert draw_samples(session, NOW) > 3
    assert len(list_samples(session, STEWARD)) == 3
    assert len(list_samples(session, Viewer(1, "protection_officer", site.id))) == 1
    assert list_samples(session, Viewer(1, "protection_officer", elsewhere.id)) == []


def test_another_model_draws_its_own_and_keeps_what_was_answered(session: Session) -> None:
    add_many(session, 3)
    draw_samples(session, NOW)
    answered, *left = sorted(list_drawn(session))
    decide_apart(session, *answered, Word(1, NOW))
    other = replace(default_model(), review_at=10.0, link_at=200.0)
    add_model(session, other, None, NOW)
    activate_model(session, other.version, None, "essai", NOW)
    while link_some(session, NOW):
        pass
    assert session.scalars(select(LinkQuestion)).all() == []
    assert draw_samples(session, NOW) == len(left) == 2
    assert answered in list_drawn(session)


def test_an_empty_registry_has_nothing_to_draw(session: Session) -> None:
    assert draw_samples(session, NOW) == 0
