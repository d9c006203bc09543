"""Everything that a row of a follow-up list, or an event, can be in has a word."""

from typing import get_args

from server.web.labels import LABELS
from server.web.list_words import LIST_LABELS
from sync.entity_history import Standing
from sync.policy import programme
from sync.programme.headcount import HeadcountState


def test_every_state_has_a_word() -> None:
    assert set(get_args(Standing)) - {"applied"} == set(LIST_LABELS["entity_standing"])
    assert set(get_args(HeadcountState)) == set(LIST_LABELS["headcount_state"])


def test_every_list_of_the_programme_has_a_word() -> None:
    assert set(programme().lists) <= set(LIST_LABELS["entity_list"])
    assert LIST_LABELS.keys() <= LABELS.keys()
