"""indexes of the queue.

Questions about people met lately are read in the order of an index, and where a record was made and whose it is by now
from one alone.
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_link_questions_met_at", table_name="link_questions")
    op.create_index("ix_link_questions_met_at", "link_questions", ["urgency", "met_at"])
    op.drop_index("ix_person_records_home_id", table_name="person_records")
    op.create_index("ix_person_records_home_id", "person_records", ["home_id", "site_id", "person_id"])


def downgrade() -> None:
    op.drop_index("ix_person_records_home_id", table_name="person_records")
    op.create_index("ix_person_records_home_id", "person_records", ["home_id"])
    op.drop_index("ix_link_questions_met_at", table_name="link_questions")
    op.create_index("ix_link_questions_met_at", "link_questions", ["met_at"])
