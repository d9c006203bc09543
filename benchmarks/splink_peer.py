"""Splink 5 on DuckDB, as a newcomer and as somebody who tuned it would use it. Unsupervised, the same records.

The tuned one gets our cleaned columns, keys of names, blocks and term frequencies; what it has not are joint
comparisons and the third kind of pairs in training.
"""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pyarrow as pa
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.accuracy import Scored
from sync.linkage.features import Features

_TEXTS = {"family_name", "given_name", "mother_name", "birth_place"}


def link_as_newcomer(rows: Sequence[dict[str, str]], names: Sequence[str]) -> Scored:
    """The quick start of Splink's documentation on raw columns, those that the file has."""
    columns = {name: [_raw(row.get(name, ""), name) for row in rows] for name in ("record_id", *names)}
    known = {
        "family_name": comparisons.JaroWinklerAtThresholds("family_name", [0.92, 0.8]).configure(
            term_frequency_adjustments=True
        ),
        "given_name": comparisons.JaroWinklerAtThresholds("given_name", [0.92, 0.8]).configure(
            term_frequency_adjustments=True
        ),
        "sex": comparisons.ExactMatch("sex"),
        "birth_date": comparisons.LevenshteinAtThresholds("birth_date", [1, 2]),
        "nationality": comparisons.ExactMatch("nationality"),
        "birth_place": comparisons.JaroWinklerAtThresholds("birth_place", [0.92, 0.8]),
        "mother_name": comparisons.JaroWinklerAtThresholds("mother_name", [0.92, 0.8]),
        "phone": comparisons.LevenshteinAtThresholds("phone", [1]),
        "document_number": comparisons.ExactMatch("document_number"),
    }
    rules = [
        ("family_name", "given_name"), ("family_name", "birth_date"), ("given_name", "birth_date"), ("phone",),
        ("mother_name",), ("document_number",), ("birth_date", "birth_place"), ("family_name", "birth_place", "sex"),
    ]  # fmt: skip
    usable = [block_on(*rule) for rule in rules if set(rule) <= set(names)]
    return _run(columns, [known[name] for name in names if name in known], usable, ("family_name", "given_name"))


def link_tuned(records: Sequence[Features]) -> Scored:
    """Our cleaned columns, summed as independent comparisons with term frequencies."""
    columns = {name: [getattr(one, name) for one in records] for name in Features._fields if not name.startswith("tf_")}
    wide = [
        ("document",), ("phone", "given_1"), ("phone", "family_key"), ("family_key", "given_1", "birth_year"),
        ("birth_day", "family_key"), ("birth_day", "given_1"), ("birth_day", "sex", "nation"),
        ("mother_key", "given_1"), ("mother_key", "family_key"), ("mother_key", "birth_year"),
        ("family_key", "given_1", "place_key"), ("family_key", "given_1", "mother_given"),
        ("family_key", "birth_year", "nation", "sex"), ("given_1", "birth_year", "nation", "sex"),
        ("family_key", "given_1", "nation"),
    ]  # fmt: skip
    return _run(
        columns, _tuned_comparisons(), [block_on(*rule) for rule in wide], ("family_key", "given_1", "birth_year")
    )


def _tuned_comparisons() -> list[Any]:
    names = [
        comparisons.CustomComparison(
            output_column_name=name,
            comparison_levels=[
                levels.NullLevel(form),
                levels.ExactMatchLevel(form),
                levels.ExactMatchLevel(key, term_frequency_adjustments=True),
                levels.LevenshteinLevel(form, 1),
                levels.JaroWinklerLevel(form, 0.88),
                levels.ElseLevel(),
            ],
        )
        for name, form, key in (("family", "family_form", "family_key"), ("given", "given_1_form", "given_1"))
    ]
    gap = "abs(birth_year_l - birth_year_r)"
    birth = comparisons.CustomComparison(
        output_column_name="birth",
        comparison_levels=[
            levels.NullLevel("birth_year"),
            levels.ExactMatchLevel("birth_day"),
            levels.CustomLevel("levenshtein(birth_day_l, birth_day_r) = 1 OR birth_day_l = birth_swapped_r"),
            levels.CustomLevel("birth_kind_l = 'day' AND birth_kind_r = 'day'"),
            *(levels.CustomLevel(f"{gap} <= {years}") for years in (0, 1, 3, 6)),
            levels.ElseLevel(),
        ],
    )
    rest = [
        comparisons.ExactMatch("sex"),
        comparisons.ExactMatch("nation"),
        comparisons.ExactMatch("place_key").configure(term_frequency_adjustments=True),
        comparisons.LevenshteinAtThresholds("mother_form", [1, 3]),
        comparisons.ExactMatch("phone").configure(term_frequency_adjustments=True),
        comparisons.LevenshteinAtThresholds("document", [1]),
    ]
    return [*names, birth, *rest]


def _run(*given: Any) -> Scored:
    """Splink tells every step at length; the table is ours."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return _link(*given)


def _link(columns: dict[str, list[Any]], compared: list[Any], rules: list[Any], names: tuple[str, ...]) -> Scored:
    api = DuckDBAPI()
    registered = api.register(pa.table(columns), dataset_display_name="records_to_link")
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        comparisons=compared,
        blocking_rules_to_generate_predictions=rules,
    )
    linker = Linker(registered, settings)
    birth = next(name for name in ("birth_day", "birth_date") if name in columns)
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on(*names, birth)], recall=0.4)
    training.estimate_u_using_random_sampling(max_pairs=2e6)
    for block in (names, (birth,)):
        training.estimate_parameters_using_expectation_maximisation(block_on(*block))
    found = linker.inference.predict(threshold_match_weight=-15).as_pyarrow_table().to_pydict()
    return list(zip(found["record_id_l"], found["record_id_r"], found["match_weight"], strict=True))


def _raw(text: str, name: str) -> str | None:
    return (text.lower() if name in _TEXTS else text) or None
