"""Whatever people and tablets did, in whatever order: a fresh server makes the same registry of the same facts."""

import os
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.processing import process_pending
from sync.authors import find_author
from sync.db import begin_write
from sync.journal import JournalFact, read_journal, receive_journal, write_line
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
from sync.link_models import activate_model, add_model, find_linking
from sync.linkage.model import LinkModel, default_model
from sync.linkage.pet_forms import add_pet_forms
from sync.models import LinkDecision, Submission
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
SOAK = int(os.environ.get("TERAL_SOAK", "1"))
PET_FORMS = (("pupu", "coumba"), ("nabou", "binta"), ("modi", "mamadou"))
Act = Callable[[Session, "Story"], None]
Something = TypeVar("Something")


class NothingDone(Exception):
    """There was nothing to which an act could be done."""


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
    if len(present) < 2:
        raise NothingDone
    verb = story.dice.choice((decide_same, decide_same, decide_apart, decide_unsure))
    verb(session, *story.dice.sample(present, 2), story.word(needs_second=story.dice.random() < 0.2))


def part(session: Session, story: Story) -> None:
    """One record is taken out of its person, or a part of them."""
    person = choose(story, sorted(sorted(one) for one in persons(session) if len(one) > 1))
    story.dice.shuffle(person)
    if story.dice.random() < 0.5:
        unlink_record(session, STEWARD, person[0], person[1:], story.word())
    else:
        cut = story.dice.randrange(1, len(person))
        split_person(session, STEWARD, person[:cut], person[cut:], story.word())


def set_value(session: Session, story: Story) -> None:
    one = choose(story, sorted(min(person) for person in persons(session)))
    set_golden_value(session, STEWARD, one, "given_names", story.dice.choice(("Awa", "Aoua")), story.word())


def confirm(session: Session, story: Story) -> None:
    decision = choose(story, standing(session, LinkDecision.needs_second, LinkDecision.confirmed_at.is_(None)))
    confirm_decision(session, decision, find_author(session, "Fatou", NOW).id, story.word().now)


def undo(session: Session, story: Story) -> None:
    undo_link_decision(session, choose(story, standing(session)), None, story.word().now)


def standing(session: Session, *conditions: ColumnElement[bool]) -> Sequence[LinkDecision]:
    """The decisions that were not taken back."""
    found = select(LinkDecision).where(LinkDecision.undone_at.is_(None), *conditions)
    return session.scalars(found.order_by(LinkDecision.id)).all()


def choose(story: Story, some: Sequence[Something]) -> Something:
    """One of these, or NothingDone where there is none."""
    if not some:
        raise NothingDone
    return story.dice.choice(some)


def choose_model(session: Session, story: Story) -> None:
    """An administrator lets another of a few models make the links."""
    active = active_model(session)
    others = [replace(default_model(), link_at=at, aliases=active.aliases) for at in (12.0, 15.0, 18.0, 200.0)]
    activate(session, story, choose(story, [one for one in others if one != active]))


def add_names(session: Session, story: Story) -> None:
    """Short forms of names that an administrator adds to the active model: another model."""
    active = active_model(session)
    short, full = choose(story, [names for names in PET_FORMS if names[0] not in active.aliases])
    activate(session, story, add_pet_forms(active, [(short, full)]))


def active_model(session: Session) -> LinkModel:
    linking = find_linking(session)
    assert linking is not None
    return linking.model


def activate(session: Session, story: Story, model: LinkModel) -> None:
    now, fatou = story.word().now, find_author(session, "Fatou", NOW).id
    add_model(session, model, fatou, now)
    activate_model(session, model.version, fatou, "essai", now)
    session.commit()
    process_pending()
    session.expire_all()


ACTS: Sequence[Act] = (
    come, come, come, edit, edit, come_twice, decide, decide, judge, judge, judge, part, part, set_value, confirm, undo,
    undo, choose_model, add_names,
)  # fmt: skip


def live(session: Session, seed: int, acts: int) -> Story:
    """So many random acts that did something; what is refused or found nothing to do was none."""
    story = Story(random.Random(seed))
    come(session, story)
    come(session, story)
    while sum(story.acts.values()) < acts:
        act = story.dice.choice(ACTS)
        session.commit()
        begin_write(session)
        try:
            act(session, story)
        except (LinkDecisionRefused, DecisionRefused, NothingDone):
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
            receive_journal(session, [one], datetime.now(UTC))
            session.commit()
        if dice.random() < 0.3:
            process_pending()
    process_pending()
    session.expire_all()


def lines_of(journal: Iterable[JournalFact]) -> list[str]:
    return sorted(map(write_line, journal))


def check_replay(session: Session, seed: int, acts: int) -> Story:
    """Told anew from what is here, and on a fresh server from the journal and the records: the same registry."""
    story = live(session, seed, acts)
    before, known = registry_digest(session), persons(session)
    journal = list(read_journal(session))
    session.commit()
    begin_write(session)
    rebuild_registry(session, attachment_store(), {}, NOW)
    session.commit()
    assert (registry_digest(session), persons(session)) == (before, known), f"seed {seed}: a rebuild"
    forget(session)
    replay(session, story, journal, seed)
    assert (registry_digest(session), persons(session)) == (before, known), f"seed {seed}: a fresh server"
    assert lines_of(read_journal(session)) == lines_of(journal), f"seed {seed}: its journal"
    return story


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
    assert set(check_replay(session, 5, acts).acts) == {act.__name__ for act in ACTS}


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(100, 100 + 4 * SOAK))
def test_other_acts_give_the_same_registry_too(session: Session, seed: int) -> None:
    prepare(session)
    check_replay(session, seed, 150)
