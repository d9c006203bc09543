"""Looking for a person as an officer would: any spelling, part of a name, age, mother, telephone, document, reference.

Words narrow millions of records down to some hundreds, the active model of linkage ranks those. Who may read no names
finds by reference only: a hit would tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from sqlalchemy import Connection, Select, and_, bindparam, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from sync import link_rows as rows
from sync.link_models import Linking, find_linking
from sync.linkage.features import Features
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
from sync.models import LinkMember, LinkWord, PersonRecord
from sync.policy import Viewer, access
from sync.scopes import scope_people

# So many identities are ranked, and so many persons shown.
_RANKED = 250
LISTED = 50
# Below so many hits the next, wider way of looking is taken.
_ENOUGH = 20
# Words are counted up to this number, to begin with the rarest.
_COUNTED = 20_000
_MOST_ENDINGS = 40
_HAVING_WORD = select(func.count()).select_from(
    select(LinkWord.identity_id)
    .where(LinkWord.model_id == bindparam("model_id"), LinkWord.word == bindparam("word"))
    .limit(_COUNTED)
    .subquery()
)


@dataclass(frozen=True, slots=True)
class Description:
    """Who is looked for, as it is typed. `text` takes anything: names, a reference, numbers, a birth or an age."""

    text: str = ""
    mother: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A person with the record of theirs that fits best, and how well it fits, in bits; None: by its reference."""

    person_id: int
    record: PersonRecord
    bits: float | None


@dataclass(frozen=True, slots=True)
class _Search:
    """One look-up: the model that reads and ranks, and at which site the records must be (None: anywhere)."""

    connection: Connection
    linking: Linking
    viewer: Viewer
    readings: Sequence[Features] = field(default_factory=list)
    # How many identities have a word, up to _COUNTED: each way of looking asks again for the words of the one before.
    counts: dict[str, int] = field(default_factory=dict)

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
    named = select(PersonRecord).where(PersonRecord.reference.in_(references)).limit(LISTED)
    return [Found(one.person_id, one, None) for one in session.scalars(scope_people(named, viewer))]


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
    """Within the years that fit; where too few do, in any year."""
    found = set(_find_all(search, words, years))
    return found | set(_find_all(search, words)) if years and len(found) < _ENOUGH else found


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
    """Identities that have one word of each kind, the newest first; the rarest word leads."""
    first, *others = sorted(words, key=lambda kind: _count_all(search, kind))
    mine = LinkWord.model_id == search.linking.model_id
    found = select(LinkWord.identity_id).where(mine)
    for kind in others:
        other = aliased(LinkWord)
        found = found.where(
            exists().where(
                other.model_id == search.linking.model_id, other.word.in_(kind),
                other.identity_id == LinkWord.identity_id,
            )
        )  # fmt: skip
    if years:
        found = found.where(or_(LinkWord.year.is_(None), LinkWord.year.between(*years)))
    newest = _at_site(search, found).order_by(LinkWord.identity_id.desc()).limit(_RANKED)
    # The table holds the identities of one word in order; those of several must all be read to find the newest.
    asked = [[word] for word in first] if _count_all(search, first) >= _COUNTED else [first]
    rows = [search.connection.execute(newest.where(LinkWord.word.in_(some))).scalars() for some in asked]
    return sorted(set(chain.from_iterable(rows)), reverse=True)[:_RANKED]


def _at_site(search: _Search, found: Select[int]) -> Select[int]:
    if search.site_id is None:
        return found
    at_site = (
        select(literal(1))
        .join_from(LinkMember, PersonRecord, PersonRecord.home_id == LinkMember.home_id)
        .where(LinkMember.model_id == search.linking.model_id, LinkMember.identity_id == LinkWord.identity_id)
    )
    return found.where(at_site.where(PersonRecord.site_id == search.site_id).exists())


def _count(search: _Search, word: str) -> int:
    if word not in search.counts:
        asked = {"model_id": search.linking.model_id, "word": word}
        search.counts[word] = search.connection.execute(_HAVING_WORD, asked).scalar_one()
    return search.counts[word]


def _count_all(search: _Search, words: Iterable[str]) -> int:
    return sum(_count(search, word) for word in words)


def _rank(search: _Search, clues: Clues, identities: Iterable[int]) -> dict[int, float]:
    """The identities with the weight of the reading that fits best: the heaviest first, the newest where many weigh so.

    What begins a name weighs nothing by the model, which knows whole names: those in whom a short one begins none come
    after the others.
    """
    scorer, parts = search.linking.scorer, [list_beginnings(name) for name in clues.names if is_short(name)]
    features = rows.read_features(search.connection, set(identities))
    weighed = {
        one: max(scorer.compare(reading, known) for reading in search.readings) for one, known in features.items()
    }
    missed = {one: sum(not begins_name(part, known) for part in parts) for one, known in features.items()}
    ranked = sorted(weighed.items(), key=lambda item: (missed[item[0]], -item[1], -item[0]))
    return dict(ranked[: 2 * LISTED])


def _list_persons(session: Session, search: _Search, ranked: Mapping[int, float]) -> list[Found]:
    """The persons of these identities, each once, by the best of their records, in the order of the identities."""
    if not ranked:
        return []
    members = and_(LinkMember.home_id == PersonRecord.home_id, LinkMember.model_id == search.linking.model_id)
    rank = case({identity: place for place, identity in enumerate(ranked)}, value=LinkMember.identity_id)
    place = func.row_number().over(partition_by=PersonRecord.person_id, order_by=(rank, PersonRecord.id))
    records = select(PersonRecord.id, LinkMember.identity_id, rank.label("rank"), place.label("place"))
    readable = scope_people(records.join(LinkMember, members), search.viewer)
    best = readable.where(LinkMember.identity_id.in_(list(ranked))).subquery()
    hits = (
        select(PersonRecord, best.c.identity_id)
        .join(best, best.c.id == PersonRecord.id)
        .where(best.c.place == 1)
        .order_by(best.c.rank, PersonRecord.id)
        .limit(LISTED)
    )
    return [Found(record.person_id, record, ranked[identity]) for record, identity in session.execute(hits)]
