"""pairs drawn to measure a model."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_samples",
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("bits", sa.Double(), nullable=False),
        sa.Column("chance", sa.Double(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["link_models.id"], name=op.f("fk_link_samples_model_id")),
        sa.ForeignKeyConstraint(["one_id"], ["persons.id"], name=op.f("fk_link_samples_one_id")),
        sa.ForeignKeyConstraint(["other_id"], ["persons.id"], name=op.f("fk_link_samples_other_id")),
        sa.PrimaryKeyConstraint("one_id", "other_id", name=op.f("pk_link_samples")),
    )


def downgrade() -> None:
    op.drop_table("link_samples")
