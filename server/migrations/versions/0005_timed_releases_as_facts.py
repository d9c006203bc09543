"""timed releases as facts, and what a record says about an entity by number instead of place."""

import json
from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "entity_releases",
        sa.Column("entity_id", sa.Integer(), nullable=False),
        sa.Column("record", sa.String(length=640), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entities.id"], name=op.f("fk_entity_releases_entity_id")),
        sa.PrimaryKeyConstraint("entity_id", "record", name=op.f("pk_entity_releases")),
    )
    # SQLite copies the table, and would copy the index without its condition.
    op.drop_index("ix_entity_contributions_held", "entity_contributions")
    with op.batch_alter_table("entity_contributions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ordinal", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("forced", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.drop_constraint(op.f("uq_entity_contributions_submission_id_list_name_path"), type_="unique")
    _rename(op.get_bind())
    with op.batch_alter_table("entity_contributions", schema=None) as batch_op:
        batch_op.drop_column("forced_at")
        batch_op.alter_column("ordinal", server_default=None)
        batch_op.alter_column("forced", server_default=None)
        batch_op.create_unique_constraint(
            op.f("uq_entity_contributions_submission_id_entity_id_ordinal"), ["submission_id", "entity_id", "ordinal"]
        )
    _index_held()


def _index_held() -> None:
    held = sa.text("waits_for IS NOT NULL")
    op.create_index(
        "ix_entity_contributions_held", "entity_contributions", ["entity_id"], sqlite_where=held, postgresql_where=held
    )


def _rename(connection: sa.Connection) -> None:
    """Number what each record says, keep what was forced, and let issued versions speak of numbers too."""
    said = connection.exec_driver_sql(
        "SELECT c.id, c.submission_id, c.entity_id, s.form_id, c.root_id, s.instance_id, c.path, c.forced_at"
        " FROM entity_contributions c JOIN submissions s ON s.id = c.submission_id ORDER BY c.id"
    ).all()
    counted: Counter[tuple[int, int]] = Counter()
    names: dict[str, str] = {}
    for id_, submission_id, entity_id, form_id, root_id, instance_id, path, forced_at in said:
        counted[submission_id, entity_id] += 1
        ordinal = counted[submission_id, entity_id]
        names[f"{form_id} {root_id} {path}"] = f"{form_id} {root_id} {ordinal}"
        if ordinal > 1:
            connection.execute(
                sa.text("UPDATE entity_contributions SET ordinal = :n WHERE id = :id"), {"n": ordinal, "id": id_}
            )
        if forced_at is not None:
            row = {"entity": entity_id, "record": f"{form_id} {instance_id} {ordinal}", "at": forced_at}
            connection.execute(sa.text("INSERT INTO entity_releases VALUES (:entity, :record, :at)"), row)
    _rename_keys(connection, names)


def _rename_keys(connection: sa.Connection, names: dict[str, str]) -> None:
    tables = (
        ("issued_versions", ("entity_id", "number"), ("added", "removed")),
        ("entity_conflicts", ("entity_id", "property_name"), ("candidates",)),
        ("entity_decisions", ("id",), ("shown",)),
    )
    for table, keys, columns in tables:
        for row in connection.exec_driver_sql(f"SELECT {', '.join((*keys, *columns))} FROM {table}").all():
            for column, value in zip(columns, row[len(keys) :], strict=True):
                found = json.loads(value) if isinstance(value, str) else value
                fresh = [_renamed(one, names) for one in found]
                if fresh != found:
                    where = " AND ".join(f"{key} = :{key}" for key in keys)
                    typed = sa.bindparam("fresh", fresh, type_=sa.JSON())
                    statement = sa.text(f"UPDATE {table} SET {column} = :fresh WHERE {where}").bindparams(typed)
                    connection.execute(statement, dict(zip(keys, row[: len(keys)], strict=True)))


def _renamed(one: str | list[str], names: dict[str, str]) -> str | list[str]:
    return names.get(one, one) if isinstance(one, str) else [names.get(one[0], one[0]), one[1]]


def downgrade() -> None:
    op.drop_index("ix_entity_contributions_held", "entity_contributions")
    with op.batch_alter_table("entity_contributions", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_entity_contributions_submission_id_entity_id_ordinal"), type_="unique")
        batch_op.add_column(sa.Column("forced_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_column("forced")
        batch_op.drop_column("ordinal")
        batch_op.create_unique_constraint(
            op.f("uq_entity_contributions_submission_id_list_name_path"), ["submission_id", "list_name", "path"]
        )
    _index_held()
    op.drop_table("entity_releases")
