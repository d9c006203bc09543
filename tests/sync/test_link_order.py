"""Whose records are whose follows from records and decisions alone: in any order, by any number of workers."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Barrier

import pytest
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import attachment_store, db
from server.processing import Batch, Pace, link_next, process_batch, process_pending
from sync.db import begin_write
from sync.link_decisions import LinkFact, receive_link_decision
from sync.link_fold import read_persons
from sync.models import LinkQuestion
from sync.rebuilding import rebuild_registry
from sync.registry import registry_digest
from tests.sync.factory import NOW
from tests.sync.meetings import AWA, BINTA, MODOU, Met, persons, prepare, reference, send
from tests.sync.test_registry import forget

# Homonyms, twins and slips: links, margins and conflicts are all there.
FACES: Sequence[Met] = (
    AWA, replace(AWA, nom="Njie", lieu="Podoor"), replace(AWA, prenoms="Adama"), replace(AWA, naissance="1994-05-18"),
    replace(AWA, mere="", telephone="775550142"), replace(AWA, mere="Ndeye Fall"), MODOU,
    replace(MODOU, prenoms="Mamadou"), replace(MODOU, mere=""), replace(MODOU, naissance="1988-01-01"),
    replace(MODOU, papier="passport", numero="A00123456"), replace(MODOU, papier="passport", numero="A00999999"),
    BINTA, replace(BINTA, nom="Kamara"), replace(BINTA, sexe=""), Met("", "", "2", "", "", "", ""),
    Met("Awa", "Ndiaye", "2", "", "SEN", "", ""), Met("Awa", "Njie", "", "1994-01-01", "GMB", "", ""),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A meeting as a tablet sends it."""

    instance_id: str
    people: tuple[Met, ...]
    day: int
    deprecated_id: str | None = None


def make_history(seed: int, size: int) -> list[Told | LinkFact]:
    """Meetings, some of them edited, and what people decided about them, some of it undone."""
    dice = random.Random(seed)
    told: list[Told | LinkFact] = []
    for number in range(size):
        name = f"uuid:{number}"
        told.append(Told(name, tuple(dice.choices(FACES, k=dice.choice((1, 1, 2)))), dice.randrange(60)))
        if dice.random() < 0.2:
            told.append(Told(f"{name}-edit", (dice.choice(FACES),), dice.randrange(60), name))
    told += make_edits(dice)
    told += [make_fact(dice, number, size) for number in range(size // 3)]
    return told


def make_edits(dice: random.Random) -> list[Told]:
    """A meeting of four, edited again and again: some are taken out, put in, corrected or change their turn."""
    people = tuple(dice.sample(FACES, 4))
    told = [Told("uuid:four", people, 1)]
    for number in range(4):
        people = tuple(dice.sample(people, len(people) - 1)) + tuple(dice.choices(FACES, k=dice.choice((0, 1, 1))))
        before = dice.choice(told[-2:]).instance_id
        told.append(Told(f"uuid:four-{number}", people or (AWA,), dice.randrange(60), before))
    return told


def make_fact(dice: random.Random, number: int, size: int) -> LinkFact:
    one, other = (reference(f"uuid:{turn}") for turn in dice.sample(range(size), 2))
    at = NOW + timedelta(minutes=dice.randrange(30))
    return LinkFact(
        uuid=f"{number:036}",
        kind=dice.choice(("same", "same", "apart", "unsure")),
        left=[one],
        right=[other],
        property_name=None,
        value=None,
        reason="",
        model_version=None,
        decided_at=at,
        needs_second=False,
        confirmed_at=None,
        undone_at=at if dice.random() < 0.3 else None,
    )


def tell(session: Session, one: Told | LinkFact) -> None:
    if isinstance(one, Told):
        send(session, one.instance_id, *one.people, deprecated_id=one.deprecated_id, day=one.day)
        return
    session.commit()
    begin_write(session)
    receive_link_decision(session, one, NOW)
    session.commit()


def live(session: Session, history: Sequence[Told | LinkFact], seed: int) -> str:
    """Tell the history in an order of its own, a part of it twice, processing now and then; return the digest."""
    dice = random.Random(seed)
    order = [*history, *dice.sample(list(history), len(history) // 4)]
    dice.shuffle(order)
    for one in order:
        tell(session, one)
        if dice.random() < 0.4:
            process_pending()
    process_pending()
    session.expire_all()
    return registry_digest(session)


def digests(session: Session, history: Sequence[Told | LinkFact], seeds: Sequence[int]) -> Iterator[str]:
    for seed in seeds:
        forget(session)
        yield live(session, history, seed)


@pytest.mark.both_databases(postgresql="slow")
def test_any_order_gives_the_same_persons_and_questions(session: Session) -> None:
    prepare(session)
    assert len(set(digests(session, make_history(1, 12), (1, 2)))) == 1
    assert session.scalars(select(LinkQuestion)).first() is not None
    assert any(len(one) > 1 for one in persons(session))


@pytest.mark.slow
@pytest.mark.both_databases
def test_any_of_many_orders_gives_the_same_persons(session: Session) -> None:
    prepare(session)
    for history in range(10, 20):
        assert len(set(digests(session, make_history(history, 20), range(5)))) == 1


@pytest.mark.parametrize("size", [pytest.param(30, id="some"), pytest.param(500, id="many", marks=pytest.mark.slow)])
def test_what_was_kept_up_to_date_equals_what_is_told_anew(session: Session, size: int) -> None:
    prepare(session)
    before = live(session, make_history(7, size), 7)
    known = read_persons(session)
    session.commit()
    begin_write(session)
    rebuild_registry(session, attachment_store(), {}, NOW)
    session.commit()
    assert registry_digest(session) == before
    assert read_persons(session) == known


@pytest.mark.both_databases
@pytest.mark.parametrize("rounds", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_workers_side_by_side_make_no_person_twice(session: Session, rounds: int) -> None:
    prepare(session)
    for seed in range(3, 3 + rounds):
        forget(session)
        history = make_history(seed, 16)
        alone = live(session, history, 1)
        forget(session)
        for one in history:
            tell(session, one)
        session.rollback()
        shares = work_side_by_side(4)
        session.expire_all()
        assert registry_digest(session) == alone, f"history {seed}"
        assert sum(shares) == sum(isinstance(one, Told) for one in history)
        assert sum(share > 0 for share in shares) > 1


def work_side_by_side(workers: int) -> list[int]:
    """Workers who start at one moment and take two records at a time; how many each of them processed."""
    app, start = current_app._get_current_object(), Barrier(workers)  # type: ignore[attr-defined]

    def work() -> int:
        with app.app_context():
            pace, done = Pace(db.engine.dialect.name), 0
            start.wait()
            while (batch := process_batch(pace, 2)) != Batch():
                assert batch.failed == 0
                done += batch.done
            while link_next():
                pass
            return done

    with ThreadPoolExecutor(workers) as pool:
        return [one.result() for one in [pool.submit(work) for _ in range(workers)]]
