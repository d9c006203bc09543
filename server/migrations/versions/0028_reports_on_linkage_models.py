"""reports on linkage models."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["link_models.id"], name=op.f("fk_link_reports_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_reports")),
    )
    with op.batch_alter_table("link_reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_reports_model_id"), ["model_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("link_reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_reports_model_id"))

    op.drop_table("link_reports")
