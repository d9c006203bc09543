"""keys found by their index alone: PostgreSQL's holds how far a year of birth may be off."""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_KEYS = "ALTER TABLE link_keys DROP CONSTRAINT pk_link_keys, ADD CONSTRAINT pk_link_keys PRIMARY KEY (%s)%s"
_COLUMNS = "model_id, hash, year, identity_id"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_KEYS % (_COLUMNS, " INCLUDE (spread)"))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_KEYS % (_COLUMNS, ""))
