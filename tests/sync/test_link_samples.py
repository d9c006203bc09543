"""Pairs that nobody is asked about and that are drawn for people: which, for whom, what the answers count for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from math import sqrt
from statistics import fmean, stdev

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import link_samples
from sync.link_decisions import Word, decide_apart, decide_same, decide_unsure, undo_link_decision, unlink_record
from sync.link_fold import link_some
from sync.link_labels import read_labels
from sync.link_models import activate_model, add_model
from sync.link_queue import count_questions, list_queue
from sync.link_samples import draw_samples, list_samples
from sync.linkage.model import default_model
from sync.models import Actor, LinkDecision, LinkProgress, LinkQuestion, LinkSample, PersonRecord
from sync.policy import Viewer
from sync.registry import registry_digest
from tests.sync.factory import NOW, add_site
from tests.sync.people import AWA, add_alike, add_record

Decide = Callable[[Session, str, str, Word], LinkDecision]
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


def find_home(session: Session, reference: str) -> int:
    return session.scalars(select(PersonRecord.home_id).where(PersonRecord.reference == reference)).one()


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
    chances = list(set(session.scalars(select(LinkSample.chance))))
    assert (len(list_drawn(session)), chances) == (5, [pytest.approx(5 / 6)])


@pytest.mark.parametrize("decide", [decide_same, decide_apart, decide_unsure])
def test_an_answer_closes_a_draw_until_it_is_undone(session: Session, decide: Decide) -> None:
    one, other = add_light(session)
    draw_samples(session, NOW)
    made = decide(session, one.reference, other.reference, Word(1, NOW))
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


def add_rivals(session: Session) -> tuple[PersonRecord, PersonRecord, PersonRecord]:
    """Two records of one person, and one about which there is a question: with either of the two it weighs enough."""
    born = {"birth_date": date(1991, 4, 12)}
    first = add_record(session, **AWA, **born, hours=300)
    second = add_record(session, **AWA | {"phone": "771234567"}, **born, hours=200)
    third = {"given_names": "Awa", "family_name": "Ndiay", "sex": "2", "age": 35, "phone": "771234567"}
    return first, second, add_record(session, **third, hours=100)


@pytest.mark.both_databases
@pytest.mark.parametrize(("decide", "settled"), [(decide_same, 2), (decide_apart, 1)])
def test_what_the_answer_about_another_pair_settled_is_drawn(session: Session, decide: Decide, settled: int) -> None:
    """Of a record that somebody's word joined no link is checked any more."""
    first, second, third = (one.reference for one in add_rivals(session))
    assert draw_samples(session, NOW) == 0
    [asked] = list_queue(session, STEWARD, NOW)
    assert {asked.one_id, asked.other_id} == {find_home(session, one) for one in (second, third)}
    decide(session, second, third, Word(1, NOW))
    assert draw_samples(session, NOW) == settled
    assert list_drawn(session) == {(min(first, one), max(first, one)) for one in (third, second)[:settled]}
    assert [one.reason for one in list_queue(session, STEWARD, NOW)] == ["drawn"] * settled


def test_of_a_person_those_pairs_are_drawn_that_no_check_shows(session: Session) -> None:
    """A check shows a record beside the first of its person."""
    born = {"birth_date": date(1991, 4, 12)}
    said = ({}, {"phone": "771234567"}, {"birth_place": ""})
    records = [add_record(session, **AWA | more, **born) for more in said]
    [first] = {one.person_id for one in records}
    later = sorted(one.reference for one in records if one.home_id != first)
    assert (draw_samples(session, NOW), list_drawn(session)) == (1, {tuple(later)})


def test_records_that_say_the_same_are_one_pair_however_many(session: Session) -> None:
    add_alike(session, 5, given_names="Awa", sex="2")
    assert draw_samples(session, NOW) == 1
    [ends] = list_drawn(session)
    assert ends == tuple(sorted(session.scalars(select(PersonRecord.reference)))[:2])


def test_two_that_are_asked_about_by_now_are_not_shown_as_drawn(session: Session) -> None:
    add_rivals(session)
    asked = session.scalars(select(LinkQuestion).order_by(LinkQuestion.bits.desc())).all()[0]
    model_id = session.scalars(select(LinkProgress.model_id)).one()
    ends = {"one_id": asked.one_id, "other_id": asked.other_id}
    session.add(LinkSample(**ends, model_id=model_id, bits=asked.bits, chance=0.5, drawn_at=NOW))
    session.flush()
    assert [one.reason for one in list_queue(session, STEWARD, NOW)] == [asked.reason]
    draw_samples(session, NOW)
    assert list_drawn(session) == set()


def test_a_link_that_was_complained_of_speaks_for_others_where_it_is_drawn(session: Session) -> None:
    first, second, _third = (one.reference for one in add_rivals(session))
    unlink_record(session, STEWARD, second, [first], Word(1, NOW))
    assert [one.stands_for for one in read_labels(session)] == [0.0]
    draw_samples(session, NOW)
    assert (min(first, second), max(first, second)) in list_drawn(session)
    assert [one.stands_for for one in read_labels(session)] == [1.0]


def add_sisters(session: Session) -> dict[str, str]:
    """Sisters of whom each was met four times, told in other words each time; who each record is about."""
    who = {}
    for number, name in enumerate(("Awa", "Binta", "Coumba")):
        born = date(1991 + number, 1 + number, 12)
        words = (
            {"birth_date": born}, {"birth_date": born, "phone": f"77123450{number}"},
            {"age": 35 - number, "mother_name": ""}, {"family_name": "Ndiay", "phone": f"77123450{number}"},
        )  # fmt: skip
        for more in words:
            who[add_record(session, **AWA | {"given_names": name} | more).reference] = name
    return who


def answer(session: Session, who: dict[str, str], homes: tuple[int, int]) -> None:
    """Say of two what is true."""
    one, other = session.scalars(select(PersonRecord.reference).where(PersonRecord.home_id.in_(homes)))
    decide = decide_same if who[one] == who[other] else decide_apart
    decide(session, one, other, Word(1, NOW))


def answer_all(session: Session, who: dict[str, str]) -> None:
    """Answer what is drawn and what is asked until nothing is."""
    while queue := list_queue(session, STEWARD, NOW):
        answer(session, who, (queue[0].one_id, queue[0].other_id))


def measure(session: Session, who: dict[str, str], number: int) -> tuple[float, float]:
    """For how many pairs all labels speak, and for how many of one person, where a model of this number draws."""
    with session.begin_nested() as trial:
        model = default_model()
        other = replace(model, review_at=model.review_at + number / 1e6)
        add_model(session, other, None, NOW)
        activate_model(session, other.version, None, "essai", NOW)
        while link_some(session, NOW):
            pass
        draw_samples(session, NOW)
        answer_all(session, who)
        labels = read_labels(session)
        trial.rollback()
    session.expire_all()
    return sum(one.stands_for for one in labels), sum(one.stands_for for one in labels if one.same)


@pytest.mark.slow
def test_a_few_draws_tell_on_average_what_all_pairs_would(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    who = add_sisters(session)
    answer_all(session, who)
    monkeypatch.setattr(link_samples, "_OF_EACH", 10_000)
    everything = measure(session, who, 0)
    monkeypatch.setattr(link_samples, "_OF_EACH", 2)
    estimates = [measure(session, who, number) for number in range(1, 41)]
    for known, found in zip(everything, zip(*estimates, strict=True), strict=True):
        assert abs(fmean(found) - known) < 3 * stdev(found) / sqrt(len(found))


def test_an_empty_registry_has_nothing_to_draw(session: Session) -> None:
    assert draw_samples(session, NOW) == 0
