from random import Random

import pytest

from server.tablets.link import ConnectionCut, Link


def test_good_link_carries_everything() -> None:
    assert Link(Random(1)).carry(b"body") == b"body"


def test_cut_link_sends_a_beginning_and_dies() -> None:
    link, body, sent = Link(Random(1), cuts=1.0), bytes(range(256)) * 40, bytearray()

    def send() -> None:
        for piece in link.carry(body):
            sent.extend(piece)  # type: ignore[arg-type]

    with pytest.raises(ConnectionCut):
        send()
    assert body.startswith(bytes(sent))
    assert len(sent) < len(body)


def test_answers_get_lost_as_often_as_was_said() -> None:
    link = Link(Random(1), lost_answers=0.5)
    assert 400 < sum(link.loses_answer() for _ in range(1000)) < 600
