"""A relay's line to its centre: pyodk's session for forms and records, and one endpoint of our own for what Central's
`/v1` cannot say: when and from which tablet a record came, who numbered an entity, verdicts, receipts.

Nothing here touches the database, so that nobody waits for a bad link (server/relay.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.attachments import AttachmentStore
from sync.peer_client import PeerClient, PeerError, read_json
from sync.relaying.down import Fetched
from sync.relaying.exchange import Answer
from sync.relaying.lines import FormLine, Line, RelayRefused, parse_lines, write_line
from sync.relaying.pieces import PIECE

_HERE = "relay"


@dataclass(frozen=True, slots=True)
class CentreLink:
    """The centre, as a relay speaks to it. Whatever goes wrong is a PeerError; all of it may be said again."""

    client: PeerClient

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

    def fetch(self, form: FormLine, store: AttachmentStore) -> Fetched:
        """Fetch the XML and the files of a form."""
        fetched = Fetched()
        at = self.client.path("forms/{form}/versions/{version}", form=form.form_id, version=form.version or "___")
        with self.client.download(f"{at}.xml") as xml:
            fetched.forms[form.sha256] = xml.read()
        for name, sha256 in form.files:
            path = self.client.path(
                "forms/{form}/versions/{version}/attachments/{name}",
                form=form.form_id, version=form.version or "___", name=name,
            )  # fmt: skip
            with self.client.download(path) as content:
                fetched.files[sha256] = store.save(content)
        return fetched
