"""long answers.

Filters reach answers that are longer than an index takes: their beginning stands in the index, and the whole beside it.
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_LONGEST = 255
_AT_ONCE = 1_000
_WHOLE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_READ = sa.text(
    "SELECT submission_id, form_id, answers FROM answer_rows"
    " WHERE submission_id > :after AND number = 0 AND length(answers) > :longest ORDER BY submission_id LIMIT :most"
).columns(submission_id=sa.Integer, form_id=sa.String, answers=sa.LargeBinary)
_WRITE = sa.text(
    "INSERT INTO answer_values (submission_id, path, form_id, text, whole)"
    " VALUES (:submission_id, :path, :form_id, :text, :whole) ON CONFLICT DO NOTHING"
)


def upgrade() -> None:
    op.add_column("answer_values", sa.Column("whole", _WHOLE, nullable=True))
    # SQLite compares bytes in any case.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("answer_values", "text", type_=sa.String(_LONGEST, collation="C"), existing_nullable=False)
    connection, after = op.get_bind(), 0
    while rows := connection.execute(_READ, {"after": after, "longest": _LONGEST, "most": _AT_ONCE}).all():
        long = [value for row in rows for value in _list_long(row)]
        if long:
            connection.execute(_WRITE, long)
        after = rows[-1].submission_id


def downgrade() -> None:
    op.execute("DELETE FROM answer_values WHERE whole IS NOT NULL")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "answer_values", "text", type_=sa.String(_LONGEST, collation="default"), existing_nullable=False
        )
    op.drop_column("answer_values", "whole")


def _list_long(row: Any) -> Iterator[dict[str, object]]:
    for path, text in _walk(json.loads(row.answers), ""):
        if len(text) > _LONGEST >= len(path):
            told = {"submission_id": row.submission_id, "form_id": row.form_id}
            yield {**told, "path": path, "text": text[:_LONGEST], "whole": text}


def _walk(answers: dict[str, Any], around: str) -> Iterator[tuple[str, str]]:
    """The texts of a record by their paths, with those of its groups."""
    for name, value in answers.items():
        if isinstance(value, dict):
            yield from _walk(value, f"{around}{name}/")
        elif isinstance(value, str):
            yield f"{around}{name}", value
