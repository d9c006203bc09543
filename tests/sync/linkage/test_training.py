from collections import Counter
from random import Random

import pytest

from benchmarks.accuracy import measure_pairs
from benchmarks.regional.recording import make_records
from sync.linkage.comparisons import COMPARISONS
from sync.linkage.errors import LinkageRefused
from sync.linkage.files import link_records
from sync.linkage.model import LinkModel
from sync.linkage.record import LinkRecord, parse_record
from sync.linkage.training import count_name_order, train_model
from tests.sync.linkage.people import MODEL

ROWS, TRUTH = make_records(800, seed=7)
RECORDS = [parse_record(row) for row in ROWS]


@pytest.fixture(scope="module")
def trained() -> LinkModel:
    return train_model(RECORDS, MODEL)


def test_learning_needs_no_labels_to_tell_persons_apart(trained: LinkModel) -> None:
    pairs = link_records(RECORDS, trained).pairs
    assert measure_pairs([(one.one, one.other, one.bits) for one in pairs], TRUTH).f1 > 0.88


def test_the_order_of_records_changes_nothing(trained: LinkModel) -> None:
    shuffled = [*RECORDS]
    Random(1).shuffle(shuffled)
    assert train_model(shuffled, MODEL).version == trained.version


def test_the_number_of_matches_is_learnt(trained: LinkModel) -> None:
    true_pairs = sum(size * (size - 1) / 2 for size in Counter(TRUTH.values()).values())
    assert trained.matches_per_record * len(RECORDS) == pytest.approx(true_pairs, rel=0.25)


def test_brothers_and_sisters_do_not_teach_that_given_names_differ(trained: LinkModel) -> None:
    given = next(one for one in COMPARISONS if one.name == "given")
    differing = [place for place, levels in enumerate(given.cells) if levels[0].label == "different"]
    assert sum(trained.cells["given"][place][0] for place in differing) < 0.15


def test_aliases_and_thresholds_stay(trained: LinkModel) -> None:
    assert (trained.aliases, trained.link_at) == (MODEL.aliases, MODEL.link_at)


def test_too_few_records_teach_nothing() -> None:
    with pytest.raises(LinkageRefused):
        train_model(RECORDS[:199], MODEL)


def test_strangers_alone_teach_without_failing() -> None:
    records = [LinkRecord(str(number), family_name=f"N{number}") for number in range(200)]
    assert train_model(records, MODEL).matches_per_record < 1


def test_name_order_counts_both_places() -> None:
    records = [LinkRecord("a", "Diallo", "Awa"), LinkRecord("b", "Jallow", "Diallo"), LinkRecord("c", "Djallo", "Sira")]
    assert count_name_order(records) == {"jalo": (3, 1)}
