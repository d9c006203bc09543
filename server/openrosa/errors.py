"""What a tablet is told when a request cannot be served: a status that Collect acts on, a sentence that it shows."""

import errno
import sqlite3
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from forms.errors import N_


@dataclass
class OpenRosaError(Exception):
    """`message` is an English msgid; Collect shows it to the officer for every status but 200 and 401."""

    status: int
    message: str
    headers: list[tuple[str, str]] = field(default_factory=list)


RETRY_LATER = [("Retry-After", "30")]

BAD_TOKEN = N_("The address of this server in the tablet's settings is damaged. Scan the tablet's QR code again.")
UNKNOWN_TOKEN = N_("This tablet has no access any more. Ask your supervisor for a new QR code.")
SENDING_ONLY = N_("This QR code was replaced. Records can still be sent; scan the new QR code to fetch forms.")
LOGIN = N_("The user name or password of this tablet is wrong.")
NOT_FOUND = N_("There is nothing at this address.")
UNREADABLE_UPLOAD = N_("The record did not arrive whole. It stays on the tablet; please send it again.")
MISSING_PART = N_("The record itself was missing from what arrived. It stays on the tablet; please send it again.")
UNREADABLE_XML = N_("The record cannot be read. It stays on the tablet; please show it to your supervisor.")
TOO_LARGE = N_("What was sent is larger than this server accepts. It stays on the tablet; tell your supervisor.")
TOO_SLOW = N_("The network is too slow at the moment. The record stays on the tablet and will be sent again.")
DISK_FULL = N_("The server has no room left. The record stays on the tablet; tell your supervisor.")
OVERLOAD = N_("The server is busy. The record stays on the tablet and will be sent again.")
FAULT = N_("The server made a mistake. The record stays on the tablet; tell your supervisor.")


def translate_error(error: Exception) -> OpenRosaError:
    """Turn any exception into the answer that loses nothing: what was not kept stays on the tablet."""
    if isinstance(error, OpenRosaError):
        return error
    if isinstance(error, RequestEntityTooLarge):
        return OpenRosaError(413, TOO_LARGE)
    if isinstance(error, HTTPException):
        return OpenRosaError(error.code or 500, UNREADABLE_UPLOAD if error.code == 400 else NOT_FOUND)
    if is_disk_full(error):
        return OpenRosaError(507, DISK_FULL)
    if isinstance(error, (DBAPIError, PoolTimeout, ConnectionError)):
        return OpenRosaError(503, OVERLOAD, RETRY_LATER)
    return OpenRosaError(500, FAULT)


def is_disk_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.Error):
        return getattr(original, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(original, "sqlstate", None) == "53100"  # PostgreSQL's disk_full
