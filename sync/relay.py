"""A relay's line to its centre: pyodk's session for forms and records, and one endpoint of our own for what Central's
`/v1` cannot say: when and from which tablet a record came, who numbered an entity, verdicts, receipts.

Nothing here touches the database, so that nobody waits for a bad link (server/relay.py).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from sync.attachments import AttachmentStore
from sync.peer_answers import PeerError, read_json
from sync.relaying.exchange import Answer
from sync.relaying.lines import FormLine, Line, RelayRefused, parse_lines, write_line
from sync.relaying.pieces import PIECE

if TYPE_CHECKING:
    from sync.peer_client import PeerClient

_HERE = "relay"


@dataclass(frozen=True, slots=True)
class CentreLink:
    """The centre, as a relay speaks to it. Whatever goes wrong is a PeerError; all of it may be said again."""

    client: "PeerClient"

    def exchange(self, lines: Sequence[Line]) -> Answer:
        """Tell lines; return the centre's answer."""
        body = {"lines": [write_line(one) for one in lines]}
        told = read_json(self.client.call("POST", self.client.path(_HERE), json=body))
        try:
            return Answer(parse_lines(told["lines"]), list(told["records"]), dict(told["files"]))
        except (KeyError, TypeError, ValueError, RelayRefused) as error:
            raise PeerError("peer_confused") from error

    def send_record(self, form_id: str, xml: bytes) -> None:
        """Send a record, byte for byte."""
        # A record that names no form has none in its address; the centre reads the XML itself.
        path = self.client.path("forms/{form}/submissions", form=form_id or "-")
        self.client.call("POST", path, data=xml, headers={"Content-Type": "application/xml"})

    def send_file(
        self, store: AttachmentStore, sha256: str, size: int, held: int, may_go_on: Callable[[], bool]
    ) -> None:
        """Send what the centre lacks of a file, piece by piece, from the byte on that it has not.

        Raises RelayRefused where our copy is not what was received, and OSError where it cannot be read.
        """
        path = self.client.path(_HERE + "/files/{sha256}", sha256=sha256)
        # The centre would refuse a damaged file once all of it had come, and it would be sent again each time.
        if not store.is_whole(sha256):
            raise RelayRefused("relay_file")
        with store.open(sha256) as content:
            content.seek(held)
            while may_go_on():
                piece = content.read(PIECE)
                if not piece and size:
                    raise RelayRefused("relay_file")
                arrived = self._send_piece(path, {"start": held, "size": size}, piece)
                held += len(piece)
                if arrived == size:
                    return
                if arrived != held:
                    raise RelayRefused("relay_file")

    def _send_piece(self, path: str, params: dict[str, int], piece: bytes) -> int:
        told = read_json(self.client.call("POST", path, params=params, data=piece))
        try:
            return int(told["held"])
        except (KeyError, TypeError, ValueError) as error:
            raise PeerError("peer_confused") from error

    def fetch_form(self, form: FormLine) -> bytes:
        """Fetch the XML of a form, or raise PeerError where it is not the one that was told of."""
        with self.client.download(self._form_path(form, ".xml")) as content:
            xml = content.read()
        if hashlib.sha256(xml).hexdigest() != form.sha256:
            raise PeerError("peer_confused")
        return xml

    @contextmanager
    def fetch_file(self, form: FormLine, name: str) -> Iterator[IO[bytes]]:
        """Fetch a file of a form; whether it is the one that was told of is seen by who keeps it."""
        with self.client.download(self._form_path(form, "/attachments/{name}", name=name)) as content:
            yield content

    def _form_path(self, form: FormLine, rest: str, **names: str) -> str:
        path = "forms/{form}/versions/{version}" + rest
        return self.client.path(path, form=form.form_id, version=form.version or "___", **names)
