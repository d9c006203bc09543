"""notes by no clock.

Files that are due are those of erased records, which wait for the day in which they were sent: they go whoever else
uses the store. What is due in more than a month was noted by a clock that was ahead.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_notes = sa.table("freed_files", sa.column("due_at", sa.DateTime(timezone=True)))


def upgrade() -> None:
    now = datetime.now(UTC)
    month = now + timedelta(days=30)
    op.execute(_notes.update().where(_notes.c.due_at > month).values(due_at=month))
    op.execute(_notes.update().where(_notes.c.due_at <= now).values(due_at=datetime(1970, 1, 1, tzinfo=UTC)))


def downgrade() -> None:
    """An older server removes what is due in the same way."""
