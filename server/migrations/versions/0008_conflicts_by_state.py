"""conflicts by state."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_disputed = sa.text("open_conflicts > 0")


def upgrade() -> None:
    # Beginning as the index of all rows does: SQLite prefers that one to a smaller one with fewer columns to match.
    _replace(["list_name", "exists", "is_open", "label_key", "id"])


def downgrade() -> None:
    _replace(["list_name", "label_key", "id"])


def _replace(columns: list[str]) -> None:
    op.drop_index("ix_entities_disputed", "entities")
    op.create_index("ix_entities_disputed", "entities", columns, sqlite_where=_disputed, postgresql_where=_disputed)
