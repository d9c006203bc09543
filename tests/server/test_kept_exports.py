"""What is kept of exports: for a day, in so much room, in a folder that others clear at the same time."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from server import kept_exports
from server.kept_exports import KEPT_S, LEAST_FREE, KeptExports


@pytest.fixture
def exports(tmp_path: Path) -> KeptExports:
    return KeptExports(tmp_path, 100, last_erasure=7)


def list_names(exports: KeptExports) -> list[str]:
    return sorted(one.name for one in exports.folder.iterdir())


def add(exports: KeptExports, name: str, age: float = 0, content: bytes = b"") -> None:
    (exports.folder / name).write_bytes(content)
    os.utime(exports.folder / name, (time.time() - age, time.time() - age))


def test_what_was_read_to_its_end_is_found(exports: KeptExports) -> None:
    assert b"".join(exports.keep("market", iter([b"man", b"go"]))) == b"mango"
    kept = exports.find("market")
    assert kept is not None
    assert kept.read_bytes() == b"mango"
    assert (exports.find("other"), exports.find("../7-market")) == (None, None)


def test_nothing_is_found_before_it_is_whole(exports: KeptExports) -> None:
    reading = exports.keep("market", iter([b"man", b"go"]))
    assert (next(reading), exports.find("market")) == (b"man", None)


def test_what_is_older_than_a_day_goes(exports: KeptExports) -> None:
    for name, age in (("7-old", KEPT_S + 60), ("7-old.part", KEPT_S + 60), ("7-young", KEPT_S - 60)):
        add(exports, name, age)
    assert (exports.clear(), list_names(exports)) == (2, ["7-young"])


def test_an_erasure_ends_what_was_exported_before_it(exports: KeptExports) -> None:
    reading = exports.keep("market", iter([b"man", b"go"]))
    next(reading)
    add(exports, "7-whole")
    later = replace(exports, last_erasure=70)
    assert (later.find("whole"), later.clear(), list_names(exports)) == (None, 2, [])
    # Who reads it hears it out, and nothing of it is kept.
    assert (list(reading), list_names(exports)) == ([b"go"], [])


def test_a_file_that_vanishes_meanwhile_stops_nothing(exports: KeptExports, tmp_path: Path) -> None:
    # It is listed, and not there when it is looked at.
    (tmp_path / "7-vanished").symlink_to(tmp_path / "nowhere")
    assert exports.clear() == 0
    assert list(exports.keep("market", iter([b"mango"]))) == [b"mango"]


def test_the_oldest_make_way_for_another(exports: KeptExports) -> None:
    for number in range(3):
        add(exports, f"7-{number}", age=60 - number, content=b"x" * 30)
    list(exports.keep("market", iter([b"x" * 60])))
    assert list_names(exports) == ["7-2", "7-market"]


@pytest.mark.parametrize(("most_bytes", "free"), [(4, 2 * LEAST_FREE), (0, 2 * LEAST_FREE), (100, LEAST_FREE)])
def test_what_has_no_room_is_sent_and_not_kept(
    exports: KeptExports,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    most_bytes: int,
    free: int,
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free))
    with caplog.at_level(logging.WARNING):
        sent = list(replace(exports, most_bytes=most_bytes).keep("market", iter([b"man", b"go"])))
    assert (sent, list_names(exports)) == ([b"man", b"go"], [])
    assert "an export is sent, but not kept" in caplog.text


def read_one(reading: Iterator[bytes]) -> None:
    next(reading)
    reading.close()  # type: ignore[attr-defined]


def test_the_rest_is_written_after_the_reader_has_gone(exports: KeptExports) -> None:
    read_one(exports.keep("market", iter([b"man", b"go"])))
    kept = exports.find("market")
    assert kept is not None
    assert kept.read_bytes() == b"mango"


def test_not_for_ever(exports: KeptExports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_exports, "LINGERING_S", -1)
    rest = iter([b"m", b"a", b"n", b"go"])
    read_one(exports.keep("market", rest))
    assert (list_names(exports), list(rest)) == ([], [b"n", b"go"])


def break_off() -> Iterator[bytes]:
    yield b"man"
    raise ValueError("broken")


@pytest.mark.parametrize("read", [list, read_one], ids=["while it is read", "after the reader has gone"])
def test_nothing_is_left_of_what_broke(exports: KeptExports, read: Callable[[Iterator[bytes]], object]) -> None:
    with pytest.raises(ValueError, match="broken"):
        read(exports.keep("market", break_off()))
    assert list_names(exports) == []
