"""when pieces of files came."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("file_pieces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE file_pieces SET kept_at = CURRENT_TIMESTAMP")
    with op.batch_alter_table("file_pieces", schema=None) as batch_op:
        batch_op.alter_column("kept_at", nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("file_pieces", schema=None) as batch_op:
        batch_op.drop_column("kept_at")
