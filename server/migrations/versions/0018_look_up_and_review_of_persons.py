"""look-up and review of persons."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_words",
        sa.Column("model_id", sa.SmallInteger(), nullable=False),
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.Column("identity_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("model_id", "word", "identity_id", name=op.f("pk_link_words")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "link_checks",
        sa.Column("home_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_link_checks_actor_id")),
        sa.ForeignKeyConstraint(["home_id"], ["persons.id"], name=op.f("fk_link_checks_home_id")),
        sa.ForeignKeyConstraint(["other_id"], ["persons.id"], name=op.f("fk_link_checks_other_id")),
        sa.PrimaryKeyConstraint("home_id", "other_id", "actor_id", name=op.f("pk_link_checks")),
    )
    op.create_table(
        "link_inquiries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("home_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("properties", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=True),
        sa.Column("answer_note", sa.Text(), nullable=False),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answered_by_id"], ["actors.id"], name=op.f("fk_link_inquiries_answered_by_id")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["actors.id"], name=op.f("fk_link_inquiries_asked_by_id")),
        sa.ForeignKeyConstraint(["home_id"], ["persons.id"], name=op.f("fk_link_inquiries_home_id")),
        sa.ForeignKeyConstraint(["other_id"], ["persons.id"], name=op.f("fk_link_inquiries_other_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_link_inquiries_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_inquiries")),
    )
    with op.batch_alter_table("link_inquiries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_inquiries_home_id"), ["home_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_inquiries_other_id"), ["other_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_inquiries_site_id"), ["site_id"], unique=False)

    # What models have read of records is computed: they read all anew, and write down the words too.
    for table in ("link_questions", "link_pairs", "link_keys", "link_members", "link_identities"):
        op.execute(sa.table(table).delete())
    op.execute("UPDATE link_models SET filled_to = 0 WHERE kept")


def downgrade() -> None:
    with op.batch_alter_table("link_inquiries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_inquiries_site_id"))
        batch_op.drop_index(batch_op.f("ix_link_inquiries_other_id"))
        batch_op.drop_index(batch_op.f("ix_link_inquiries_home_id"))

    op.drop_table("link_inquiries")
    op.drop_table("link_checks")
    op.drop_table("link_words")
