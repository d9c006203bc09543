"""marks as relays told them."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("relayed_records", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mark_digest", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("relayed_records", schema=None) as batch_op:
        batch_op.drop_column("mark_digest")
