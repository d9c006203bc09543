"""what lies in a peer's bin."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.JSON().with_variant(JSONB(), "postgresql")
    with op.batch_alter_table("peer_forms", schema=None) as batch_op:
        batch_op.add_column(sa.Column("binned", kind, nullable=False, server_default="[]"))
    with op.batch_alter_table("peer_forms", schema=None) as batch_op:
        batch_op.alter_column("binned", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("peer_forms", schema=None) as batch_op:
        batch_op.drop_column("binned")
