"""pages of entities."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from sync.entity_state import fold_label

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BATCH = 10_000
_KEY = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
_entities = sa.table(
    "entities", sa.column("id", sa.Integer), sa.column("uuid"), sa.column("label"), sa.column("label_key")
)
_disputed, _held = sa.text("open_conflicts > 0"), sa.text("waits_for IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("entities") as batch_op:
        batch_op.add_column(sa.Column("label_key", _KEY, nullable=False, server_default=""))
    _fill_label_keys(op.get_bind())
    by_label = ["exists", "is_open", "label_key", "id"]
    op.create_index("ix_entities_listed", "entities", ["list_name", *by_label])
    op.create_index("ix_entities_listed_at_site", "entities", ["list_name", "site_code", *by_label])
    _create_partial_index("ix_entities_disputed", "entities", ["list_name", "label_key", "id"], _disputed)
    with op.batch_alter_table("entity_conflicts") as batch_op:
        long_ago = sa.Column(
            "opened_at", sa.DateTime(timezone=True), nullable=False, server_default="1970-01-01 00:00:00"
        )
        batch_op.add_column(long_ago)
    opened = sa.table("entity_conflicts", sa.column("opened_at", sa.DateTime(timezone=True)))
    op.execute(opened.update().values(opened_at=datetime.now(UTC)))
    op.drop_index("ix_entity_contributions_waits_for", "entity_contributions")
    _create_partial_index("ix_entity_contributions_held", "entity_contributions", ["entity_id"], _held)


def _create_partial_index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _fill_label_keys(connection: sa.Connection) -> None:
    fill = _entities.update().where(_entities.c.id == sa.bindparam("key")).values(label_key=sa.bindparam("folded"))
    last = 0
    page = sa.select(_entities).where(_entities.c.id > sa.bindparam("last")).order_by(_entities.c.id).limit(_BATCH)
    while rows := connection.execute(page, {"last": last}).all():
        connection.execute(fill, [{"key": row.id, "folded": fold_label(row.label or row.uuid)} for row in rows])
        last = rows[-1].id


def downgrade() -> None:
    op.drop_index("ix_entity_contributions_held", "entity_contributions")
    op.create_index("ix_entity_contributions_waits_for", "entity_contributions", ["waits_for"])
    op.drop_column("entity_conflicts", "opened_at")
    for name in ("ix_entities_disputed", "ix_entities_listed_at_site", "ix_entities_listed"):
        op.drop_index(name, "entities")
    op.drop_column("entities", "label_key")
