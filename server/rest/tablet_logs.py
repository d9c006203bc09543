"""What tablets noted while forms were filled in (ODK XForms, "audit"): the logs of all records as one table.

Every record's log has the same name, so that as files they would overwrite each other. Columns are those of Central.
"""

import csv
import io
import sys
from collections.abc import Iterable, Iterator

from forms.cells import write_cell

LOG = "audit.csv"
_NOTED = (
    "event", "node", "start", "end", "latitude", "longitude", "accuracy", "old-value", "new-value", "user",
    "change-reason",
)  # fmt: skip
# An answer may be longer than what the library takes for a cell at most.
csv.field_size_limit(sys.maxsize)


def write_logs(logs: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """The table, of each log the instanceID of its record and its bytes."""
    yield _write_line(["instance ID", *_NOTED])
    for instance_id, content in logs:
        yield b"".join(_write_line([instance_id, *noted]) for noted in _read_log(content))


def _read_log(content: bytes) -> Iterator[list[str | None]]:
    text = content.decode("utf-8-sig", "replace")
    for row in csv.DictReader(io.StringIO(text, newline="")):
        yield [row.get(name) for name in _NOTED]


def _write_line(cells: Iterable[object]) -> bytes:
    return f"{','.join(map(write_cell, cells))}\r\n".encode()
