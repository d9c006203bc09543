"""Short transactions for whoever talks to another server: tablets must not wait for ours while we wait for theirs."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from server.extensions import db
from sync.db import begin_write

T = TypeVar("T")


class Transactions:
    """Our database, one transaction for each piece of work; what the work returns outlives it."""

    def read(self, work: Callable[[Session], T]) -> T:
        with Session(db.engine, expire_on_commit=False) as session:
            return work(session)

    def write(self, work: Callable[[Session], T]) -> T:
        with Session(db.engine, expire_on_commit=False) as session:
            begin_write(session)
            result = work(session)
            session.commit()
            return result
