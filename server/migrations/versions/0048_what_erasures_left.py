"""what erasures left.

Of records that were erased under an older schema the names of their files and why they were decided about go as well.
The files themselves are named by nobody then, and are found by the daily look.
"""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_ERASED = "submission_id IN (SELECT submission_id FROM erasures)"


def upgrade() -> None:
    op.execute(f"DELETE FROM submission_attachments WHERE {_ERASED}")
    op.execute(f"UPDATE decisions SET reason = '' WHERE {_ERASED}")
    op.execute("UPDATE submissions SET missing_files = 0 WHERE id IN (SELECT submission_id FROM erasures)")


def downgrade() -> None:
    """What was erased is not to be had any more."""
