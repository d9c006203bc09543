"""A bad connection: sometimes it dies in the middle of a post, sometimes when the answer is on its way."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

_PIECE = 1024


class ConnectionCut(ConnectionError):
    """The network went away."""


@dataclass(slots=True)
class Link:
    """How likely a post loses its answer, or is cut while its body is being sent."""

    rng: Random
    lost_answers: float = 0.0
    cuts: float = 0.0
    lost: int = 0
    cut: int = 0

    def loses_answer(self) -> bool:
        if self.rng.random() >= self.lost_answers:
            return False
        self.lost += 1
        return True

    def carry(self, body: bytes) -> bytes | Iterator[bytes]:
        """The body, or an iterator over it that dies before its end."""
        if not body or self.rng.random() >= self.cuts:
            return body
        self.cut += 1
        return self._break_off(body[: self.rng.randrange(len(body))])

    def _break_off(self, sent: bytes) -> Iterator[bytes]:
        for start in range(0, len(sent), _PIECE):
            yield sent[start : start + _PIECE]
        raise ConnectionCut("cut in the middle of a post")
