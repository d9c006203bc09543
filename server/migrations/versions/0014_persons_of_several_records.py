"""persons of several records."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_keys",
        sa.Column("model_id", sa.SmallInteger(), nullable=False),
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("identity_id", sa.Integer(), nullable=False),
        sa.Column("spread", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "hash", "year", "identity_id", name=op.f("pk_link_keys")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "link_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("left", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("right", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("property_name", sa.String(length=64), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("model_version", sa.String(length=16), nullable=True),
        sa.Column("weights", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("confirmed_by_id", sa.Integer(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.Integer(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_link_decisions_actor_id")),
        sa.ForeignKeyConstraint(["confirmed_by_id"], ["actors.id"], name=op.f("fk_link_decisions_confirmed_by_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["actors.id"], name=op.f("fk_link_decisions_undone_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_decisions")),
        sa.UniqueConstraint("uuid", name=op.f("uq_link_decisions_uuid")),
    )
    with op.batch_alter_table("link_decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_decisions_decided_at"), ["decided_at"], unique=False)

    op.create_table(
        "link_models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=True),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("filled_to", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["added_by_id"], ["actors.id"], name=op.f("fk_link_models_added_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_models")),
        sa.UniqueConstraint("version", name=op.f("uq_link_models_version")),
    )
    op.create_table(
        "link_questions",
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("one_identity_id", sa.Integer(), nullable=False),
        sa.Column("other_identity_id", sa.Integer(), nullable=False),
        sa.Column("bits", sa.Double(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["one_id"], ["persons.id"], name=op.f("fk_link_questions_one_id")),
        sa.ForeignKeyConstraint(["other_id"], ["persons.id"], name=op.f("fk_link_questions_other_id")),
        sa.PrimaryKeyConstraint("one_id", "other_id", name=op.f("pk_link_questions")),
    )
    with op.batch_alter_table("link_questions", schema=None) as batch_op:
        batch_op.create_index("ix_link_questions_bits", ["bits"], unique=False)
        batch_op.create_index("ix_link_questions_one_identity_id", ["one_identity_id"], unique=False)
        batch_op.create_index("ix_link_questions_other_identity_id", ["other_identity_id"], unique=False)
        batch_op.create_index("ix_link_questions_other_id", ["other_id"], unique=False)

    op.create_table(
        "link_activations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_link_activations_actor_id")),
        sa.ForeignKeyConstraint(["model_id"], ["link_models.id"], name=op.f("fk_link_activations_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_activations")),
    )
    op.create_table(
        "link_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("home_id", sa.Integer(), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["persons.id"], name=op.f("fk_link_changes_from_id")),
        sa.ForeignKeyConstraint(["home_id"], ["persons.id"], name=op.f("fk_link_changes_home_id")),
        sa.ForeignKeyConstraint(["model_id"], ["link_models.id"], name=op.f("fk_link_changes_model_id")),
        sa.ForeignKeyConstraint(["to_id"], ["persons.id"], name=op.f("fk_link_changes_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_changes")),
    )
    with op.batch_alter_table("link_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_changes_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_changes_from_id"), ["from_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_changes_home_id"), ["home_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_changes_to_id"), ["to_id"], unique=False)

    op.create_table(
        "link_identities",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("features", sa.LargeBinary(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("own_bits", sa.Double(), nullable=False),
        sa.Column("own_corroborated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["link_models.id"], name=op.f("fk_link_identities_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_identities")),
        sa.UniqueConstraint("model_id", "fingerprint", name=op.f("uq_link_identities_model_id_fingerprint")),
    )
    op.create_table(
        "link_progress",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("decided_to", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["link_models.id"], name=op.f("fk_link_progress_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_progress")),
    )
    op.create_table(
        "link_verdicts",
        sa.Column("record", sa.String(length=16), nullable=False),
        sa.Column("other", sa.String(length=16), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["link_decisions.id"], name=op.f("fk_link_verdicts_decision_id")),
        sa.PrimaryKeyConstraint("record", "other", "decision_id", name=op.f("pk_link_verdicts")),
    )
    with op.batch_alter_table("link_verdicts", schema=None) as batch_op:
        batch_op.create_index("ix_link_verdicts_decision_id", ["decision_id"], unique=False)

    op.create_table(
        "link_members",
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("home_id", sa.Integer(), nullable=False),
        sa.Column("identity_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["home_id"], ["persons.id"], name=op.f("fk_link_members_home_id")),
        sa.ForeignKeyConstraint(["identity_id"], ["link_identities.id"], name=op.f("fk_link_members_identity_id")),
        sa.ForeignKeyConstraint(["model_id"], ["link_models.id"], name=op.f("fk_link_members_model_id")),
        sa.PrimaryKeyConstraint("model_id", "home_id", name=op.f("pk_link_members")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("link_members", schema=None) as batch_op:
        batch_op.create_index("ix_link_members_identity_id", ["identity_id"], unique=False)

    op.create_table(
        "link_pairs",
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("bits", sa.Double(), nullable=False),
        sa.Column("corroborated", sa.Boolean(), nullable=False),
        sa.Column("conflict", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("one_id", "other_id", name=op.f("pk_link_pairs")),
        sqlite_with_rowid=False,
    )
    # Every person has one record until now: its home is the person that it has.
    op.execute("DELETE FROM persons WHERE id NOT IN (SELECT person_id FROM person_records)")
    op.add_column("persons", sa.Column("reference", sa.String(length=16), nullable=False, server_default=""))
    own = "(SELECT reference FROM person_records WHERE person_records.person_id = persons.id)"
    op.execute(f"UPDATE persons SET reference = {own}")
    op.create_index("ix_persons_reference", "persons", ["reference"], unique=True)
    with op.batch_alter_table("person_records", schema=None) as batch_op:
        batch_op.add_column(sa.Column("home_id", sa.Integer(), nullable=True))
    op.execute("UPDATE person_records SET home_id = person_id")
    with op.batch_alter_table("person_records", schema=None) as batch_op:
        batch_op.alter_column("home_id", existing_type=sa.Integer(), nullable=False)
        batch_op.create_index(batch_op.f("ix_person_records_home_id"), ["home_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_person_records_home_id"), "persons", ["home_id"], ["id"])


def downgrade() -> None:
    # Every record is a person again, as before.
    op.execute("UPDATE person_records SET person_id = home_id")
    op.drop_index("ix_persons_reference", table_name="persons")
    op.drop_column("persons", "reference")
    with op.batch_alter_table("person_records", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_person_records_home_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_person_records_home_id"))
        batch_op.drop_column("home_id")
    for table in (
        "link_pairs", "link_members", "link_verdicts", "link_progress", "link_identities", "link_changes",
        "link_activations", "link_questions", "link_models", "link_decisions", "link_keys",
    ):  # fmt: skip
        op.drop_table(table)
