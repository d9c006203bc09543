"""The words for codes that records hold, from the vocabularies that the shipped forms ask with.

What the server itself names by slug (states, roles, acts) is in labels.py.
"""

import csv
from collections.abc import Mapping
from functools import cache

from flask import Flask
from jinja2 import pass_context
from jinja2.runtime import Context

from forms.programme import LIBRARY
from server.i18n import select_language

# Property of a person or an encounter → the vocabulary that its codes come from.
_VOCABULARIES = {
    "sex": "sexes",
    "age_band": "age_bands",
    "nationality": "countries",
    "language": "languages",
    "document_type": "document_types",
    "document_issuer": "countries",
    "kind": "encounter_kinds",
    "direction": "directions",
    "origin": "countries",
    "destination": "countries",
    "outcome": "encounter_outcomes",
}


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(code=_word_code)


def word_code(text: str, name: str) -> str:
    """The word for the code of a property; a code that no vocabulary knows (another form's) is shown as it is."""
    return list_codes(name).get(text) or text


def list_codes(name: str) -> Mapping[str, str]:
    """The words of all codes that a property can have, by code; none of a property that is more than codes."""
    return read_words(f"{_VOCABULARIES[name]}.csv", select_language()) if name in _VOCABULARIES else {}


@pass_context
def _word_code(_context: Context, text: str, name: str) -> str:
    # With a context for the reason that labels.py gives.
    return word_code(text, name)


@cache
def read_words(vocabulary: str, language: str) -> dict[str, str]:
    """The words of one vocabulary by code, in the order of its file."""
    with (LIBRARY / "vocabularies" / vocabulary).open(encoding="utf-8", newline="") as source:
        return {row["name"]: row[f"label_{language}"] for row in csv.DictReader(source)}
