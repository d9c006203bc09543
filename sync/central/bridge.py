"""What every step of an exchange works with: the peer, the line to it, and our own side in short transactions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from sqlalchemy.orm import Session

from forms.errors import Translate
from sync.attachments import AttachmentStore
from sync.models import Peer
from sync.peer_answers import PeerError

if TYPE_CHECKING:
    from sync.peer_client import PeerClient

T = TypeVar("T")


class Ours(Protocol):
    """Our database in short transactions: tablets must not wait for it while we wait for the peer."""

    def read(self, work: Callable[[Session], T]) -> T:
        """Look something up."""

    def write(self, work: Callable[[Session], T]) -> T:
        """Do a piece of work and commit it."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """One exchange with one peer. `translate` words what the peer's readers are told."""

    peer: Peer  # loaded whole and detached: nothing of it changes while the exchange lasts
    client: "PeerClient"
    ours: Ours
    store: AttachmentStore
    clock: Callable[[], datetime]
    translate: Translate = str


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do, found but not done: so a dry run only looks.

    `kind` says what would move, and is empty for what only we note; `what` names it, without an answer. What could
    not even be looked up has a `problem` instead, so that it is told, in a dry run too, and stops nothing after it.
    """

    kind: str
    what: str
    do: Callable[[], object]
    count: int = 1
    problem: PeerError | None = None


def read_moment(text: object) -> datetime:
    """A time as the peer writes it, or PeerError."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError as error:
        raise PeerError("peer_confused") from error
