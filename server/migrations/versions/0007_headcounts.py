"""head-counts: which event a stay belongs to, and why a count does not close."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No stay of a database of before names its event: the form that saves it is new.
    op.add_column("entities", sa.Column("parent_uuid", sa.String(length=36), nullable=True))
    has_parent = sa.text("parent_uuid IS NOT NULL")
    op.create_index(
        "ix_entities_parent_uuid", "entities", ["parent_uuid", "list_name", "exists"],
        sqlite_where=has_parent, postgresql_where=has_parent,
    )  # fmt: skip
    op.create_table(
        "headcount_explanations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_uuid", sa.String(length=36), nullable=False),
        sa.Column("numbers", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by_id", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_headcount_explanations_actor_id")),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["actors.id"], name=op.f("fk_headcount_explanations_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_headcount_explanations")),
    )
    op.create_index(op.f("ix_headcount_explanations_event_uuid"), "headcount_explanations", ["event_uuid"])


def downgrade() -> None:
    op.drop_table("headcount_explanations")
    op.drop_index("ix_entities_parent_uuid", "entities")
    op.drop_column("entities", "parent_uuid")
