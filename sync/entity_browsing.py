"""Entity lists and entities for people: counted, filtered, searched by their words, scoped to the viewer, read by key.

What tablets get is entity_lists.py's work; the history of one entity is entity_history.py's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, text, true, tuple_
from sqlalchemy.orm import Session

from forms.programme import ListPolicy
from sync.entity_state import fold_label
from sync.entity_words import has_words, split_words
from sync.models import Entity, EntityConflict, EntityContribution, EntityList, Submission
from sync.models.entities import IS_DISPUTED
from sync.policy import Viewer, access, list_exportable_classes, list_row_classes, present_property, programme
from sync.scopes import receiving_site, scope_entities

_Select = TypeVar("_Select", bound=Select[*tuple[Any, ...]])

# Counting stops here: a list of a million rows must not cost more to look at than one of some thousands.
MOST_COUNTED = 10_000
PAGE_SIZE = 50
ENTITY_STATES = ("open", "closed", "absent")
TROUBLES = ("conflict", "held")

# Whether a row exists and is open, for each state; without one, all that exist.
_SPANS: dict[str | None, tuple[tuple[bool, bool], ...]] = {
    None: ((True, True), (True, False)),
    "open": ((True, True),),
    "closed": ((True, False),),
    "absent": ((False, False),),
}
_EVERYTHING = (*_SPANS[None], *_SPANS["absent"])
_IS_DISPUTED = text(f"entities.{IS_DISPUTED}")
_LAST = "\U0010ffff"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class EntityFilters:
    """What a reader narrows a list to; None is no limit. `asked` are words, each as it begins, or an entity's id."""

    site_code: str | None = None
    state: str | None = None
    trouble: str | None = None
    asked: str = ""

    @property
    def spans(self) -> tuple[tuple[bool, bool], ...]:
        # What is held may be about an entity that is not here yet.
        return _EVERYTHING if self.trouble == "held" and self.state is None else _SPANS[self.state]


@dataclass(frozen=True, slots=True)
class EntityPage:
    """Some rows by label; `after` is the last one's id where there are more."""

    rows: Sequence[Entity]
    after: int | None


@dataclass(frozen=True, slots=True)
class ListSummary:
    """How many rows of a list the viewer may know of; a number above MOST_COUNTED stands for more than that."""

    name: str
    entities: int
    open: int
    conflicts: int
    held: int


@dataclass(frozen=True, slots=True)
class ListTrouble:
    """Rows of one list that wait for a human (conflict) or for a record (held), and since when the oldest does."""

    name: str
    trouble: str
    count: int
    since: datetime


def list_troubles(session: Session, viewer: Viewer | None) -> list[ListTrouble]:
    """List what waits in each list that the viewer may know of; without a viewer (the command line) in all of them."""
    found = []
    for name in list_names(session, viewer):
        for trouble, waiting in _WAITING.items():
            count, since = session.execute(_scoped(waiting, viewer, name, unplaced=True)).one()
            found += [ListTrouble(name, trouble, count, since)] if count else []
    return found


_WAITING = {
    "conflict": select(func.count(Entity.id.distinct()), func.min(EntityConflict.opened_at)).join(Entity.conflicts),
    "held": select(func.count(Entity.id.distinct()), func.min(Submission.received_at))
    .join(Entity.contributions)
    .join(EntityContribution.submission)
    .where(EntityContribution.waits_for.is_not(None)),
}


def list_names(session: Session, viewer: Viewer | None) -> list[str]:
    """The lists of which the viewer may know that they are there; without a viewer (the command line) all of them."""
    names = sorted({*session.scalars(select(EntityList.name)), *programme().lists})
    return [name for name in names if viewer is None or _is_visible(session, viewer, name)]


def list_properties(session: Session, list_name: str) -> list[str]:
    """The properties that forms or the programme declare for a list, in one order everywhere."""
    declared = session.scalar(select(EntityList.properties).where(EntityList.name == list_name)) or []
    return list(dict.fromkeys([*programme().policy_for_list(list_name).properties, *declared]))


def list_exportable_properties(session: Session, viewer: Viewer, list_name: str) -> list[str]:
    """Those properties that the viewer may take out of the server, each by its own class."""
    policy, classes = programme().policy_for_list(list_name), list_exportable_classes(viewer)
    return [one for one in list_properties(session, list_name) if policy.data_class(one) in classes]


def summarise_list(session: Session, viewer: Viewer | None, list_name: str, most: int | None = None) -> ListSummary:
    """Count a list's rows, without reading more than an index of them, and at most so many."""

    def count(which: Any, *, unplaced: bool = False) -> int:
        found = _scoped(select(Entity.id).where(which), viewer, list_name, unplaced=unplaced)
        stopped = found.limit(None if most is None else most + 1)
        return session.scalar(select(func.count()).select_from(stopped.subquery())) or 0

    is_open, is_closed = (count(_at_span(*span)) for span in _SPANS[None])
    held = count(_IS_HELD, unplaced=True)
    return ListSummary(list_name, is_open + is_closed, is_open, count(_IS_DISPUTED), held)


def list_entities(
    session: Session, viewer: Viewer | None, list_name: str, filters: EntityFilters, after: int | None = None
) -> EntityPage:
    """Read one page of a list by label; deep pages cost what the first does. `after` is the one before's last id."""
    wanted = _narrow(session, viewer, list_name, filters)
    if after is not None:
        wanted = wanted.where(_follows(session, after))
    rows: list[Entity] = []
    # Each span has its own stretch of the index; put together, they are in order again.
    for span in filters.spans:
        rows += session.scalars(wanted.where(_at_span(*span)).limit(PAGE_SIZE + 1))
    rows.sort(key=attrgetter("label_key", "id"))
    return EntityPage(rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None)


def narrow_list(session: Session, viewer: Viewer | None, list_name: str, filters: EntityFilters) -> Select[Entity]:
    """The rows of a list that the viewer may know of and that the filters leave, by label."""
    found = _narrow(session, viewer, list_name, filters)
    return found.where(or_(*(_at_span(*span) for span in filters.spans)))


def find_entity(session: Session, viewer: Viewer | None, list_name: str, uuid: str) -> Entity | None:
    """Find one entity that the viewer may know of, be it closed, deleted or not here yet."""
    named = select(Entity).where(Entity.uuid == uuid.lower())
    return session.scalar(_scoped(named, viewer, list_name, unplaced=True))


def may_search_labels(viewer: Viewer | None, list_name: str) -> bool:
    """Whether the viewer may look for words: whoever reads plainly all that they stand in."""
    names = ("label", *programme().policy_for_list(list_name).searched)
    return viewer is None or all(present_property(viewer, list_name, one, "x").kind == "shown" for one in names)


def is_asked(session: Session, viewer: Viewer | None, list_name: str, asked: str) -> ColumnElement[bool]:
    """The condition that a row is the one of this id or has these words, each as it begins.

    Who may not read labels finds entities by their id only: a hit would tell.
    """
    key = fold_label(asked)
    if _UUID.fullmatch(key) or not may_search_labels(viewer, list_name):
        return Entity.uuid == key
    if words := split_words(asked):
        return has_words(session, list_name, sorted(words))
    # A letter or a sign is the beginning of a label: it stands in too many of them.
    return and_(Entity.label_key >= key, Entity.label_key < key + _LAST) if key else false()


def _is_visible(session: Session, viewer: Viewer, list_name: str) -> bool:
    policy = programme().policy_for_list(list_name)
    if policy.record_class not in list_row_classes(viewer):
        return False
    return not access(viewer, policy.record_class).own_site or _receives(session, viewer, policy)


def _receives(session: Session, viewer: Viewer, policy: ListPolicy) -> bool:
    return session.scalar(select(receiving_site(viewer, policy))) is not None


_IS_HELD = Entity.id.in_(select(EntityContribution.entity_id).where(EntityContribution.waits_for.is_not(None)))


def _scoped(found: _Select, viewer: Viewer | None, list_name: str, *, unplaced: bool = False) -> _Select:
    if viewer is None:
        return found.where(Entity.list_name == list_name)
    return scope_entities(found, viewer, list_name, unplaced=unplaced)


def _narrow(session: Session, viewer: Viewer | None, list_name: str, filters: EntityFilters) -> Select[Entity]:
    found = select(Entity).order_by(Entity.label_key, Entity.id)
    found = _scoped(found, viewer, list_name, unplaced=filters.trouble == "held")
    if filters.site_code is not None:
        found = found.where(Entity.site_code == filters.site_code)
    if filters.trouble == "conflict":
        found = found.where(_IS_DISPUTED)
    if filters.trouble == "held":
        found = found.where(_IS_HELD)
    return found.where(is_asked(session, viewer, list_name, filters.asked)) if filters.asked else found


def _follows(session: Session, after: int) -> ColumnElement[bool]:
    key = session.scalar(select(Entity.label_key).where(Entity.id == after))
    return false() if key is None else tuple_(Entity.label_key, Entity.id) > tuple_(key, after)


def _at_span(exists: bool, is_open: bool) -> ColumnElement[bool]:
    # Written as comparisons: an index serves them on both databases.
    return and_(Entity.exists == (true() if exists else false()), Entity.is_open == (true() if is_open else false()))
