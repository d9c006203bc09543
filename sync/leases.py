"""Leases: rows with an end, by which several processes agree on who does what only one may do at a time."""

import os
import socket
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from sync.models import JobLease

# The lease of the process that leads the background jobs.
LEADING = "jobs"


def make_holder() -> str:
    """Name this process, for others to read."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take_lease(session: Session, name: str, holder: str, now: datetime, until: datetime) -> bool:
    """Take or keep a lease and return whether it is ours; whoever finds one run out may take it."""
    insert = insert_postgresql if session.connection().dialect.name == "postgresql" else insert_sqlite
    free = or_(JobLease.holder == holder, JobLease.expires_at < now)
    wanted = {"holder": holder, "expires_at": until}
    # One statement, so that two processes never both find the lease free.
    session.execute(
        insert(JobLease)
        .values(name=name, **wanted)
        .on_conflict_do_update(index_elements=[JobLease.name], set_=wanted, where=free)
    )
    return session.scalar(select(JobLease.holder).where(JobLease.name == name)) == holder


def leave_lease(session: Session, name: str, holder: str) -> None:
    """Leave a lease to others at once."""
    session.execute(delete(JobLease).where(JobLease.name == name, JobLease.holder == holder))
