"""QR codes hold the text that they were drawn from."""

import pytest

from server.qr import draw_qr


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_text_is_drawn_in_the_kind_that_is_asked_for(kind: str, begins: bytes) -> None:
    picture = draw_qr("export TERAL_UPSTREAM_NUMBER=7", kind)
    assert picture.startswith(begins)
    assert picture == draw_qr("export TERAL_UPSTREAM_NUMBER=7", kind) != draw_qr("export TERAL_UPSTREAM_NUMBER=8", kind)
