"""Tables for spreadsheets: CSV (RFC 4180) in which nothing that came from outside can act as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

# What makes a spreadsheet calculate; some skip blanks and a byte order mark before it.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
_SKIPPED = " \ufeff\n"


def render_csv(head: Sequence[str], lines: Iterable[Sequence[object]]) -> bytes:
    """The table with a byte order mark, without which Excel reads accents wrongly."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([defuse(name) for name in head])
    writer.writerows([[defuse(value) for value in line] for line in lines])
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def defuse(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would calculate."""
    if isinstance(value, str) and value.lstrip(_SKIPPED).startswith(_ACTIVE):
        return "'" + value
    return value
