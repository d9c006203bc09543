"""links that wait for a second person."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_UNANSWERED = "confirmed_at IS NULL AND undone_at IS NULL"


def upgrade() -> None:
    op.create_index(
        "ix_link_decisions_waiting",
        "link_decisions",
        ["id"],
        sqlite_where=sa.text(f"needs_second = 1 AND {_UNANSWERED}"),
        postgresql_where=sa.text(f"needs_second AND {_UNANSWERED}"),
    )


def downgrade() -> None:
    op.drop_index("ix_link_decisions_waiting", table_name="link_decisions")
