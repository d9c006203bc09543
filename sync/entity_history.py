"""One entity's history for people: who said what, what they had seen, and what became of every value.

It is read off the same facts and by the same rules as the fold (entity_fold.py), so it never tells another story.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sync import entity_rows as rows
from sync.branches import Contribution, Graph
from sync.entity_decisions import conflict_token
from sync.entity_facts import ActFacts, DecisionFacts, Fact, Folded, SaidFacts, Wait, fold_history
from sync.merge import DELETED, Fate, explain_property
from sync.models import Actor, Entity, EntityAct, EntityConflict, EntityContribution, EntityDecision, Submission
from sync.policy import Viewer, may_decide_property, programme
from sync.scopes import scope_submissions

Standing = Literal["applied", "forced", "held", "aside", "broken", "undone"]
# What is not applied comes after everything that is.
_LAST = {"held": 1, "broken": 2, "aside": 2, "undone": 2}
_APPLIED = ("applied", "forced")


@dataclass(frozen=True, slots=True)
class Seen:
    """What an author had before them: nothing, a served version, a change of their own tablet since one, a question."""

    kind: Literal["nothing", "version", "branch", "question"]
    version: int = 0
    change: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was said about an entity.

    `submission` is None where the viewer may not know the record, and where there is none: then an `act` or a
    `decision` has an `actor`. `version` is the number under which tablets first got it, None where none did.
    """

    key: str
    standing: Standing
    seen: Seen
    at: datetime | None
    said: EntityContribution | None = None
    submission: Submission | None = None
    act: EntityAct | None = None
    decision: EntityDecision | None = None
    actor: str | None = None
    version: int | None = None
    waits_for: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    fates: Mapping[str, Fate] = field(default_factory=dict)  # empty where nothing of it is applied
    may_undo: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A property between whose values a human must choose. `token` goes back with the choice."""

    conflict: EntityConflict
    token: str
    may_decide: bool


@dataclass(frozen=True, slots=True)
class EntityHistory:
    """All steps in the order in which they count, what does not count at the end; and what is open."""

    steps: Sequence[Step]
    questions: Sequence[Question]

    def find_step(self, key: str | None) -> Step | None:
        """Find the step of this name."""
        return next((one for one in self.steps if one.key == key), None)

    @property
    def held(self) -> list[Step]:
        return [one for one in self.steps if one.standing == "held"]


def read_history(session: Session, entity: Entity, viewer: Viewer | None) -> EntityHistory:
    """Read what was said about an entity; a record that the viewer may not know of stays unnamed.

    Without a viewer (the command line) all is named, and nothing is to be decided.
    """
    [history] = rows.read_histories(session, [entity.id])
    folded = fold_history(history, programme().policy_for_list(entity.list_name))
    reading = _Reading(session, entity, viewer, folded)
    place = {one.key: number for number, one in enumerate(folded.graph.order)}
    steps = [reading.read_step(one) for one in folded.waits]
    # An edit has the name of the record that it took the place of: only what is applied has a place.
    steps.sort(key=lambda one: (_LAST.get(one.standing, 0), place.get(one.key, 0), one.key))
    questions = [
        Question(one, conflict_token(one), _may_decide(viewer, entity, one.property_name)) for one in entity.conflicts
    ]
    return EntityHistory(steps, questions)


class _Reading:
    """The rows behind the facts, and what the fold says about each."""

    def __init__(self, session: Session, entity: Entity, viewer: Viewer | None, folded: Folded) -> None:
        self.entity, self.viewer, self.graph = entity, viewer, folded.graph
        self.said = {one.id: one for one in _load_said(session, entity)}
        self.acts = {one.id: one for one in entity.acts}
        self.decisions = {one.id: one for one in entity.decisions}
        self.visible = _list_visible(session, viewer, self.said.values())
        self.actors = _list_actors(session, [*self.acts.values(), *self.decisions.values()])
        self.issued = {key: one.number for one in reversed(folded.history.issued) for key in one.added}
        self.placed = {one.key: one for one in self.graph.order}
        self.fates = _explain(self.graph, entity.list_name)

    def read_step(self, wait: Wait) -> Step:
        fact = wait.fact
        standing = self._standing(wait)
        applied = standing in _APPLIED
        own = fact.read()
        step = Step(
            key=fact.key,
            standing=standing,
            # An edit had before it what its original had.
            seen=_read_seen(self.placed.get(fact.key, own) if applied else own),
            at=own.ended_at,
            version=self.issued.get(fact.key) if applied else None,
            waits_for=wait.missing if standing == "held" else None,
            values={name: value for name, value in own.values.items() if name != DELETED},
            fates=self.fates.get(fact.key, {}) if applied else {},
        )
        return self._name(step, fact)

    def _standing(self, wait: Wait) -> Standing:
        fact = wait.fact
        if isinstance(fact, DecisionFacts) and fact.undone:
            return "undone"
        if isinstance(fact, SaidFacts) and not fact.counts:
            return "broken" if self.said[fact.id].problem else "aside"
        if wait.forced:
            return "forced"
        return "held" if wait.missing else "applied"

    def _name(self, step: Step, fact: Fact) -> Step:
        """The step with who is behind it, as far as the viewer may know."""
        if isinstance(fact, SaidFacts):
            said = self.said[fact.id]
            return replace(step, said=said, submission=said.submission if said.submission_id in self.visible else None)
        if isinstance(fact, ActFacts):
            act = self.acts[fact.id]
            return replace(step, act=act, actor=self.actors.get(act.actor_id))
        decision = self.decisions[fact.id]
        right = _may_decide(self.viewer, self.entity, fact.property_name)
        may_undo = right and step.standing == "applied"
        return replace(step, decision=decision, actor=self.actors.get(decision.actor_id), may_undo=may_undo)


def _read_seen(read: Contribution) -> Seen:
    if read.shown is not None:
        return Seen("question", read.base_version or 0)
    if read.begins:
        return Seen("nothing")
    base, trunk = read.base_version or 1, read.trunk_version or 1
    return Seen("branch", trunk, base - trunk + 1) if read.predecessor else Seen("version", base)


def _explain(graph: Graph, list_name: str) -> dict[str, dict[str, Fate]]:
    policy = programme().policy_for_list(list_name)
    fates: dict[str, dict[str, Fate]] = {}
    for name in sorted({name for one in graph.order for name in one.values} - {DELETED}):
        for fate in explain_property(graph, name, policy.merge_policy(name)):
            fates.setdefault(fate.key, {})[name] = fate
    return fates


def _load_said(session: Session, entity: Entity) -> Sequence[EntityContribution]:
    submission = joinedload(EntityContribution.submission)
    loaded = submission.joinedload(Submission.device), submission.joinedload(Submission.site)
    found = select(EntityContribution).where(EntityContribution.entity_id == entity.id).options(*loaded)
    return session.scalars(found).all()


def _list_visible(session: Session, viewer: Viewer | None, said: Iterable[EntityContribution]) -> set[int]:
    ids = [one.submission_id for one in said]
    known = select(Submission.id).where(Submission.id.in_(ids))
    return set(ids) if viewer is None else set(session.scalars(scope_submissions(known, viewer)))


def _may_decide(viewer: Viewer | None, entity: Entity, property_name: str) -> bool:
    return viewer is not None and may_decide_property(viewer, entity.list_name, property_name)


def _list_actors(session: Session, facts: Iterable[EntityAct | EntityDecision]) -> dict[int | None, str]:
    wanted = {one.actor_id for one in facts} | {one.undone_by_id for one in facts if isinstance(one, EntityDecision)}
    found = session.scalars(select(Actor).where(Actor.id.in_(wanted - {None})))
    return {one.id: one.display_name for one in found}
