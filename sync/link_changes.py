"""What became of links: that linking moved a record from one person to another, why, and what people are asked instead.

Told by link_fold.py when it happens. What people decide is link_decisions.py's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from sync.link_rows import RecordRow
from sync.link_verdicts import Asked
from sync.models import LinkChange, PersonRecord
from sync.policy import Viewer, access
from sync.scopes import scope_people


def tell_moves(
    records: Mapping[int, RecordRow], moves: Mapping[int, int], asked: Iterable[Asked]
) -> Iterator[dict[str, Any]]:
    """What linking moved, as rows without when and why; `records` are as they were before, all by home."""
    now_of = {home: moves.get(home, one.person) for home, one in records.items()}
    parts = defaultdict[int, set[int]](set)
    for home, one in records.items():
        parts[one.person].add(now_of[home])
    questions = {
        frozenset((now_of[one.one], now_of[one.other])): one for one in asked if {one.one, one.other} <= now_of.keys()
    }
    for home, person in moves.items():
        before = records[home].person
        doubts = (questions.get(frozenset((person, part))) for part in sorted(parts[before] - {person}))
        doubt = next((one for one in doubts if one), None)
        yield {
            "home_id": home, "from_id": before, "to_id": person,
            "asked_one_id": doubt.one if doubt else None, "asked_other_id": doubt.other if doubt else None,
        }  # fmt: skip


def select_changes(viewer: Viewer) -> Select[LinkChange]:
    """What became of links, the newest first, where the viewer may read every record that it names.

    Who may read those of all sites reads also of records that are gone.
    """
    named = joinedload(LinkChange.home), joinedload(LinkChange.before), joinedload(LinkChange.after)
    found = select(LinkChange).options(*named, joinedload(LinkChange.model)).order_by(LinkChange.id.desc())
    cell = access(viewer, "D3")
    if cell.reads and not (cell.own_site or cell.own_records):
        return found
    for end in (LinkChange.home_id, LinkChange.from_id, LinkChange.to_id):
        found = found.where(scope_people(select(PersonRecord.id), viewer).where(PersonRecord.home_id == end).exists())
    return found


def select_changes_of(viewer: Viewer, person_id: int, homes: Collection[int]) -> Select[LinkChange]:
    """What became of the links of a person: of these records of theirs, and of those that came or left."""
    own = LinkChange.home_id.in_(homes), LinkChange.from_id == person_id, LinkChange.to_id == person_id
    return select_changes(viewer).where(or_(*own))


def find_readable(session: Session, viewer: Viewer, changes: Iterable[LinkChange]) -> set[int]:
    """Of the records that changes name, by home, those that are here and that the viewer may read."""
    names = ("home_id", "from_id", "to_id", "asked_one_id", "asked_other_id")
    homes = {getattr(one, name) for one in changes for name in names} - {None}
    return set(
        session.scalars(scope_people(select(PersonRecord.home_id), viewer).where(PersonRecord.home_id.in_(homes)))
    )
