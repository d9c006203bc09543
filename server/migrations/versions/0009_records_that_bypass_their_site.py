"""records that bypass their site."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restricted_submissions",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_restricted_submissions_submission_id")
        ),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_restricted_submissions")),
    )
    # What came before is kept from its site until it is read again: `teral revalidate --form f07_assistance --apply`.
    op.execute(
        "INSERT INTO restricted_submissions (submission_id) SELECT id FROM submissions WHERE form_id = 'f07_assistance'"
    )


def downgrade() -> None:
    op.drop_table("restricted_submissions")
