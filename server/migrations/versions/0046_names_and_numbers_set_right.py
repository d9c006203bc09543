"""names and numbers set right.

NEANT and 0000 are read as no document and no telephone, Inconnue as no mother's name, and a mother whose family name
was written first by counts; digits of any script are read as ours, and an age of 1990 years as none. Models say what
they said; each that reads records reads them once more.
"""

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE link_models SET filled_to = 0 WHERE kept")


def downgrade() -> None:
    op.execute("UPDATE link_models SET filled_to = 0 WHERE kept")
