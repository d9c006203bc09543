"""Whether a column of numbers is one of many that are given as one value: one statement, however many there are.

A list in brackets is written anew at each call, and PostgreSQL reads and plans each length of it as another statement.
"""

from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import BindParameter, Dialect, SQLColumnExpression, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


class Numbers(TypeDecorator[Collection[int]]):
    """Many numbers as one value: JSON to SQLite, the text of an array to PostgreSQL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> str:
        told = orjson.dumps([*(value or ())]).decode()
        return told if dialect.name == "sqlite" else f"{{{told[1:-1]}}}"


class Among(FunctionElement[bool]):
    """A column, and the numbers of which it is to be one.

    Not said to be Boolean: SQLAlchemy would ask SQLite whether it is 1, and so keep it from using an index.
    """

    name = "among"
    inherit_cache = True


def among(column: SQLColumnExpression[int], name: str = "ids") -> Among:
    """Whether the column is one of the numbers that are given by this name when the statement is executed."""
    numbers: BindParameter[Collection[int]] = bindparam(name, type_=Numbers())
    return Among(column, numbers)


@compiles(Among, "sqlite")
def _list_in_sqlite(element: Among, compiler: Any, **given: Any) -> str:
    column, numbers = (compiler.process(one, **given) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"


@compiles(Among, "postgresql")
def _list_in_postgresql(element: Among, compiler: Any, **given: Any) -> str:
    column, numbers = (compiler.process(one, **given) for one in element.clauses)
    return f"{column} = ANY (CAST({numbers} AS INTEGER[]))"
