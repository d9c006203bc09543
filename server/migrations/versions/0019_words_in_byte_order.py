"""words in byte order."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite compares bytes in any case.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("link_words", "word", type_=sa.String(40, collation="C"), existing_nullable=False)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("link_words", "word", type_=sa.String(40, collation="default"), existing_nullable=False)
