"""Any exception becomes an answer that leaves the record on the tablet."""

import errno
import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound, RequestEntityTooLarge

from server.openrosa.errors import OpenRosaError, translate_error


def sqlite(code: int) -> OperationalError:
    original = sqlite3.OperationalError("…")
    original.sqlite_errorcode = code  # type: ignore[misc]
    return OperationalError("", {}, original)


class PostgresDiskFull(Exception):
    sqlstate = "53100"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OpenRosaError(403, "x"), 403),
        (RequestEntityTooLarge(), 413),
        (BadRequest(), 400),
        (NotFound(), 404),
        (MethodNotAllowed(), 405),
        (OSError(errno.ENOSPC, "full"), 507),
        (OSError(errno.EDQUOT, "quota"), 507),
        (sqlite(sqlite3.SQLITE_FULL), 507),
        (OperationalError("", {}, PostgresDiskFull()), 507),
        (sqlite(sqlite3.SQLITE_BUSY), 503),
        (IntegrityError("", {}, ValueError()), 503),
        (ConnectionError(), 503),
        (OSError(errno.EIO, "io"), 500),
        (ZeroDivisionError(), 500),
    ],
    ids=lambda value: value if isinstance(value, int) else type(value).__name__,
)
def test_status(error: Exception, status: int) -> None:
    assert translate_error(error).status == status
