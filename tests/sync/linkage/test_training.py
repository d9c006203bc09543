from collections import Counter
from dataclasses import replace
from datetime import date
from math import log2
from random import Random

import pytest

from benchmarks.accuracy import measure_pairs
from benchmarks.regional.recording import make_records
from sync.linkage.blocking import find_keys
from sync.linkage.comparisons import BIRTH, COMPARISONS
from sync.linkage.decision import Verdict
from sync.linkage.errors import LinkageRefused
from sync.linkage.files import link_records, weigh_pairs
from sync.linkage.model import LinkModel
from sync.linkage.record import LinkRecord, parse_record
from sync.linkage.training import train_model
from tests.sync.linkage.people import BANDS, MODEL

ROWS, TRUTH = make_records(800, seed=7)
RECORDS = [parse_record(row) for row in ROWS]


@pytest.fixture(scope="module")
def trained() -> LinkModel:
    return train_model(RECORDS, MODEL)


def test_learning_needs_no_labels_to_tell_persons_apart(trained: LinkModel) -> None:
    pairs = weigh_pairs(link_records(RECORDS, trained))
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


@pytest.mark.parametrize("model", ["trained", "default"])
def test_nobody_is_found_by_the_rarity_of_a_name_alone(trained: LinkModel, model: str) -> None:
    """Brothers and sisters share a rare name too, and a model knows few names of those it will meet."""
    learnt = trained if model == "trained" else MODEL
    for name, usual in learnt.usual.items():
        assert usual / learnt.rarest[name] < 5, name
        assert min(learnt.frequencies[name].values(), default=1.0) > learnt.rarest[name], name


@pytest.mark.parametrize("model", ["trained", "default"])
def test_what_is_not_known_weighs_nothing_where_learning_knew_all(trained: LinkModel, model: str) -> None:
    """The invented records all have a name: that two others have none is no sign that they are of one person."""
    learnt = trained if model == "trained" else MODEL
    for comparison in (one for one in COMPARISONS if one.name in ("household", "given")):
        cells = zip(comparison.cells, learnt.cells[comparison.name], strict=True)
        [unknown] = [log2(m / u) for levels, (m, u) in cells if all(level.unseen == 1.0 for level in levels)]
        assert abs(unknown) < 1, (comparison.name, unknown)


def test_what_was_hardly_seen_weighs_no_more_than_what_was_seen_often(trained: LinkModel) -> None:
    for name in ("household", "given", "origin"):
        often = [m / u for m, u in trained.cells[name] if m > 0.005]
        assert max(m / u for m, u in trained.cells[name]) < 4 * max(often), name


def test_bands_weigh_what_is_declared_where_no_record_tells_one(trained: LinkModel) -> None:
    for model in (trained, MODEL):
        cells = zip(BIRTH.levels, model.cells["birth"], strict=True)
        told = [(m / u, level.unseen) for level, (m, u) in cells if "band" in level.label]
        assert [found for found, _ in told] == pytest.approx([declared for _, declared in told], rel=1e-4)
        assert len(told) == 2


def find_band(one: LinkRecord) -> str:
    years = one.age if one.age is not None else 2026 - one.birth_date.year if one.birth_date else None
    ends = [(*map(int, code.replace("plus", "120").split("_")), code) for code in BANDS]
    return next((code for first, last, code in ends if years is not None and first <= years <= last), "")


def test_bands_that_records_tell_are_learnt() -> None:
    banded = [
        replace(one, birth_date=None, age=None, age_band=find_band(one)) if place % 2 else one
        for place, one in enumerate(RECORDS)
    ]
    cells = train_model(banded, MODEL).cells["birth"]
    m, u = cells[[level.label for level in BIRTH.levels].index("an age band that fits")]
    assert (m > 0.1, 1 < m / u < 8) == (True, True)


def test_two_without_a_name_who_share_a_day_are_not_one() -> None:
    nameless = {"sex": "1", "birth_date": date(2025, 3, 14), "nationality": "SEN"}
    known = [LinkRecord(f"n{place}", "Ba", f"{name}a", "1") for place, name in enumerate("bcdfgklmnprst")]
    linked = link_records([LinkRecord("a", **nameless), LinkRecord("b", **nameless), *known], MODEL)
    assert {"a", "b"} not in [set(person) for person in linked.decision.persons]


def test_keys_that_too_many_share_are_frozen() -> None:
    born = {"sex": "1", "birth_date": date(1990, 1, 1), "nationality": "SEN"}
    names = [("Ba", "Amadou")] * 160 + [("Sow", "Demba")] * 40
    records = [LinkRecord(str(place), *name, **born) for place, name in enumerate(names)]
    learnt = train_model(records, MODEL)
    many, few = ({key.hash for key in find_keys(learnt.cleaner.clean(one))} for one in (records[0], records[-1]))
    assert (learnt.too_common, len(few)) == (many, 3)


def test_aliases_and_thresholds_stay(trained: LinkModel) -> None:
    assert (trained.aliases, trained.link_at) == (MODEL.aliases, MODEL.link_at)


def test_too_few_records_teach_nothing() -> None:
    with pytest.raises(LinkageRefused):
        train_model(RECORDS[:199], MODEL)


def test_strangers_alone_teach_without_failing() -> None:
    records = [LinkRecord(str(number), family_name=f"N{number}") for number in range(200)]
    assert train_model(records, MODEL).matches_per_record < 1


@pytest.fixture(scope="module")
def labels(trained: LinkModel) -> list[Verdict]:
    """What people would say about the pairs that they are asked about: the doubtful ones."""
    ends = [(one.one, one.other) for one in weigh_pairs(link_records(RECORDS, trained)) if -8 < one.bits < 8]
    return [Verdict(one, other, TRUTH[one] == TRUTH[other]) for one, other in ends]


def test_labels_bring_the_number_of_matches_nearer_to_the_truth(trained: LinkModel, labels: list[Verdict]) -> None:
    true_pairs = sum(size * (size - 1) / 2 for size in Counter(TRUTH.values()).values())
    taught = train_model(RECORDS, MODEL, labels)
    off = [abs(one.matches_per_record * len(RECORDS) - true_pairs) for one in (taught, trained)]
    assert off[0] < off[1]


def test_neither_the_order_of_labels_nor_absent_records_teach_anything(labels: list[Verdict]) -> None:
    few, absent = RECORDS[:250], Verdict(RECORDS[0].record_id, "absent", same=True)
    taught = [train_model(few, MODEL, said).version for said in (labels, [absent, *reversed(labels)])]
    assert taught[0] == taught[1]
