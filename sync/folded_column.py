"""A column of texts without case and accents, in the database itself and alike in both (folding.py says how).

SQLite's own lower() knows the letters of English alone, and neither database takes an accent off by itself.
"""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from sync.db import FOLD

# The accents of Latin letters, and the signs that Arabic ones carry, as PostgreSQL's expressions write them.
_MARKS = r"[\u0300-\u036f\u064b-\u065f\u0670]"


class Folded(FunctionElement[str]):
    """A column of texts, none of them NULL, as fold_letters leaves them."""

    type = String()
    name = "folded"
    inherit_cache = True


@compiles(Folded, "sqlite")
def _fold_in_sqlite(element: Folded, compiler: Any, **given: Any) -> str:
    return f"{FOLD}({compiler.process(element.clauses, **given)})"


@compiles(Folded, "postgresql")
def _fold_in_postgresql(element: Folded, compiler: Any, **given: Any) -> str:
    text = compiler.process(element.clauses, **given)
    # A column in the order of bytes knows the capitals of English alone.
    return f"regexp_replace(lower(normalize({text}, NFKD) COLLATE \"default\"), '{_MARKS}', '', 'g')"
