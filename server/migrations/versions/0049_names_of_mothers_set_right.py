"""names of mothers set right.

Where the family name came first, counts tell it, as they do of a record's own names. Each model that reads records reads
them once more.
"""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE link_models SET filled_to = 0 WHERE kept")


def downgrade() -> None:
    op.execute("UPDATE link_models SET filled_to = 0 WHERE kept")
