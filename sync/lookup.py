"""Looking for a person as an officer would: any spelling, part of a name, age, mother, telephone, document, reference.

Words narrow millions of records down to some hundreds, the active model of linkage ranks those. Who may read no names
finds by reference only: a hit would tell.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from math import inf

from sqlalchemy import CompoundSelect, Connection, Select, and_, func, intersect, or_, select
from sqlalchemy.orm import Session, aliased

from sync import link_rows as rows
from sync.db import plan_by_values
from sync.golden import place_in_time
from sync.link_models import Linking, find_linking
from sync.linkage.features import Features
from sync.linkage.score import Scorer
from sync.linkage.words import (
    NAME,
    Clues,
    begins_name,
    find_years,
    is_short,
    list_asked_words,
    list_beginnings,
    list_numbers,
    list_readings,
    list_variants,
    read_clues,
)
from sync.models import LinkMember, LinkWord, PersonRecord, Submission
from sync.policy import Viewer, access
from sync.scopes import scope_people

# So many identities are ranked, and so many persons shown.
_RANKED = 250
LISTED = 50
# Below so many hits the next, wider way of looking is taken.
_ENOUGH = 20
_MOST_ENDINGS = 40
# To ask each of fewer than so many for its other words is quicker than to walk along theirs.
_FEW = 1000


@dataclass(frozen=True, slots=True)
class Description:
    """Who is looked for, as it is typed. `text` takes anything: names, a reference, numbers, a birth or an age."""

    text: str = ""
    mother: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A person with the record of theirs that fits best, and how well it fits, in bits; None: nothing was weighed.

    `reference` is the one that the person shows: that of the first of their records, of those that the viewer may read.
    """

    person_id: int
    record: PersonRecord
    bits: float | None
    reference: str


@dataclass(frozen=True, slots=True)
class _Search:
    """One look-up: the model that reads and ranks, and at which site the records must be (None: anywhere)."""

    connection: Connection
    linking: Linking
    viewer: Viewer
    readings: Sequence[Features]

    @property
    def site_id(self) -> int | None:
        return self.viewer.site_id if access(self.viewer, "D3").own_site else None


def look_up(session: Session, viewer: Viewer, asked: Description, now: datetime) -> list[Found]:
    """Find the persons who fit what was asked, the likeliest first, of those records that the viewer may read."""
    clues = _read_clues(asked, now)
    named = _find_by_reference(session, viewer, clues.references)
    linking = find_linking(session)
    if linking is None or clues.is_empty or not access(viewer, "D3").reads_plainly:
        return named
    search = _Search(session.connection(), linking, viewer, list_readings(clues, linking.model.cleaner))
    plan_by_values(search.connection)
    ranked = _rank(search, clues, _find_identities(search, clues))
    known = {one.person_id for one in named}
    return named + [one for one in _list_persons(session, search, ranked) if one.person_id not in known]


def tells_enough(asked: Description, now: datetime) -> bool:
    """Whether anybody can be found by this: an age, a birth or a sex alone fits too many to look for them."""
    return not _read_clues(asked, now).is_empty


def _read_clues(asked: Description, now: datetime) -> Clues:
    sex = asked.sex if asked.sex in ("1", "2") else ""
    return read_clues(asked.text.strip(), asked.mother.strip(), sex, now.date())


def _find_by_reference(session: Session, viewer: Viewer, references: Sequence[str]) -> list[Found]:
    """A person answers to the references of all their records."""
    if not references:
        return []
    named = select(PersonRecord).where(PersonRecord.reference.in_(references)).order_by(PersonRecord.id).limit(LISTED)
    by_person = {one.person_id: one for one in session.scalars(scope_people(named, viewer))}
    shown = _find_references(session, viewer, by_person)
    return [Found(person, record, None, shown[person]) for person, record in by_person.items()]


def list_newest(session: Session, viewer: Viewer) -> list[Found]:
    """The persons of whom the newest records tell that the viewer may read, each once."""
    newer = aliased(PersonRecord)
    later = scope_people(select(newer.id), viewer, newer)
    later = later.where(newer.person_id == PersonRecord.person_id, newer.id > PersonRecord.id)
    newest = scope_people(select(PersonRecord).where(~later.exists()), viewer).order_by(PersonRecord.id.desc())
    records = session.scalars(newest.limit(LISTED)).all()
    shown = _find_references(session, viewer, {one.person_id for one in records})
    return [Found(one.person_id, one, None, shown[one.person_id]) for one in records]


def _find_references(session: Session, viewer: Viewer, persons: Collection[int]) -> dict[int, str]:
    """The references that these persons show to the viewer."""
    told = select(
        PersonRecord.person_id, PersonRecord.reference, PersonRecord.ended_at, Submission.instance_id, PersonRecord.path
    ).join(PersonRecord.submission)
    rows = session.execute(scope_people(told.where(PersonRecord.person_id.in_(persons)), viewer))
    latest_first = sorted(rows, key=lambda row: place_in_time(*row[2:]), reverse=True)
    return {row.person_id: row.reference for row in latest_first}


def _find_identities(search: _Search, clues: Clues) -> set[int]:
    """By numbers, and by words: all of them in their sound, then as parts of names, then all but one."""
    numbers = list_numbers(search.readings) if clues.numbers else []
    found = set(_find_all(search, [numbers])) if numbers else set()
    words = list_asked_words(clues, search.linking.model.cleaner)
    years = find_years(search.readings[0])
    if words:
        found |= _find_by_words(search, [[word] for word in words], years)
        if len(found) < _ENOUGH:
            found |= _find_by_words(search, _widen(search, clues, words), years)
    if len(found) < _ENOUGH:
        for fewer in _leave_out_one(words, len(clues.names)):
            found |= set(_find_all(search, [[word] for word in fewer]))
    return found


def _leave_out_one(words: Sequence[str], names: int) -> list[list[str]]:
    """The words without one name each, and without the mother: what somebody remembers need not be right."""
    left = [[*words[:place], *words[place + 1 :]] for place in range(min(names, len(words)))]
    return [fewer for fewer in [*left, list(words[:names])] if fewer and len(fewer) < len(words)]


def _find_by_words(search: _Search, words: Sequence[Sequence[str]], years: tuple[int, int] | None) -> set[int]:
    """In any year; where those are too many to look at them all, within the years that fit."""
    found = set(_find_all(search, words))
    return found | set(_find_all(search, words, years)) if years and len(found) >= _RANKED else found


def _widen(search: _Search, clues: Clues, words: Sequence[str]) -> list[list[str]]:
    """For each word those of other vowels, and those that begin with it: it may be a part of a name."""
    cleaner = search.linking.model.cleaner
    beginnings = {NAME + cleaner.find_key(name): list_beginnings(name) for name in clues.names}
    return [
        [*list_variants(word), *(ending for part in beginnings.get(word, ()) for ending in _list_endings(search, part))]
        for word in words
    ]


def _list_endings(search: _Search, beginning: str) -> list[str]:
    """The words that begin so, by jumping from each to the next: the table holds each of them thousands of times."""
    mine = LinkWord.model_id == search.linking.model_id
    jump = select(func.min(LinkWord.word).label("word")).where(mine, LinkWord.word >= beginning).cte(recursive=True)
    after = select(func.min(LinkWord.word)).where(mine, LinkWord.word > jump.c.word).scalar_subquery()
    jump = jump.union_all(select(after).where(jump.c.word.is_not(None), jump.c.word < beginning + "~"))
    endings = select(jump.c.word).where(jump.c.word.startswith(beginning, autoescape=True)).limit(_MOST_ENDINGS)
    return list(search.connection.execute(endings).scalars())


def _find_all(search: _Search, words: Sequence[Sequence[str]], years: tuple[int, int] | None = None) -> Sequence[int]:
    """Identities that have one word of each kind, the newest first."""
    if len(words) == 1:
        # The table holds the identities of one word in order; those of several must all be read to find the newest.
        found = chain.from_iterable(_find_newest(search, [_have(search, [word], years)]) for word in words[0])
        return sorted(set(found), reverse=True)[:_RANKED]
    return _find_newest(search, [_have(search, kind, years) for kind in words])


def _have(search: _Search, words: Sequence[str], years: tuple[int, int] | None) -> Select[int]:
    """The identities that have one of these words."""
    one = aliased(LinkWord)
    found = select(one.identity_id).where(one.model_id == search.linking.model_id, one.word.in_(words))
    return found.where(or_(one.year.is_(None), one.year.between(*years))) if years else found


def _find_newest(search: _Search, kinds: Sequence[Select[int]]) -> Sequence[int]:
    """The newest identities that are of all these kinds, and at the viewer's site."""
    found = _intersect(search.connection, [*kinds, *_at_site(search)])
    newest = found.order_by(found.selected_columns.identity_id.desc()).limit(_RANKED)
    return search.connection.execute(newest).scalars().all()


def _intersect(connection: Connection, kinds: Sequence[Select[int]]) -> Select[int] | CompoundSelect[int]:
    """The identities that are of all kinds.

    An index holds those of each in order, so that one can walk along all of them side by side, and stop at the first
    so many. PostgreSQL sees that in a join. SQLite sees it in an INTERSECT alone: in a join it asks each identity of
    the first kind whether it is of the others, which takes twenty times as long where many are and few are of all.
    """
    if connection.dialect.name == "sqlite" and len(kinds) > 1:
        kinds = sorted(kinds, key=lambda one: _count(connection, one))
        if _count(connection, kinds[0]) == _FEW:
            return intersect(*kinds)
    first, *others = kinds
    identity = first.selected_columns.identity_id
    return first.where(*(one.where(one.selected_columns.identity_id == identity).exists() for one in others)).distinct()


def _count(connection: Connection, kind: Select[int]) -> int:
    """How many identities are of a kind, up to _FEW."""
    return connection.execute(select(func.count()).select_from(kind.limit(_FEW).subquery())).scalar_one()


def _at_site(search: _Search) -> list[Select[int]]:
    """The identities of records at the viewer's site, where they may see no others."""
    if search.site_id is None:
        return []
    here = LinkMember.model_id == search.linking.model_id, LinkMember.site_id == search.site_id
    return [select(LinkMember.identity_id).where(*here)]


def _rank(search: _Search, clues: Clues, identities: Iterable[int]) -> dict[int, float]:
    """The identities with the weight of the reading that fits best: the heaviest first, the newest where many weigh so.

    What begins a name weighs nothing by the model, which knows whole names: those in whom a short one begins none come
    after the others.
    """
    scorer, parts = search.linking.scorer, [list_beginnings(name) for name in clues.names if is_short(name)]
    features = rows.read_features(search.connection, set(identities))
    weighed = {one: _weigh(scorer, search.readings, known) for one, known in features.items()}
    missed = {one: sum(not begins_name(part, known) for part in parts) for one, known in features.items()}
    ranked = sorted(weighed.items(), key=lambda item: (missed[item[0]], -item[1], -item[0]))
    return dict(ranked[: 2 * LISTED])


def _weigh(scorer: Scorer, readings: Sequence[Features], known: Features) -> float:
    """The weight of the reading that fits best; the next need not be weighed to the end."""
    bits = -inf
    for reading in readings:
        bits = max(bits, scorer.compare(reading, known, bits))
    return bits


def _list_persons(session: Session, search: _Search, ranked: Mapping[int, float]) -> list[Found]:
    """The persons of these identities, each once, by the best of their records, in the order of the identities."""
    place = {identity: number for number, identity in enumerate(ranked)}
    members = and_(LinkMember.home_id == PersonRecord.home_id, LinkMember.model_id == search.linking.model_id)
    known = (
        select(PersonRecord.person_id, LinkMember.identity_id, func.min(PersonRecord.id).label("record_id"))
        .join(LinkMember, members)
        .where(LinkMember.identity_id.in_(list(ranked)))
        .group_by(PersonRecord.person_id, LinkMember.identity_id)
    )
    hits = session.execute(scope_people(known, search.viewer)).all()
    best: dict[int, tuple[int, int]] = {}
    for hit in sorted(hits, key=lambda one: (place[one.identity_id], one.record_id)):
        best.setdefault(hit.person_id, (hit.record_id, hit.identity_id))
    shown = dict(islice(best.values(), LISTED))
    records = {one.id: one for one in session.scalars(select(PersonRecord).where(PersonRecord.id.in_(list(shown))))}
    references = _find_references(session, search.viewer, {one.person_id for one in records.values()})
    return [
        Found(records[one].person_id, records[one], ranked[identity], references[records[one].person_id])
        for one, identity in shown.items()
    ]
