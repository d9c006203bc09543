"""states that relays were told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("relayed_devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("told", _JSON, nullable=True))
    op.execute("UPDATE relayed_devices SET told = '[]'")
    with op.batch_alter_table("relayed_devices", schema=None) as batch_op:
        batch_op.alter_column("told", existing_type=_JSON, nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("relayed_devices", schema=None) as batch_op:
        batch_op.drop_column("told")
