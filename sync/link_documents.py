"""What documents say about whose records are whose: against a document one word is not enough, it takes two people.

That holds whoever decides, also where they may not read the record that shows the document.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sync.link_fold import read_link_record
from sync.link_models import Linking
from sync.linkage.comparisons import DOCUMENT
from sync.linkage.features import Features
from sync.models import PersonRecord


@dataclass(frozen=True, slots=True)
class Documents:
    """What speaks against parting two sides, and what against joining them."""

    same_number: bool = False
    other_number: bool = False


def compare_documents(
    linking: Linking | None, ones: Iterable[PersonRecord], others: Iterable[PersonRecord]
) -> Documents:
    """Whether two sides show one document, or of one kind none but different ones."""
    if linking is None:
        return Documents()
    left, right = (
        [linking.model.cleaner.clean(read_link_record(record)) for record in side] for side in (ones, others)
    )
    levels = {_compare(one, other) for one in left for other in right}
    same = "the same number" in levels
    return Documents(same_number=same, other_number="different" in levels and not same)


def _compare(one: Features, other: Features) -> str:
    return DOCUMENT.levels[DOCUMENT.find_level(one, other)].label
