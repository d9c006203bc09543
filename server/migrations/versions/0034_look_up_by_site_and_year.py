"""look-up by site and year.

Records stand with their site beside their identity, and PostgreSQL's index of words holds the year of birth.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_SITES = """
    UPDATE link_members SET site_id = person_records.site_id
    FROM person_records WHERE person_records.home_id = link_members.home_id
"""
_WORDS = "ALTER TABLE link_words DROP CONSTRAINT pk_link_words, ADD CONSTRAINT pk_link_words PRIMARY KEY (%s)%s"
_COLUMNS = "model_id, word, identity_id"


def upgrade() -> None:
    op.add_column("link_members", sa.Column("site_id", sa.Integer(), nullable=True))
    op.execute(_SITES)
    op.create_index("ix_link_members_site_id", "link_members", ["model_id", "site_id", "identity_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_WORDS % (_COLUMNS, " INCLUDE (year)"))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_WORDS % (_COLUMNS, ""))
    op.drop_index("ix_link_members_site_id", "link_members")
    op.drop_column("link_members", "site_id")
