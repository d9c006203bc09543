"""ages told as bands.

A linkage model of the first edition knows no band: it gets two levels, and another version, with all other weights as
they were. Then each model that reads records reads them once more.
"""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_AFTER = "two or three years off"
_FIRST, _LAST = "coalesce(band_from_{0}, birth_year_{0})", "coalesce(band_to_{0}, birth_year_{0})"
_UNKNOWN_NOW = f"({_FIRST.format('l')} IS NULL OR {_FIRST.format('r')} IS NULL)"
_UNKNOWN_BEFORE = "(birth_year_l IS NULL OR birth_year_r IS NULL)"


def _near(most: int) -> str:
    gaps = (f"{_FIRST.format(one)} - {_LAST.format(other)} <= {most}" for one, other in ("lr", "rl"))
    return f"((band_from_l IS NOT NULL OR band_from_r IS NOT NULL) AND {' AND '.join(gaps)})"


# Label, condition, and how many times as likely it is of one person as of two. Others are years apart, as any years are.
_LEVELS = (("an age band that fits", _near(1), 2.4), ("an age band, some years off", _near(4), 0.5))
_SELDOM = 1e-9


def upgrade() -> None:
    _rewrite(1, _add_levels)
    banded = "SELECT 1 FROM person_records WHERE age_band IS NOT NULL AND birth_date IS NULL AND age IS NULL"
    op.execute(f"UPDATE link_models SET filled_to = 0 WHERE kept AND EXISTS ({banded})")


def downgrade() -> None:
    _rewrite(2, _take_levels)


def _rewrite(edition: int, change: Any) -> None:
    """Change the models of an edition, and name each by what it says now."""
    connection = op.get_bind()
    for row in connection.execute(sa.text("SELECT id, content FROM link_models ORDER BY id")).all():
        model = json.loads(row.content)
        if model["teral"]["edition"] == edition:
            (birth,) = (one for one in model["comparisons"] if one["output_column_name"] == "birth")
            birth["comparison_levels"] = change(birth["comparison_levels"])
            model["teral"]["edition"] = 3 - edition
            text = json.dumps(model, ensure_ascii=False, sort_keys=True, indent=1)
            named = {"id": row.id, "content": text, "version": hashlib.sha256(text.encode()).hexdigest()[:16]}
            connection.execute(
                sa.text("UPDATE link_models SET content = :content, version = :version WHERE id = :id"), named
            )


def _add_levels(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    place = [one["label_for_charts"] for one in levels].index(_AFTER) + 1
    added = [
        {"sql_condition": condition, "label_for_charts": label, "m_probability": likely * _SELDOM,
         "u_probability": _SELDOM}
        for label, condition, likely in _LEVELS
    ]  # fmt: skip
    return [{**levels[0], "sql_condition": _UNKNOWN_NOW}, *levels[1:place], *added, *levels[place:]]


def _take_levels(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    added = {label for label, _, _ in _LEVELS}
    kept = [one for one in levels if one["label_for_charts"] not in added]
    return [{**kept[0], "sql_condition": _UNKNOWN_BEFORE}, *kept[1:]]
