"""Whatever people and tablets did, in whatever order: a fresh server makes the same registry of the same facts."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.processing import process_pending
from sync.db import begin_write
from sync.journal import JournalFact, read_journal, receive_journal
from sync.link_decisions import (
    LinkDecisionRefused,
    Word,
    confirm_decision,
    decide_apart,
    decide_same,
    decide_unsure,
    set_golden_value,
    split_person,
    undo_link_decision,
    unlink_record,
)
from sync.models import Actor, LinkDecision, Submission
from sync.policy import Viewer
from sync.quarantine import DecisionRefused, accept, reject
from sync.quarantine import replay as take_back
from sync.rebuilding import rebuild_registry
from sync.registry import registry_digest
from tests.sync.factory import NOW
from tests.sync.meetings import meet, persons, prepare, send
from tests.sync.test_link_order import FACES, Told
from tests.sync.test_registry import forget

STEWARD = Viewer(1, "data_steward")
Act = Callable[[Session, "Story"], None]


@dataclass
class Story:
    """What happened so far: what tablets sent, and how often which act was done."""

    dice: random.Random
    told: list[Told] = field(default_factory=list)
    minutes: int = 0
    acts: dict[str, int] = field(default_factory=dict)

    def word(self, *, needs_second: bool = False) -> Word:
        self.minutes += 1
        return Word(None, NOW + timedelta(minutes=self.minutes), "vu avec le poste", needs_second=needs_second)


def come(session: Session, story: Story) -> None:
    name = f"uuid:{len(story.told)}"
    one = Told(name, tuple(story.dice.choices(FACES, k=story.dice.choice((1, 1, 2)))), story.dice.randrange(60))
    story.told.append(one)
    meet(session, one.instance_id, *one.people, day=one.day)


def edit(session: Session, story: Story) -> None:
    """A record, an edit or an edit that has a rival is edited."""
    before = story.dice.choice(story.told).instance_id
    one = Told(f"{before}.{len(story.told)}", (story.dice.choice(FACES),), story.dice.randrange(60), before)
    story.told.append(one)
    meet(session, one.instance_id, *one.people, deprecated_id=one.deprecated_id, day=one.day)


def come_twice(session: Session, story: Story) -> None:
    """Another tablet's record bears the name of one that is here."""
    one = replace(story.dice.choice(story.told), people=(story.dice.choice(FACES),))
    story.told.append(one)
    meet(session, one.instance_id, *one.people, deprecated_id=one.deprecated_id, day=one.day)


def decide(session: Session, story: Story) -> None:
    """A supervisor takes a record out, lets it count, or takes such a word back."""
    row = story.dice.choice(session.scalars(select(Submission).order_by(Submission.id)).all())
    word = story.word()
    story.dice.choice((accept, reject, reject, take_back))(session, row, None, word.reason, word.now)
    session.commit()
    process_pending()
    session.expire_all()


def judge(session: Session, story: Story) -> None:
    """Two records are the same, are not, or may be."""
    present = sorted(one for person in persons(session) for one in person)
    if len(present) > 1:
        verb = story.dice.choice((decide_same, decide_same, decide_apart, decide_unsure))
        verb(session, *story.dice.sample(present, 2), story.word(needs_second=story.dice.random() < 0.2))


def part(session: Session, story: Story) -> None:
    """One record is taken out of its person, or a part of them."""
    several = sorted(sorted(one) for one in persons(session) if len(one) > 1)
    if not several:
        return
    person = story.dice.choice(several)
    story.dice.shuffle(person)
    if story.dice.random() < 0.5:
        unlink_record(session, STEWARD, person[0], person[1:], story.word())
    else:
        cut = story.dice.randrange(1, len(person))
        split_person(session, STEWARD, person[:cut], person[cut:], story.word())


def set_value(session: Session, story: Story) -> None:
    one = story.dice.choice(sorted(min(person) for person in persons(session)))
    set_golden_value(session, STEWARD, one, "given_names", story.dice.choice(("Awa", "Aoua")), story.word())


def confirm(session: Session, story: Story) -> None:
    decision = choose(session, story, LinkDecision.needs_second, LinkDecision.confirmed_at.is_(None))
    if decision:
        actor = session.scalars(select(Actor)).first() or Actor(kind="user", display_name="Fatou", created_at=NOW)
        session.add(actor)
        session.flush()
        confirm_decision(session, decision, actor.id, story.word().now)


def undo(session: Session, story: Story) -> None:
    decision = choose(session, story)
    if decision:
        undo_link_decision(session, decision, None, story.word().now)


def choose(session: Session, story: Story, *conditions: object) -> LinkDecision | None:
    """A decision that was not taken back."""
    standing = select(LinkDecision).where(LinkDecision.undone_at.is_(None), *conditions).order_by(LinkDecision.id)
    found: Sequence[LinkDecision] = session.scalars(standing).all()
    return story.dice.choice(found) if found else None


ACTS: Sequence[Act] = (
    come, come, come, edit, edit, come_twice, decide, decide, judge, judge, judge, part, part, set_value, confirm, undo,
    undo,
)  # fmt: skip


def live(session: Session, seed: int, acts: int) -> Story:
    """So many random acts; what is refused was none."""
    story = Story(random.Random(seed))
    come(session, story)
    come(session, story)
    while sum(story.acts.values()) < acts:
        act = story.dice.choice(ACTS)
        session.commit()
        begin_write(session)
        try:
            act(session, story)
        except (LinkDecisionRefused, DecisionRefused):
            session.rollback()
            continue
        session.commit()
        story.acts[act.__name__] = story.acts.get(act.__name__, 0) + 1
    return story


def replay(session: Session, story: Story, journal: Sequence[JournalFact], seed: int) -> None:
    """A fresh server takes in the same in another order, a part of it twice."""
    dice = random.Random(seed)
    order: list[Told | JournalFact] = [*story.told, *journal]
    order += dice.sample(order, len(order) // 5)
    dice.shuffle(order)
    for one in order:
        if isinstance(one, Told):
            send(session, one.instance_id, *one.people, deprecated_id=one.deprecated_id, day=one.day)
        else:
            session.commit()
            begin_write(session)
            receive_journal(session, [one], NOW)
            session.commit()
        if dice.random() < 0.3:
            process_pending()
    process_pending()
    session.expire_all()


@pytest.mark.parametrize(
    ("database", "acts"),
    [
        pytest.param("sqlite", 60, id="some"),
        pytest.param("sqlite", 1000, id="a thousand", marks=pytest.mark.slow),
        pytest.param("postgresql", 1000, id="a thousand on PostgreSQL", marks=pytest.mark.slow),
    ],
    indirect=["database"],
)
def test_any_acts_replayed_in_another_order_give_the_same_registry(session: Session, acts: int) -> None:
    prepare(session)
    story = live(session, 5, acts)
    assert set(story.acts) == {act.__name__ for act in ACTS}
    before, known = registry_digest(session), persons(session)
    journal = list(read_journal(session))
    session.commit()
    begin_write(session)
    rebuild_registry(session, attachment_store(), {}, NOW)
    session.commit()
    assert (registry_digest(session), persons(session)) == (before, known)
    forget(session)
    replay(session, story, journal, acts)
    assert (registry_digest(session), persons(session)) == (before, known)
