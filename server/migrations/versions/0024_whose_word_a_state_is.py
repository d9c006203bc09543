"""whose word a state is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("obeyed_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("relayed_devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_column("told")


def downgrade() -> None:
    with op.batch_alter_table("relayed_devices", schema=None) as batch_op:
        batch_op.drop_column("taken_at")
        batch_op.add_column(sa.Column("told", _JSON, nullable=True))
    op.execute("UPDATE relayed_devices SET told = '[]'")
    with op.batch_alter_table("relayed_devices", schema=None) as batch_op:
        batch_op.alter_column("told", existing_type=_JSON, nullable=False)
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_column("obeyed_at")
