"""What another server tells is read as what it must be, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pytest

from sync.models import Device, EntityAct
from sync.told import fill_in, read_told, widths_of
from tests.sync.factory import NOW


@dataclass(frozen=True)
class Word:
    name: str
    number: int | None
    at: datetime
    kind: Literal["yes", "no"]
    pairs: Sequence[tuple[str, str]]
    values: dict[str, str]
    late: bool = False


TOLD = {"name": "a", "number": 1, "at": NOW.isoformat(), "kind": "no", "pairs": [["a", "b"]], "values": {"a": "b"}}


def test_what_is_as_it_should_be_is_read() -> None:
    assert fill_in(Word, TOLD, {"name": 1}) == Word("a", 1, NOW, "no", [("a", "b")], {"a": "b"})
    assert fill_in(Word, {**TOLD, "number": None, "late": True}, {}).late is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 1), ("name", None), ("name", "ab"), ("number", "1"), ("number", True), ("number", 1.0),
        ("number", -1), ("number", 2**31), ("at", None), ("at", 5), ("at", "2026-11-20T08:00:00"), ("at", "x"),
        ("at", "0001-01-01T00:00:00+14:00"), ("kind", "perhaps"), ("kind", []), ("pairs", {}), ("pairs", [["a"]]),
        ("pairs", [["a", 1]]), ("pairs", "ab"), ("values", []), ("values", {"a": 1}), ("late", 0), ("more", 1),
    ],
)  # fmt: skip
def test_what_has_another_type_or_no_room_is_refused(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        fill_in(Word, {**TOLD, name: value}, {"name": 1})


def test_what_is_missing_is_refused() -> None:
    with pytest.raises(TypeError):
        fill_in(Word, {"name": "a"}, {})


@pytest.mark.parametrize(
    "text",
    [
        "[]", "x", '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud800"}', '{"a": "\ud800"}', '{"a": "\\u0000"}',
        '{"a\\u0000": 1}', '{"a": [["\\u0000"]]}', '{"a":' * 20 + "1" + "}" * 20, "[" * 5000,
        '{"a": "' + "x" * 2_000_000 + '"}',
    ],
)  # fmt: skip
def test_a_text_that_no_database_keeps_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_told(text)


def test_widths_are_those_of_the_columns() -> None:
    widths = widths_of(Device, EntityAct)
    assert (widths["name"], widths["language"], widths["action"]) == (255, 8, 8)
    assert not {"properties", "label"} & widths.keys()
