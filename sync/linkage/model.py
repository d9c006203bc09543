"""One frozen model: everything that weights depend on, as one JSON in Splink's shape with a hash as its version.

Frequencies, name order, aliases and the keys too common to look up are frozen in it, so that a weight changes only when
another model is made active. Only the prior follows the registry, by a declared step.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from math import inf, isinf, log2
from typing import Any

from sync.linkage.comparisons import COMPARISONS, Comparison
from sync.linkage.errors import LinkageRefused
from sync.linkage.features import FREQUENCIES, Cleaner
from sync.linkage.names import PET_FORMS

# What levels mean and how names sound is code: a model of another edition of them is none of ours.
EDITION = 3
_FEWEST = 1024


def find_size(records: int) -> int:
    """The step that a registry of so many records stands on: a power of two, so that weights change rarely."""
    return max(_FEWEST, 1 << max(0, records - 1).bit_length())


@dataclass(frozen=True)
class LinkModel:
    """A model version. `cells` holds for each comparison the probabilities (m, u) of its cells."""

    cells: Mapping[str, Sequence[tuple[float, float]]]
    matches_per_record: float
    frequencies: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    rarest: Mapping[str, float] = field(default_factory=dict)  # for a value that no table knows
    name_order: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=lambda: PET_FORMS)
    learnt: Mapping[str, int] = field(default_factory=dict)  # aliases that people taught, with how many persons did
    too_common: frozenset[int] = frozenset()
    link_at: float = 15.0
    # Between -3 and 0 bits one question in twelve finds a link, and so many of them would hide the others.
    review_at: float = 0.0

    @cached_property
    def version(self) -> str:
        """A hash over all that the model says."""
        return sha256(self.to_json().encode()).hexdigest()[:16]

    @cached_property
    def _text(self) -> str:
        return json.dumps(_render(self), ensure_ascii=False, sort_keys=True, indent=1)

    @cached_property
    def cleaner(self) -> Cleaner:
        """Makes features of records as this model reads them."""
        return Cleaner(self.aliases, self.name_order, self.frequencies, self.rarest)

    @cached_property
    def usual(self) -> Mapping[str, float]:
        """For each column with frequencies, how likely two random records agree on it."""
        return {
            name: expect_agreement(self.frequencies.get(name, {}), self.rarest.get(name, 1.0)) for name in FREQUENCIES
        }

    def prior(self, records: int) -> float:
        """The probability that two random records of so many are of one person: a step at each power of two.

        Persons are met a few times however large the registry grows, so a frozen prior would link ever more boldly.
        """
        return min(0.5, 2 * self.matches_per_record / find_size(records))

    def prior_bits(self, records: int) -> float:
        """The same as log2 of the odds."""
        prior = self.prior(records)
        return log2(prior / (1 - prior))

    def to_json(self) -> str:
        """The whole model; the same model gives the same text."""
        return self._text


def parse_model(text: str) -> LinkModel:
    """Read a model; raise LinkageRefused where it is none, or one of another edition."""
    try:
        raw = json.loads(text)
        if raw["teral"]["edition"] != EDITION:
            raise LinkageRefused("link_model_edition")
        own = raw["teral"]
        return LinkModel(
            cells=_parse_cells(raw["comparisons"]),
            matches_per_record=_parse_number(own["matches_per_record"]),
            frequencies={name: _parse_shares(own["frequencies"][name]) for name in FREQUENCIES},
            rarest=_parse_shares({name: own["rarest"][name] for name in FREQUENCIES}),
            name_order={word: (_parse_count(one), _parse_count(two)) for word, (one, two) in own["name_order"].items()},
            aliases={short.strip(): full.strip() for short, full in own["aliases"].items()},
            learnt={alias: int(count) for alias, count in own["learnt"].items()},
            too_common=frozenset(map(int, own["too_common"])),
            link_at=_parse_number(own["link_at"], least=-inf),
            review_at=_parse_number(own["review_at"], least=-inf),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise LinkageRefused("link_model_unreadable") from None


@cache
def default_model() -> LinkModel:
    """The model that ships, trained on invented records, so that the first day works."""
    return parse_model(files("sync.linkage").joinpath("default_model.json").read_text(encoding="utf-8"))


def expect_agreement(table: Mapping[str, float], rarest: float) -> float:
    """How likely two random records agree on a value, by the shares of values; of others each has the rarest."""
    rare = 1 - sum(table.values())
    return sum(share * share for share in table.values()) + max(0.0, rare) * rarest


def _parse_number(value: Any, least: float = 0.0, most: float = inf) -> float:
    number = float(value)
    if not least < number <= most or isinf(number):
        raise ValueError("no such number")
    return number


def _parse_count(value: Any) -> int:
    count = int(value)
    if count < 0:
        raise ValueError("no count")
    return count


def _parse_shares(shares: Mapping[str, Any]) -> dict[str, float]:
    return {name: _parse_number(share, most=1.0) for name, share in shares.items()}


def _parse_cells(comparisons: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    given = {one["output_column_name"]: one["comparison_levels"] for one in comparisons}
    cells = {
        one.name: [(float(level["m_probability"]), float(level["u_probability"])) for level in given[one.name]]
        for one in COMPARISONS
    }
    if any(len(cells[one.name]) != one.size for one in COMPARISONS):
        raise LinkageRefused("link_model_edition")
    if any(not 0 < chance <= 1 for pairs in cells.values() for pair in pairs for chance in pair):
        raise LinkageRefused("link_model_unreadable")
    return cells


def _render(model: LinkModel) -> dict[str, Any]:
    """Splink's settings, with what only Teral reads under one name of its own."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record_id",
        "probability_two_random_records_match": model.prior(_FEWEST),
        "comparisons": [
            *(_render_comparison(one, model.cells[one.name]) for one in COMPARISONS),
            *(_render_frequency(name, model.usual[name]) for name in FREQUENCIES),
        ],
        "teral": {
            "edition": EDITION,
            "matches_per_record": model.matches_per_record,
            "frequencies": model.frequencies,
            "rarest": model.rarest,
            "name_order": model.name_order,
            "aliases": dict(model.aliases),
            "learnt": dict(model.learnt),
            "too_common": sorted(model.too_common),
            "link_at": model.link_at,
            "review_at": model.review_at,
        },
    }


def _render_comparison(comparison: Comparison, cells: Sequence[tuple[float, float]]) -> dict[str, Any]:
    levels = [
        {"sql_condition": condition, "label_for_charts": label, "m_probability": m, "u_probability": u}
        for (label, condition), (m, u) in zip(comparison.list_conditions(), cells, strict=True)
    ]
    return {"output_column_name": comparison.name, "comparison_levels": levels}


def _render_frequency(column: str, usual: float) -> dict[str, Any]:
    """A comparison that weighs nothing but the rarity of the value on which two records agree.

    With m = u it leaves the agreement itself to the comparison whose part it is.
    """
    same = {
        "sql_condition": f"{column}_l = {column}_r", "label_for_charts": "the same", "m_probability": usual,
        "u_probability": usual, "tf_adjustment_column": column, "tf_adjustment_weight": 1.0,
    }  # fmt: skip
    rest = min(max(1 - usual, 1e-9), 1.0)
    other = {"sql_condition": "ELSE", "label_for_charts": "no", "m_probability": rest, "u_probability": rest}
    return {"output_column_name": f"{column}_rarity", "comparison_levels": [same, other]}
