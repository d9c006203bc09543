"""What another server tells, read by the types that it must have and no wider than the columns in which it is kept.

PostgreSQL refuses what its columns cannot hold, SQLite keeps it: whatever comes is looked at before either does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import orjson
from sqlalchemy import String

from sync.db import Base
from sync.judging import to_utc

_Told = TypeVar("_Told")

# A line is told over a link that lasts for seconds; a record's longest answers fit in, a flood does not.
_LONGEST = 2_000_000
# Whoever goes through what is nested does so step by step, and Python's steps are few.
_DEEPEST = 16
_INTEGERS = range(2**31)


def read_told(text: str, longest: int = _LONGEST) -> dict[str, Any]:
    """The object that this text is, or ValueError. It has no half of a sign, no zero byte and no number beyond all."""
    if len(text) > longest:
        raise ValueError("a text that is too long")
    told = orjson.loads(text)
    if not isinstance(told, dict):
        raise ValueError("no object")
    _check_texts(told, _DEEPEST)
    return told


def _check_texts(value: Any, deep: int) -> None:
    if not deep:
        raise ValueError("nested too deeply")
    # PostgreSQL keeps no zero byte in a text, and no name of ours has one.
    if isinstance(value, str) and "\0" in value:
        raise ValueError("a zero byte")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    for one in value if isinstance(value, list) else ():
        _check_texts(one, deep - 1)


@cache
def widths_of(*models: type[Base]) -> dict[str, int]:
    """How many characters the columns of these tables hold, by their names."""
    columns = [one for model in models for one in model.__table__.columns]
    return {one.name: one.type.length for one in columns if isinstance(one.type, String) and one.type.length}


def fill_in(kind: type[_Told], values: Mapping[str, Any], widths: Mapping[str, int]) -> _Told:
    """A dataclass of this kind with these values, or one of ValueError, TypeError and KeyError for what it cannot have.

    What has a default may be missing.
    """
    hints = get_type_hints(kind)
    if unknown := values.keys() - hints.keys():
        raise ValueError(f"{len(unknown)} unknown names")
    return kind(**{name: _read(value, hints[name], widths.get(name, _LONGEST)) for name, value in values.items()})


def _read(value: Any, hint: Any, width: int) -> Any:
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind is UnionType:
        return None if value is None and NoneType in inner else _read(value, inner[0], width)
    if kind is datetime:
        return read_moment(value)
    if kind is dict:
        return {key: _read(one, inner[1], width) for key, one in _be(value, dict).items()}
    if kind is tuple and inner[1:] == (...,):
        return tuple(_read(one, inner[0], width) for one in _be(value, list))
    if kind is tuple:
        return tuple(_read(one, its, width) for one, its in zip(_be(value, list), inner, strict=True))
    if kind is Literal:
        return inner[inner.index(value)]
    if kind in (list, Sequence):
        return [_read(one, inner[0], width) for one in _be(value, list)]
    return value if kind is Any else _be_plain(value, kind, width)


def read_moment(value: Any) -> datetime:
    """A moment with its zone at which a clock can stand, or ValueError; as it was told, so that it is told alike."""
    moment = datetime.fromisoformat(_be(value, str))
    if moment.tzinfo is None or to_utc(moment) is None:
        raise ValueError("no moment")
    return moment


def _be_plain(value: Any, kind: type[Any], width: int) -> Any:
    # For Python True is a number as well.
    if type(value) is not kind:
        raise TypeError("another type")
    if (kind is int and value not in _INTEGERS) or (kind is str and len(value) > width):
        raise ValueError("more than a column holds")
    return value


def _be(value: Any, kind: type[_Told]) -> _Told:
    if not isinstance(value, kind):
        raise TypeError("another type")
    return value
