"""questions that links left: where linking parted a person, which two records people are asked about instead."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_COLUMNS = ("asked_one_id", "asked_other_id")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("link_changes", sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("link_changes", name)
