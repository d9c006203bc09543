"""People of other servers, by the names under which they acted there: nobody here has their accounts."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Actor


def find_author(session: Session, name: str, now: datetime) -> Actor:
    """Whoever has this name here, with an account or without; made where nobody has it."""
    shown = {"kind": "user", "display_name": name}
    author = session.scalar(select(Actor).filter_by(**shown).order_by(Actor.id).limit(1))
    if author is None:
        author = Actor(**shown, created_at=now)
        session.add(author)
        session.flush()
    return author


def name_of(actor: Actor | None) -> str | None:
    """The name by which other servers are told of somebody; None of nobody, as of the command line."""
    return actor.display_name if actor else None


def is_same_author(one: Actor | None, other: Actor | None) -> bool:
    """Tell whether two are one person: somebody may have acted on another server before having an account here."""
    return one is not None and other is not None and (one.kind, one.display_name) == (other.kind, other.display_name)
