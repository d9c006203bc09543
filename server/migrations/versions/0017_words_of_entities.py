"""words of entities."""

import sqlalchemy as sa
from alembic import op

from sync.entity_state import EntityState
from sync.entity_words import list_words

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_BATCH = 5000
_WORD = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
_entities = sa.table(
    "entities", sa.column("id", sa.Integer), sa.column("list_name"), sa.column("uuid"), sa.column("label"),
    sa.column("properties", sa.JSON),
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "entity_words",
        sa.Column("list_name", sa.String(255), nullable=False),
        sa.Column("word", _WORD, nullable=False),
        sa.Column("entity_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entities.id"], name=op.f("fk_entity_words_entity_id")),
        sa.PrimaryKeyConstraint("list_name", "word", "entity_id", name=op.f("pk_entity_words")),
        sqlite_with_rowid=False,
    )
    _fill(op.get_bind())
    op.create_index("ix_entity_words_entity", "entity_words", ["entity_id", "word"])


def _fill(connection: sa.Connection) -> None:
    words = sa.table("entity_words", sa.column("list_name"), sa.column("word"), sa.column("entity_id"))
    page, last = sa.select(_entities).order_by(_entities.c.id).limit(_BATCH), 0
    while rows := connection.execute(page.where(_entities.c.id > last)).all():
        said = [(one.id, EntityState(one.list_name, one.uuid, one.label, one.properties)) for one in rows]
        told = [
            {"list_name": state.list_name, "word": word, "entity_id": entity_id}
            for entity_id, state in said
            for word in sorted(list_words(state))
        ]
        if told:
            connection.execute(words.insert(), told)
        last = rows[-1].id


def downgrade() -> None:
    op.drop_table("entity_words")
