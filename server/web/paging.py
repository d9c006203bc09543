"""Pages by key: "what came before number n". A page deep down costs as little as the first, and rows that arrive
meanwhile shift nothing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from server.extensions import db

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first; `before` is the key of the next page or None on the last one."""

    rows: list[Any]
    before: int | None
    first: bool


def read_page(select: Select[Any], key: InstrumentedAttribute[int], before: int | None, size: int = PAGE_SIZE) -> Page:
    """Read one page of a select that is ordered by `key`, descending."""
    if before is not None:
        select = select.where(key < before)
    rows = list(db.session.scalars(select.limit(size + 1)))
    more = len(rows) > size
    return Page(rows[:size], getattr(rows[size - 1], key.key) if more else None, before is None)
