"""Everything that a waterfall, a question or a decision can name has a word."""

from typing import get_args

from server.web.labels import LABELS
from server.web.link_words import LINK_LABELS
from sync.link_checks import ANSWERS as CHECKS
from sync.link_inquiries import ANSWERS
from sync.link_verdicts import LINKING
from sync.linkage.comparisons import COMPARISONS
from sync.linkage.decision import Reason
from sync.linkage.features import FREQUENCIES
from sync.linkage.score import PRIOR


def test_every_slug_of_linkage_has_a_word() -> None:
    parts = [part for comparison in COMPARISONS for part in comparison.parts]
    steps = {PRIOR, *(one.name for one in COMPARISONS), *(f"{name}_rarity" for name in FREQUENCIES)}
    assert steps <= set(LINK_LABELS["link_step"])
    assert {part.name for part in parts} <= set(LINK_LABELS["link_part"])
    assert {level.label for part in parts for level in part.levels} <= set(LINK_LABELS["link_level"])
    assert set(get_args(Reason)) <= set(LINK_LABELS["link_reason"])
    assert {*LINKING, "unsure", "value"} <= set(LINK_LABELS["link_kind"])
    assert (set(ANSWERS), set(CHECKS)) <= (set(LINK_LABELS["inquiry_answer"]), set(LINK_LABELS["link_answer"]))
    assert LINK_LABELS.keys() <= LABELS.keys()
