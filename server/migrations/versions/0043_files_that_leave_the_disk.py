"""files that leave the disk: which are to go, and who else names a file."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_ATTACHED = "ix_submission_attachments_blob_sha256"
_OTHER = "ix_submission_events_other_file"
_HAS_FILE = sa.text("blob_sha256 IS NOT NULL")
_IS_OTHER = sa.text("kind = 'other_file'")


def upgrade() -> None:
    op.create_table(
        "freed_files",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_freed_files")),
    )
    op.create_index(
        _ATTACHED, "submission_attachments", ["blob_sha256"], sqlite_where=_HAS_FILE, postgresql_where=_HAS_FILE
    )
    op.create_index(_OTHER, "submission_events", ["submission_id"], sqlite_where=_IS_OTHER, postgresql_where=_IS_OTHER)


def downgrade() -> None:
    op.drop_index(_OTHER, table_name="submission_events")
    op.drop_index(_ATTACHED, table_name="submission_attachments")
    op.drop_table("freed_files")
