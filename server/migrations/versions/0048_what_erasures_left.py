"""what erasures left.

Of records that were erased under an older schema the names of their files and why they were decided about go as well.
The files themselves are named by nobody then, and leave the disk as those of any record that is erased.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_ERASED = "submission_id IN (SELECT submission_id FROM erasures)"
_AT_ONCE = sa.bindparam("at_once", datetime(1970, 1, 1, tzinfo=UTC), sa.DateTime(timezone=True))
_NOTE_FILES = sa.text(
    "INSERT INTO freed_files (name, due_at) SELECT DISTINCT blob_sha256, :at_once FROM submission_attachments "
    f"WHERE blob_sha256 IS NOT NULL AND {_ERASED} ON CONFLICT DO NOTHING"
).bindparams(_AT_ONCE)


def upgrade() -> None:
    op.execute(_NOTE_FILES)
    op.execute(f"DELETE FROM submission_attachments WHERE {_ERASED}")
    op.execute(f"UPDATE decisions SET reason = '' WHERE {_ERASED}")
    op.execute("UPDATE submissions SET missing_files = 0 WHERE id IN (SELECT submission_id FROM erasures)")


def downgrade() -> None:
    """What was erased is not to be had any more."""
