"""erasures that wait for their record."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "awaited_erasures",
        sa.Column("xml_sha256", sa.String(length=64), nullable=False),
        sa.Column("form_id", sa.String(length=255), nullable=False),
        sa.Column("instance_id", sa.String(length=255), nullable=False),
        sa.Column("retained", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("xml_sha256", "form_id", "instance_id", name=op.f("pk_awaited_erasures")),
    )


def downgrade() -> None:
    op.drop_table("awaited_erasures")
