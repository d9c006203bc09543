"""Lines go there and back unchanged; whatever is none is refused by its number."""

from dataclasses import replace

import pytest

from sync.relaying.lines import (
    CommentLine,
    DeviceLine,
    EntityLine,
    ErasureLine,
    ExplanationLine,
    FactLine,
    FormLine,
    HeadLine,
    Line,
    MarkLine,
    RecordLine,
    RelayLine,
    RelayRefused,
    SiteLine,
    StateLine,
    parse_each,
    parse_lines,
    receipt_for,
    write_line,
)
from tests.sync.factory import NOW

RECORD = RecordLine(
    "passage", "1", "uuid:é", "0" * 64, NOW, "ROS-1", "ROS", None, None, [("a.jpg", "image/jpeg", "1" * 64, 7)]
)
LINES: list[Line] = [
    HeadLine(NOW, None),
    RelayLine(NOW, 7, 3, None),
    RECORD,
    FactLine('{"fact": "act"}'),
    DeviceLine("ROS-1", "ROS", "active", "fr", NOW, NOW, "submission", None, None),
    SiteLine("ROS", "Rosso", "border_post", "SN-SL", "", "fr wo", "", False),
    FormLine("passage", "1", "open", "0" * 64, [("villages.csv", "1" * 64)]),
    StateLine("ROS-1", "lost", NOW, NOW),
    EntityLine("dossiers", "x", 5, "Dossier", {"lit": "1"}, ["passage uuid:1 1"], None),
    replace(RECORD, instance_id="uuid:2", erased={"reason": "durée"}),
    CommentLine("passage", "uuid:é", "0" * 64, "awa@rosso.test", "Vu avec elle.", NOW),
    MarkLine("passage", "uuid:é", "0" * 64, "awa@rosso.test", "hasIssues", NOW),
    ExplanationLine("x", "12 = 9", "Trois sont repartis.", "awa@rosso.test", NOW, None, None),
    ErasureLine("passage", "uuid:é", "0" * 64, {"persons": []}, "durée", NOW),
    EntityLine("dossiers", "y", 5, "", {"lit": "1"}, [], None, erased=(2, ["lit"])),
]


@pytest.mark.parametrize("line", [*LINES, receipt_for(RECORD)], ids=lambda line: type(line).__name__)
def test_a_line_says_the_same_on_the_other_side(line: Line) -> None:
    assert parse_lines([write_line(line)]) == [line]
    assert write_line(parse_lines([write_line(line)])[0]) == write_line(line)


def test_servers_of_an_older_version_are_understood_and_understand() -> None:
    """They know nothing of what has a default."""
    for line, later in [(RECORD, "erased"), (StateLine("ROS-1", "lost", NOW), "instead_of"), (LINES[4], "obeys")]:
        assert later not in write_line(line)
        assert parse_lines([write_line(line)]) == [line]
    assert '"obeys"' in write_line(replace(LINES[4], obeys=NOW))  # type: ignore[call-arg]


def test_every_line_has_a_name_of_its_own() -> None:
    assert len({one.name for one in LINES}) == len(LINES)
    assert len({receipt_for(one).line_name for one in LINES}) == len(LINES)


def test_a_name_tells_what_takes_the_place_of_what() -> None:
    earlier, later = StateLine("ROS-1", "lost", NOW, NOW), StateLine("ROS-1", "revoked", NOW, NOW)
    assert receipt_for(earlier).line_name == receipt_for(later).line_name
    assert receipt_for(earlier).digest != receipt_for(later).digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"line": "song"}',
        '{"line": "fact"}',
        '{"line": "fact", "fact": 1}',
        '{"line": "fact", "fact": "a\\u0000b"}',
        write_line(LINES[1]).replace("+00:00", ""),
        write_line(LINES[1]).replace('"waiting": 3', '"waiting": "3"'),
        write_line(LINES[7]).replace('"lost"', "null"),
        write_line(LINES[2]).replace('"a.jpg", ', ""),
        write_line(LINES[2]).replace(", 7]", ', "7"]'),
        write_line(LINES[2]).replace("1" * 64, "1" * 65),
        write_line(LINES[2]).replace("1" * 64, "../" * 20 + "teral"),
        write_line(LINES[6]).replace('["villages.csv", ', "["),
    ],
)
def test_what_is_no_line_is_refused_by_its_number(text: str) -> None:
    with pytest.raises(RelayRefused, match=r"line 2\)"):
        parse_lines([write_line(LINES[0]), text])


def test_what_is_no_line_stops_no_other() -> None:
    texts = [write_line(LINES[0]), "{}", write_line(LINES[1])]
    assert parse_each(texts) == (LINES[:2], ["relay_line"])


def test_a_newer_server_may_say_more() -> None:
    assert parse_lines([write_line(RECORD)[:-1] + ', "more": 1}']) == [RECORD]


def test_no_text_is_longer_than_where_it_is_kept() -> None:
    for line in (replace(RECORD, user_agent="x" * 256), replace(LINES[4], language="x" * 9)):  # type: ignore[type-var]
        with pytest.raises(RelayRefused):
            parse_lines([write_line(line)])
