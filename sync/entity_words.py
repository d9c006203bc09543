"""The words by which people find entities: those of the label, and of the values that the programme names for search.

A plain table with an index, the same on both databases. Who may look for what is entity_browsing.py's question.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from sync.db import add_rows
from sync.entity_state import EntityState
from sync.folding import fold_text
from sync.models import Entity, EntityWord
from sync.policy import programme

# A row is looked up for each of so many hits; what more rows have in common is looked for along the list.
MOST_HITS = 5000
_WORD = re.compile(r"[^\W_]+")
# Single letters are in every other row.
_SHORTEST, _LONGEST = 2, 32
# Of one text: whatever a form puts into a label, it fills no table, and whatever somebody pastes, it is looked for.
_MOST_KEPT, _MOST_ASKED = 200, 10
_LAST = "\U0010ffff"
_word = EntityWord.__table__
_FORGET = delete(EntityWord).where(
    _word.c.list_name == bindparam("list"), _word.c.word == bindparam("old"), _word.c.entity_id == bindparam("key")
)


def split_words(text: str) -> set[str]:
    """The words of a text as they are kept and looked for: without case and accents, the first ones of a long text."""
    found = (one.group()[:_LONGEST] for one in _WORD.finditer(fold_text(text)) if len(one.group()) >= _SHORTEST)
    return set(islice(dict.fromkeys(found), _MOST_KEPT))


def list_words(state: EntityState) -> set[str]:
    """The words by which an entity is found that says this."""
    searched = programme().policy_for_list(state.list_name).searched
    return split_words(" ".join([state.label, *(state.properties.get(name, "") for name in searched)]))


def write_words(session: Session, changes: Iterable[tuple[int, EntityState, EntityState]]) -> None:
    """Keep the words of entities, of each its id and what it said before (nothing, if it is new) and says now."""
    fresh, gone = [], []
    for entity_id, before, after in changes:
        had, has = list_words(before), list_words(after)
        fresh += [{"list_name": after.list_name, "word": one, "entity_id": entity_id} for one in sorted(has - had)]
        gone += [{"list": after.list_name, "old": one, "key": entity_id} for one in sorted(had - has)]
    if gone:
        session.connection().execute(_FORGET, gone)
    add_rows(session.connection(), EntityWord, fresh)


def rewrite_words(session: Session, ids: Sequence[int]) -> None:
    """Keep the words of these entities as their rows say, whatever was kept of them before."""
    session.execute(delete(EntityWord).where(EntityWord.entity_id.in_(ids)))
    rows = session.execute(
        select(Entity.id, Entity.list_name, Entity.uuid, Entity.label, Entity.properties).where(Entity.id.in_(ids))
    )
    said = [(row.id, EntityState(row.list_name, row.uuid, label=row.label, properties=row.properties)) for row in rows]
    write_words(session, [(id_, EntityState(one.list_name, one.uuid), one) for id_, one in said])


def has_words(session: Session, list_name: str, words: Sequence[str]) -> ColumnElement[bool]:
    """The condition that an entity has, for each of these words, one that begins so; of many, for the longest."""
    wanted = [
        select(EntityWord.entity_id).where(
            EntityWord.list_name == list_name, EntityWord.word >= one, EntityWord.word < one + _LAST
        )
        for one in sorted(words, key=len, reverse=True)[:_MOST_ASKED]
    ]
    for one in wanted:
        hits = session.scalars(one.limit(MOST_HITS + 1)).all()
        if len(hits) <= MOST_HITS:
            others = [other for other in wanted if other is not one]
            return _is_one_of(Entity.id, _keep_all(session, set(hits), others))
    return and_(*(one.where(EntityWord.entity_id == Entity.id).exists() for one in wanted))


def _keep_all(session: Session, ids: set[int], wanted: Sequence[Select[int]]) -> set[int]:
    """Those of these rows that have all these words, asked once and not for every page that is made of them."""
    for one in wanted:
        ids = set(session.scalars(one.where(_is_one_of(EntityWord.entity_id, ids)))) if ids else ids
    return ids


def _is_one_of(column: InstrumentedAttribute[int], ids: set[int]) -> ColumnElement[bool]:
    # Numbers of our own, written into the statement: binding thousands of them costs eight times as much.
    given: BindParameter[list[int]] = bindparam("hits", sorted(ids), expanding=True, literal_execute=True)
    return column.in_(given)
