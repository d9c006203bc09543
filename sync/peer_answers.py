"""What another server answers: the rows and the JSON that we ask for, or what went wrong, in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from forms.errors import N_, FormsError

if TYPE_CHECKING:
    from requests import Response

# The server says that it did nothing.
BUSY = frozenset({429, 503})
# Whatever stands before it waited in vain for its answer: what was asked may have been done.
LOST = frozenset({502, 504})


class PeerError(FormsError):
    """What became of a call to another server. `status` is its HTTP status, 0 where there was no answer."""

    messages = {
        "peer_unreachable": N_("The server cannot be reached, or the connection broke."),
        "peer_certificate": N_(
            "The server's certificate cannot be trusted: it has expired, is for another name or from an authority "
            "that is unknown here, or the clock of this server is wrong."
        ),
        "peer_credentials": N_("The server does not accept the credentials."),
        "peer_forbidden": N_("The account may not do this on the server."),
        "peer_missing": N_("The server has nothing at this address, or the account may not see it."),
        "peer_busy": N_("The server is busy. The next run tries again."),
        "peer_slow": N_("This takes longer than a page waits. The command “teral peers” waits until the end."),
        "peer_refused": N_("The server refused a request (%(status)s)."),
        "peer_confused": N_("The server's answer is not what ODK Central would answer."),
    }

    def __init__(self, code: str, status: int = 0, problem: float | None = None) -> None:
        super().__init__(code, status=problem or status)
        self.status, self.problem = status, problem

    @property
    def is_lasting(self) -> bool:
        """Whether the next request would meet the same: there is no use in going on."""
        return self.code in ("peer_unreachable", "peer_certificate", "peer_credentials", "peer_busy", "peer_slow")


_BY_STATUS = {401: "peer_credentials", 403: "peer_forbidden", 404: "peer_missing"}


def refuse(response: "Response") -> None:
    """Raise what a status of 300 or more means for an exchange; one that still leads elsewhere is none of Central."""
    status = response.status_code
    if status < 300 or status == 304:
        return
    if status < 400:
        raise PeerError("peer_confused", status)
    code = "peer_busy" if status in BUSY | LOST else _BY_STATUS.get(status, "peer_refused")
    raise PeerError(code, status, _read_problem(response))


def _read_problem(response: "Response") -> float | None:
    """Central's own code, such as 409.3."""
    try:
        return float(response.json()["code"])
    except (ValueError, TypeError, KeyError):
        return None


def check_rows(value: Any, *names: str) -> list[dict[str, Any]]:
    """A list as the peer told it, each of its objects with a text under these names; else a PeerError."""
    if not isinstance(value, list) or not all(_is_row(one, names) for one in value):
        raise PeerError("peer_confused")
    return value


def _is_row(value: object, names: Sequence[str]) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in names)


def read_json(response: "Response") -> Any:
    """The JSON of an answer, or PeerError: what stands between us and a server may answer in its place."""
    try:
        return response.json()
    except ValueError as error:
        raise PeerError("peer_confused") from error
