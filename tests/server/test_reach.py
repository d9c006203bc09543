"""Which addresses lead nobody here. The pages that say so are in tests/server/web/test_relays.py."""

import pytest

from server.config import Settings
from server.reach import is_out_of_reach


@pytest.mark.parametrize(
    ("host", "public_url", "is_reached"),
    [
        ("127.0.0.1", "", False), ("0.0.0.0", "", False), ("192.0.2.10", "", True), ("::1", "http://[::1]:1", False),
        ("127.0.0.1", "https://teral.example", True), ("0.0.0.0", "http://localhost:8383/", False),
    ],
)  # fmt: skip
def test_an_address_that_leads_to_this_machine_alone_is_seen(host: str, public_url: str, is_reached: bool) -> None:
    assert is_out_of_reach(Settings(host=host, public_url=public_url)) != is_reached
