"""Alembic's environment: runs on the connection that server/database.py hands over."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

import server.accounts.models  # noqa: F401 (its tables belong to the metadata)
import sync.models  # noqa: F401
from sync.db import Base, Json, UTCDateTime


def render_item(kind: str, item: object, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write portable types in their own words, so that a migration does not change when our classes do."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and type(item) is type(Json):
        autogen_context.imports.add("from sqlalchemy.dialects.postgresql import JSONB")
        return 'sa.JSON().with_variant(JSONB(), "postgresql")'
    return False


with_batch = context.config.attributes["connection"].dialect.name == "sqlite"
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=with_batch,
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
