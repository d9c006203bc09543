"""Everything that a run with another server, or with the centre, can tell has a word."""

import re
from pathlib import Path

from server.web.labels import LABELS
from server.web.peer_words import PEER_LABELS
from sync.models import DIRECTIONS
from sync.peer_answers import PeerError

CENTRAL = Path(__file__).parents[3] / "sync" / "central"


def test_every_slug_of_an_exchange_has_a_word() -> None:
    steps = {name for path in CENTRAL.glob("*.py") for name in re.findall(r'Step\("(\w+)"', path.read_text())}
    assert {"records_in", "forms_out"} <= steps <= set(PEER_LABELS["peer_moved"])
    assert set(DIRECTIONS) == set(PEER_LABELS["direction_of_peer"])
    assert set(PeerError.messages) <= set(PEER_LABELS["relay_problem"])
    assert PEER_LABELS.keys() <= LABELS.keys()
