"""Where each person of a repeat first stood, carried from edit to edit: a reference follows the person.

An edit that takes the first of two travellers out moves the second to the first's position; the slip in their hand and
what people decided about them must not move. Pure: the chain of edits alone decides. Where one cannot tell, a person
gets a new place: a slip that nobody answers to does less harm than one that answers for somebody else.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, count, islice

from forms.definition import PERSON_PROPERTIES
from forms.records import PersonRecord
from sync.linkage.names import fold, sound, without_titles

_INDEX = re.compile(r"\[\d+\]")
_PROPERTIES = tuple(name for name in PERSON_PROPERTIES if name != "mrz")
# A hostile edit must not make everybody wait: with so many of those who stood there each who stands there is compared.
_COMPARED = 300


def is_repeated(path: str) -> bool:
    """Whether a path has a position, which an edit can change."""
    return _INDEX.search(path) is not None


def keep_places(versions: Iterable[Sequence[PersonRecord]]) -> dict[str, str]:
    """The place of each person of the last version, by path: the path under which they first stood in any of them.

    From one version to the next a person is who says exactly the same; else who has the same names, or one of them and
    the same birth, and contradicts neither in sex nor in age; else who stands at the same position, where nobody seems
    to have moved, and does not look like somebody else. Who was gone and comes back with the same answers has their
    place again. Everybody else gets a place that nobody had. Without a position the place is the path, and a place
    that is told stands.
    """
    known: dict[str, PersonRecord] = {}
    places: dict[str, str] = {}
    for persons in versions:
        places = _follow(known, places, persons)
        known |= {places[one.path]: one for one in persons}
    return places


@dataclass(frozen=True, slots=True)
class _Person:
    """One who stood, or stands now, in a repeat. `turn` is their place in its order; `path` is None for who is gone."""

    turn: int
    path: str | None
    place: str
    said: tuple[object, ...]
    names: frozenset[str]
    given: frozenset[str]
    birth_date: date | None
    facts: tuple[object, ...]  # what two records of one person do not say differently, but by a slip


def _follow(
    known: Mapping[str, PersonRecord], before: Mapping[str, str], persons: Sequence[PersonRecord]
) -> dict[str, str]:
    """The places of one version's persons, from the version before and from all who were ever known."""
    places = {one.path: one.place or one.path for one in persons if one.place or not is_repeated(one.path)}
    paths = {place: path for path, place in before.items()}
    stood, come = defaultdict[str, list[_Person]](list), defaultdict[str, list[_Person]](list)
    for turn, place in enumerate([*paths, *(one for one in known if one not in paths)]):
        stood[_repeat(place)].append(_describe(turn, paths.get(place), place, known[place]))
    for turn, one in enumerate(persons):
        if one.path not in places:
            come[_repeat(one.path)].append(_describe(turn, one.path, one.path, one))
    used = {*known, *places.values()}
    for repeat, now in come.items():
        kept = _Repeat(stood[repeat], now).match()
        places |= {one.place: kept[one.turn] if one.turn in kept else _take_place(one.place, used) for one in now}
    return places


def _repeat(path: str) -> str:
    """The repeat itself: of nested ones all together, since an edit of the outer one moves whole inner ones."""
    return _INDEX.sub("", path)


def _take_place(path: str, used: set[str]) -> str:
    """A place that nobody had: the position itself, or one with a number that is still free."""
    head = path.rpartition("[")[0]
    numbered = (f"{head}[{number}]" for number in count(len(used) + 1))
    free = next(one for one in chain([path], numbered) if one not in used)
    used.add(free)
    return free


def _describe(turn: int, path: str | None, place: str, one: PersonRecord) -> _Person:
    said = tuple(getattr(one, name) for name in _PROPERTIES)
    names = _hear(f"{one.given_names or ''} {one.family_name or ''}")
    facts = (one.sex, one.birth_date and one.birth_date.year, one.age, one.age_band)
    return _Person(turn, path, place, said, names, _hear(one.given_names or ""), one.birth_date, facts)


def _hear(text: str) -> frozenset[str]:
    return frozenset(sound(word) for word in without_titles(fold(text)))


class _Repeat:
    """The persons of one repeat: who stood there, in order and those who are gone last, and who stands there now."""

    def __init__(self, stood: Sequence[_Person], now: Sequence[_Person]) -> None:
        self._now = now
        self._stood = {one.turn: one for one in stood}
        self._at: dict[str | None, _Person] = {one.path: one for one in stood if one.path is not None}
        self._found: dict[int, _Person] = {}

    def match(self) -> dict[int, str]:
        """The places of those who stood there before, by the turn of who they are now."""
        for alike in (_says_the_same, _has_the_names, _has_names_within, _has_name_and_birth):
            self._match_in_place(alike)
            self._match_in_order(alike)
        unmoved = self._list_unmoved()
        self._match_in_place(lambda old, new: new.turn in unmoved and not _is_another(old, new))
        return {turn: old.place for turn, old in self._found.items()}

    def _match_in_place(self, alike: Callable[[_Person, _Person], bool]) -> None:
        for new in self._list_left():
            old = self._at.get(new.path)
            if old is not None and old.turn in self._stood and alike(old, new):
                self._take(old, new)

    def _match_in_order(self, alike: Callable[[_Person, _Person], bool]) -> None:
        last = -1
        for new in self._list_left():
            waiting = list(islice(self._stood.values(), _COMPARED))
            # Who stood after the one before comes first: taking somebody out leaves the others in their order.
            ordered = chain((one for one in waiting if one.turn > last), (one for one in waiting if one.turn < last))
            old = next((one for one in ordered if alike(one, new)), None)
            if old is not None:
                self._take(old, new)
                last = old.turn

    def _list_left(self) -> list[_Person]:
        return [one for one in self._now if one.turn not in self._found]

    def _take(self, old: _Person, new: _Person) -> None:
        self._found[new.turn] = self._stood.pop(old.turn)

    def _list_unmoved(self) -> set[int]:
        """Who stands before one who was known again and has not moved; after the last of them, if nobody is missing."""
        known = [one for one in self._now if one.turn in self._found]
        trusted = len(self._now) >= len(self._at) and all(self._stays(one) for one in known[-1:])
        unmoved = set[int]()
        for one in reversed(self._now):
            if one.turn in self._found:
                trusted = self._stays(one)
            elif trusted:
                unmoved.add(one.turn)
        return unmoved

    def _stays(self, new: _Person) -> bool:
        return self._found[new.turn].path == new.path


def _says_the_same(old: _Person, new: _Person) -> bool:
    return old.said == new.said


def _has_the_names(old: _Person, new: _Person) -> bool:
    return bool(new.names) and old.names == new.names and old.path is not None and not _contradicts(old, new)


def _has_names_within(old: _Person, new: _Person) -> bool:
    """Whether one says some of the names that the other says, and no others."""
    within = old.names <= new.names or new.names <= old.names
    return within and old.path is not None and _shares_name(old, new) and not _contradicts(old, new)


def _has_name_and_birth(old: _Person, new: _Person) -> bool:
    born = old.birth_date is not None and old.birth_date == new.birth_date
    return born and old.path is not None and _shares_name(old, new) and not _contradicts(old, new)


def _shares_name(old: _Person, new: _Person) -> bool:
    """Whether they have a name in common. A family name alone is none: brothers share it."""
    return bool(old.given & new.names or new.given & old.names)


def _is_another(old: _Person, new: _Person) -> bool:
    """Whether who stands at the same position looks like somebody else: another sex or birth, and no name in common."""
    same_names = bool(old.names) and old.names == new.names
    return _contradicts(old, new) and not same_names and not _shares_name(old, new)


def _contradicts(old: _Person, new: _Person) -> bool:
    return any(
        one is not None and other is not None and one != other for one, other in zip(old.facts, new.facts, strict=True)
    )
