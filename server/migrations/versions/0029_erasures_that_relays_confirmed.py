"""erasures that relays have confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_ADDED = (
    ("relayed_records", "is_erased", sa.Boolean(), sa.false()),
    ("relayed_entities", "erasures", sa.Integer(), "0"),
    ("entity_grounds", "erasures", sa.Integer(), "0"),
)


def upgrade() -> None:
    for table, name, kind, until_now in _ADDED:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=until_now))
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    for table, name, _kind, _until_now in _ADDED:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(name)
