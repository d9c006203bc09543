"""files that records await: which files of a record are still to come from a relay."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "awaited_files",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_awaited_files_submission_id")),
        sa.PrimaryKeyConstraint("submission_id", "sha256", name=op.f("pk_awaited_files")),
    )
    op.create_index(op.f("ix_awaited_files_sha256"), "awaited_files", ["sha256"])


def downgrade() -> None:
    op.drop_index(op.f("ix_awaited_files_sha256"), table_name="awaited_files")
    op.drop_table("awaited_files")
