"""records of a site in the queue: an index alone tells where a record was made and whose it is by now."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_person_records_home_id", table_name="person_records")
    op.create_index("ix_person_records_home_id", "person_records", ["home_id", "site_id", "person_id"])


def downgrade() -> None:
    op.drop_index("ix_person_records_home_id", table_name="person_records")
    op.create_index("ix_person_records_home_id", "person_records", ["home_id", "person_id"])
