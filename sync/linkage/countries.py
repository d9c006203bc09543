"""Countries as registers write them: a code, or the name in French or English. Other words stay as they are."""

import csv
from functools import cache

from forms.programme import LIBRARY
from sync.linkage.names import fold

_COLUMNS = ("name", "label_fr", "label_en")


def find_country(text: str) -> str | None:
    """The code (ISO 3166-1 alpha-3, or one of ICAO's) of what is written, or None."""
    return _read_codes().get(fold(text))


@cache
def _read_codes() -> dict[tuple[str, ...], str]:
    with (LIBRARY / "vocabularies" / "countries.csv").open(encoding="utf-8", newline="") as source:
        return {fold(row[column]): row["name"] for row in csv.DictReader(source) for column in _COLUMNS}
