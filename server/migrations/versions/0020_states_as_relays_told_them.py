"""states as relays told them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_FILL = (
    "UPDATE relayed_devices SET state_changed_at ="
    " (SELECT devices.state_changed_at FROM devices WHERE devices.id = relayed_devices.device_id)"
)


def upgrade() -> None:
    with op.batch_alter_table("relayed_devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_FILL)
    with op.batch_alter_table("relayed_devices", schema=None) as batch_op:
        batch_op.alter_column("state_changed_at", nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("relayed_devices", schema=None) as batch_op:
        batch_op.drop_column("state_changed_at")
