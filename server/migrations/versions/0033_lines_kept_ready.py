"""lines kept ready."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer_layouts",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("form_id", sa.String(length=255), nullable=False),
        sa.Column("table_name", sa.String(length=255), nullable=False),
        sa.Column("cells", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_layouts")),
    )
    op.create_index(op.f("ix_answer_layouts_form_id"), "answer_layouts", ["form_id"])
    # No row is written: those from before are served from their answers until `teral answers rebuild --missing`.
    op.add_column("answer_rows", sa.Column("layout_id", sa.BigInteger(), nullable=True))
    op.add_column("answer_rows", sa.Column("cells", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("answer_rows") as batch_op:
        batch_op.drop_column("cells")
        batch_op.drop_column("layout_id")
    op.drop_table("answer_layouts")
