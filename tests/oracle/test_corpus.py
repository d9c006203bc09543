"""The corpus of forms holds what it promises: many forms, every function, records that JavaRosa accepts."""

import re
from pathlib import Path
from random import Random

import pytest

from tests.oracle.client import Oracle
from tests.oracle.corpus import OWN_PATHS, read_corpus_form
from tests.oracle.fills import fill_honestly

# What JavaRosa knows and a form may use, each called by at least one form of ours.
FUNCTIONS = [
    "abs", "acos", "area", "asin", "atan", "atan2", "base64-decode", "boolean", "boolean-from-string", "checklist",
    "coalesce", "concat", "contains", "cos", "count", "count-non-empty", "count-selected", "date",
    "decimal-date-time", "decimal-time", "depend", "digest", "distance", "ends-with", "exp", "exp10", "false",
    "format-date", "format-date-time", "geofence", "if", "indexed-repeat", "instance", "int", "join",
    "jr:choice-name", "log", "log10", "max", "min", "not", "now", "normalize-space", "number", "once", "pi",
    "position", "pow", "property", "pulldata", "random", "regex", "round", "selected", "selected-at", "sin", "sqrt",
    "starts-with", "string", "string-length", "substr", "substring-after", "substring-before", "sum", "tan",
    "today", "translate", "true", "uuid", "version", "weighted-checklist",
]  # fmt: skip


def test_there_are_sixty_forms_of_our_own() -> None:
    assert len(OWN_PATHS) >= 60


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_called_by_a_form(function: str) -> None:
    call = re.compile(rf"(?<![\w:-]){re.escape(function)}\(")
    assert any(call.search(path.read_text(encoding="utf-8")) for path in OWN_PATHS)


@pytest.mark.parametrize("path", OWN_PATHS, ids=lambda path: path.stem)
def test_javarosa_opens_an_honest_fill(oracle: Oracle, path: Path) -> None:
    form = read_corpus_form(path)
    fill = fill_honestly(form, oracle, Random(form.name))
    answer = oracle.validate(form.xml, fill.render(), form.media)
    assert "error" not in answer
