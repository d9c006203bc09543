"""two of one visit.

Whom one site writes down on one day in other words is not linked any more without a person: all are decided anew.
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE link_progress SET cause = 'model' WHERE decided_to IS NULL OR cause <> 'shrunk'")
    op.execute("UPDATE link_progress SET decided_to = 0 WHERE records > 0")


def downgrade() -> None:
    """What an older server decides anew it decides by its own rules: nothing is to be undone here."""
