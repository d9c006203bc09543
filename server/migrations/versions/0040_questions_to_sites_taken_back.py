"""questions to sites that were taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_ACTOR = "fk_link_inquiries_withdrawn_by_id"


def upgrade() -> None:
    with op.batch_alter_table("link_inquiries") as batch_op:
        batch_op.add_column(sa.Column("withdrawn_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(batch_op.f(_ACTOR), "actors", ["withdrawn_by_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("link_inquiries") as batch_op:
        batch_op.drop_constraint(batch_op.f(_ACTOR), type_="foreignkey")
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("withdrawn_by_id")
