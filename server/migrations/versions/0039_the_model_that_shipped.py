"""the model that shipped.

Nobody asked for the first model of a registry: it is the one that shipped, and comes before all that somebody chose.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_FIRST = "id = (SELECT min(id) FROM link_activations)"


def upgrade() -> None:
    with op.batch_alter_table("link_activations", schema=None) as batch_op:
        batch_op.alter_column("asked_at", existing_type=sa.DateTime(timezone=True), nullable=True)
    op.execute(f"UPDATE link_activations SET asked_at = NULL WHERE {_FIRST}")


def downgrade() -> None:
    op.execute("UPDATE link_activations SET asked_at = effective_at WHERE asked_at IS NULL")
    with op.batch_alter_table("link_activations", schema=None) as batch_op:
        batch_op.alter_column("asked_at", existing_type=sa.DateTime(timezone=True), nullable=False)
