"""How SQLite finds what it is asked for: a statement that reads a whole table is slow only when the table is large."""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, event


@contextlib.contextmanager
def watched_scans(engine: Engine, table: str) -> Iterator[list[str]]:
    """Collect the statements of the block that read this table from one end to the other."""
    found: list[str] = []
    with watched_plans(engine, table) as steps:
        yield found
    found += [statement for statement, detail in steps if detail == f"SCAN {table}"]


@contextlib.contextmanager
def watched_plans(engine: Engine, table: str) -> Iterator[list[tuple[str, str]]]:
    """Collect each step of how SQLite finds what the block asks of this table, with its statement."""
    seen: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if f" {table}" in statement and statement.startswith(("SELECT", "UPDATE", "DELETE")):
            seen[statement] = parameters if not isinstance(parameters, list) else parameters[0]

    steps: list[tuple[str, str]] = []
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield steps
    finally:
        event.remove(engine, "before_cursor_execute", note)
        with engine.connect() as connection:
            for statement, parameters in seen.items():
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                steps += [(statement, row.detail) for row in plan]
