"""The same weight in SQL: what batch engines run, made of the very levels that Python uses. DuckDB and Spark know it.

Pairs come as rows with every column of Features twice, with the endings _l and _r.
"""

from collections.abc import Iterable
from math import log2

from sync.linkage.comparisons import COMPARISONS, OTHER, Comparison, Part
from sync.linkage.features import FREQUENCIES, Features
from sync.linkage.model import LinkModel

COLUMNS = Features._fields


def render_weights(model: LinkModel, records: int, pairs: str) -> str:
    """A query over the table or view `pairs`: record_id_l, record_id_r and the match weight in `bits`."""
    cells = ", ".join(f"{_render_cell(one)} AS {_column(one)}" for one in COMPARISONS)
    weights = " + ".join([_number(model.prior_bits(records)), *_list_weights(model), *_list_rarities(model)])
    return f"SELECT record_id_l, record_id_r, {weights} AS bits FROM (SELECT *, {cells} FROM {pairs}) AS compared"


def render_levels(parts: Iterable[Part], pairs: str) -> str:
    """A query over `pairs`, which tells bits too: both ids, bits, whether all is equal, and the level of each part."""
    same = " AND ".join(f"{name}_l IS NOT DISTINCT FROM {name}_r" for name in COLUMNS[1:])
    return f"SELECT record_id_l, record_id_r, bits, {same}, {', '.join(map(_render_level, parts))} FROM {pairs}"


def _column(comparison: Comparison) -> str:
    return f"{comparison.name}_cell"


def _render_cell(comparison: Comparison) -> str:
    """The number of the cell: the parts' levels, counted as Comparison.find_cell counts them."""
    text = "0"
    for part in comparison.parts:
        text = f"({text}) * {len(part.levels)} + ({_render_level(part)})"
    return text


def _render_level(part: Part) -> str:
    steps = [f"WHEN {level.sql} THEN {number}" for number, level in enumerate(part.levels) if level is not OTHER]
    return f"CASE {' '.join(steps)} ELSE {len(part.levels) - 1} END"


def _list_weights(model: LinkModel) -> list[str]:
    found = []
    for one in COMPARISONS:
        steps = [f"WHEN {cell} THEN {_number(log2(m / u))}" for cell, (m, u) in enumerate(model.cells[one.name])]
        found.append(f"CASE {_column(one)} {' '.join(steps)} END")
    return found


def _list_rarities(model: LinkModel) -> list[str]:
    return [
        f"CASE WHEN {name}_l = {name}_r"
        f" THEN {_number(log2(model.usual[name]))} - log2(greatest(tf_{name}_l, tf_{name}_r)) ELSE {_number(0.0)} END"
        for name in FREQUENCIES
    ]


def _number(value: float) -> str:
    """To the last bit, and with an exponent: without one both engines would count in decimals, at twice the time."""
    return f"{value:.16e}"
