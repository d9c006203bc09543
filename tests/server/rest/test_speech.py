"""How bodies are sent: together what belongs together, the beginning at once."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from server.rest.speech import gather


@given(st.lists(st.binary(max_size=9)), st.integers(1, 20))
def test_parts_are_put_together_without_loss(parts: list[bytes], size: int) -> None:
    pieces = list(gather(parts, size))
    assert b"".join(pieces) == b"".join(parts)
    assert all(len(one) >= size for one in pieces[1:-1])


def test_the_first_part_is_sent_before_the_second_is_made() -> None:
    def parts() -> Iterator[bytes]:
        yield b"a"
        raise AssertionError("not yet")

    assert next(gather(parts())) == b"a"
