"""words by which names begin."""

import json

import sqlalchemy as sa
from alembic import op

from sync.linkage.names import sound

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_AT_ONCE = 5_000
_READ = sa.text("SELECT id, model_id, features FROM link_identities WHERE id > :after ORDER BY id LIMIT :most").columns(
    id=sa.Integer, model_id=sa.Integer, features=sa.LargeBinary
)
_ADD = sa.text("INSERT INTO link_words (model_id, word, identity_id, year) VALUES (:model_id, :word, :id, :year)")


def upgrade() -> None:
    connection, after = op.get_bind(), 0
    while rows := connection.execute(_READ, {"after": after, "most": _AT_ONCE}).all():
        added = [
            {"model_id": row.model_id, "word": word, "id": row.id, "year": json.loads(row.features)[10]}
            for row in rows
            for word in _list_words(json.loads(row.features))
        ]
        if added:
            connection.execute(_ADD, added)
        after = rows[-1].id


def _list_words(features: list[str | None]) -> list[str]:
    """The first two sounds of each family name (the first of the features) and given name (the fourth)."""
    names = [*map(sound, (features[0] or "").split()), *(features[3] or "").split()]
    return sorted({"b" + heard[:2].replace("w", "u") for heard in names if len(heard) > 1})


def downgrade() -> None:
    op.execute("DELETE FROM link_words WHERE word >= 'b' AND word < 'c'")
