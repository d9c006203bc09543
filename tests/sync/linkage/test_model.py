import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from sync.linkage.blocking import find_candidates, find_keys
from sync.linkage.errors import LinkageRefused
from sync.linkage.model import LinkModel, default_model, parse_model
from sync.linkage.record import LinkRecord
from tests.sync.linkage.people import MODEL


def test_a_model_survives_its_file() -> None:
    again = parse_model(MODEL.to_json())
    assert (again, again.version) == (MODEL, MODEL.version)


def test_the_version_covers_what_weights_depend_on() -> None:
    others = [replace(MODEL, link_at=16.0), replace(MODEL, aliases={}), replace(MODEL, too_common=frozenset({1}))]
    assert len({MODEL.version, *(one.version for one in others)}) == 4


def test_the_default_model_names_no_seldom_phone() -> None:
    assert len(default_model().frequencies["phone"]) < 200


def test_the_default_model_brings_nobody_together_by_what_is_common_to_many() -> None:
    many = {"given_name": "Mamadou", "sex": "1", "birth_date": date(1990, 1, 1), "nationality": "GIN"}
    one, other = (MODEL.cleaner.clean(LinkRecord(name, family_name=name * 4, **many)) for name in ("a", "b"))
    assert [list(find_candidates([find_keys(one, common), find_keys(other, common)])) for common in (
        frozenset(), MODEL.too_common,
    )] == [[(0, 1)], []]  # fmt: skip


@pytest.mark.parametrize(
    ("records", "steps"),
    [(1, 1024), (1024, 1024), (1025, 2048), (1_000_000, 1_048_576)],
)
def test_the_prior_is_a_step_at_each_power_of_two(records: int, steps: int) -> None:
    assert MODEL.prior(records) == pytest.approx(2 * MODEL.matches_per_record / steps)


def broken(change: Any) -> str:
    raw = json.loads(MODEL.to_json())
    change(raw)
    return json.dumps(raw)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "link_model_unreadable"),
        ("[]", "link_model_unreadable"),
        ("{}", "link_model_unreadable"),
        (broken(lambda raw: raw["teral"].update(edition=0)), "link_model_edition"),
        (broken(lambda raw: raw["comparisons"][0]["comparison_levels"].pop()), "link_model_edition"),
        (broken(lambda raw: raw["comparisons"].pop(0)), "link_model_unreadable"),
        (
            broken(lambda raw: raw["comparisons"][3]["comparison_levels"][0].update(m_probability=0)),
            "link_model_unreadable",
        ),
        (broken(lambda raw: raw["teral"].update(too_common="x")), "link_model_unreadable"),
        (broken(lambda raw: raw["teral"]["name_order"].update(awa=[3, -1])), "link_model_unreadable"),
        (broken(lambda raw: raw["teral"].update(link_at=float("nan"))), "link_model_unreadable"),
        (broken(lambda raw: raw["teral"]["frequencies"].update(phone={"77": 2.0})), "link_model_unreadable"),
        (broken(lambda raw: raw["teral"].update(aliases={"pape": 1})), "link_model_unreadable"),
        ("[" * 100_000, "link_model_unreadable"),
    ],
    ids=[
        "nothing",
        "a list",
        "no model",
        "another edition",
        "levels missing",
        "a comparison missing",
        "m of 0",
        "no numbers",
        "fewer names than none",
        "no number",
        "more than all",
        "no name",
        "too deep",
    ],
)
def test_other_files_are_refused(text: str, code: str) -> None:
    with pytest.raises(LinkageRefused) as refused:
        parse_model(text)
    assert refused.value.code == code


def test_a_model_without_frequencies_weighs_no_rarity() -> None:
    assert set(LinkModel(MODEL.cells, 1.0).usual.values()) == {1.0}
