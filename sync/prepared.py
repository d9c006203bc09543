"""Statements that hundreds of tablets ask at once: compiled once, then run on the driver's own connection.

SQLAlchemy's way of running a statement costs three to five times what the driver itself needs, on each request of each
tablet. Its words, its types and its errors stay; only the way between is shorter.
"""

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError

Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    given: dict[str, Any]  # the values that stand in the statement itself
    order: tuple[str, ...] | None  # of the values, where the driver wants them by place
    readers: tuple[tuple[int, Reader], ...]  # the columns whose values the driver does not give as they are
    make: Callable[..., Any]

    def bind(self, values: dict[str, Any]) -> Any:
        named = {**self.given, **values}
        return named if self.order is None else [named[name] for name in self.order]

    def read(self, row: tuple[Any, ...]) -> Any:
        if not self.readers:
            return self.make(*row)
        told = list(row)
        for place, reader in self.readers:
            told[place] = reader(told[place])
        return self.make(*told)


class Prepared:
    """A SELECT whose values the drivers take as they are: texts, numbers, truth values."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def first(self, connection: Connection, values: dict[str, Any]) -> Any:
        """The first row, a named tuple with the values as SQLAlchemy reads them; None where there is none.

        Raises what SQLAlchemy raises.
        """
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        driver: Any = connection.connection.driver_connection
        try:
            row = driver.execute(compiled.text, compiled.bind(values)).fetchone()
        except dialect.loaded_dbapi.Error as error:
            if dialect.is_disconnect(error, driver, None):
                # Asked again the long way round, SQLAlchemy finds the connection lost too, and lets go of it.
                return connection.execute(self._statement, values).first()
            # Not here: in a transaction that failed PostgreSQL would only answer that it has failed.
            raise _tell(error, compiled.text, values, connection) from error
        return None if row is None else compiled.read(row)

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled: Any = self._statement.compile(dialect=dialect)
        columns = list(self._statement.selected_columns)
        readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        made = _Compiled(
            str(compiled),
            {name: value for name, value in compiled.params.items() if value is not None},
            tuple(compiled.positiontup) if compiled.positional else None,
            tuple((place, reader) for place, reader in enumerate(readers) if reader is not None),
            namedtuple("Row", [column.key for column in columns]),  # type: ignore[misc]
        )
        self._compiled[dialect.name] = made
        return made


def _tell(error: Exception, text: str, values: dict[str, Any], connection: Connection) -> BaseException:
    """The driver's error as SQLAlchemy raises it, with its values hidden where the engine hides them."""
    hidden, dialect = connection.engine.hide_parameters, connection.dialect
    return DBAPIError.instance(text, values, error, dialect.loaded_dbapi.Error, hide_parameters=hidden, dialect=dialect)
