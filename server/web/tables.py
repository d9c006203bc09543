"""Tables for spreadsheets: CSV (RFC 4180) in which nothing that came from outside can act as a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from forms.cells import defuse

_PIECE = 16 * 1024
# The byte order mark, without which Excel reads accents wrongly.
_MARK = b"\xef\xbb\xbf"


def stream_csv(head: Sequence[str], lines: Iterable[Sequence[object]], mark: bytes = _MARK) -> Iterator[bytes]:
    """The table piece by piece: a long one needs no more memory than a short one."""
    yield mark
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    for line in chain([head], lines):
        writer.writerow(map(defuse, line))
        if target.tell() > _PIECE:
            yield _take(target)
    yield _take(target)


def _take(target: io.StringIO) -> bytes:
    text = target.getvalue()
    target.seek(0)
    target.truncate()
    return text.encode()


def render_lines(lines: Iterable[Iterable[object]]) -> bytes:
    """Lines of a table that is written while it is read; what is absent is blank."""
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerows(map(defuse, one) for one in lines)
    return target.getvalue().encode()
