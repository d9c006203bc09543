"""The number that grows with every change of forms, sites or settings: what a process may cache is kept under it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Catalogue

_ROW = 1


def lock_catalogue(session: Session) -> Catalogue:
    """Return the catalogue row, locked: whoever changes forms does so one after another."""
    row = session.scalar(select(Catalogue).where(Catalogue.id == _ROW).with_for_update())
    if row is None:
        row = Catalogue(id=_ROW, generation=1)
        session.add(row)
        session.flush()
    return row


def bump_catalogue(session: Session) -> None:
    """Tell every process that what it cached of forms, sites or settings is out of date."""
    lock_catalogue(session).generation += 1
    session.flush()


def read_generation(session: Session) -> int:
    """Return the number under which a process may cache; 0 before the first form."""
    return session.scalar(select(Catalogue.generation).where(Catalogue.id == _ROW)) or 0
