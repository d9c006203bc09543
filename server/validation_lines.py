"""Validation by JSON lines: one record in each, one verdict for each, in the same order. `teral validate --jsonl`
and `POST /api/validate` speak it.
"""

import json
import math
from collections.abc import Iterator
from typing import IO, Any

from forms.errors import FindingKind, FormsError
from forms.lists import HeldLists
from server.validation import GivenForm, RecordRefused, Validator, summarise

# A form of 32 MB is the largest that is read; escapes in JSON make it longer.
MAX_LINE = 128 * 1024 * 1024


class LineRefused(Exception):
    """A line that asks nothing that could be answered; its text is the answer."""


def answer_lines(lines: IO[bytes], validator: Validator, max_line: int = MAX_LINE) -> Iterator[dict[str, Any]]:
    """One answer to each line that is not blank; nothing that a line holds stops the next one."""
    while line := lines.readline(max_line):
        if len(line) == max_line and not line.endswith(b"\n"):
            _skip_line(lines, max_line)
            yield _refuse(None, "the line is too long")
        elif line.strip():
            yield answer_line(line, validator)


def answer_line(line: bytes, validator: Validator) -> dict[str, Any]:
    """The verdict on one record; of what cannot be judged, that it is not valid, and why."""
    try:
        asked = _parse_object(line)
    except LineRefused as refused:
        return _refuse(None, str(refused))
    return answer_object(asked, validator)


def answer_object(asked: dict[str, Any], validator: Validator) -> dict[str, Any]:
    try:
        return {"id": asked.get("id"), **_judge(asked, validator)}
    except (RecordRefused, LineRefused) as refused:
        return _refuse(asked.get("id"), str(refused))
    except FormsError as refused:
        return _refuse(asked.get("id"), str(refused), "structure")
    except UnicodeEncodeError:
        return _refuse(asked.get("id"), "a text holds half a sign (a lone surrogate)")
    except Exception as error:  # noqa: BLE001 (a fault of ours must cost one line, not the million behind it)
        # The text of an unexpected error may quote an answer; its name may not.
        return _refuse(asked.get("id"), f"internal error: {type(error).__name__}")


def _refuse(asked_id: object, words: str, kind: FindingKind = "unverifiable") -> dict[str, Any]:
    """An answer with all that a verdict has, so that whoever counts verdicts needs no second case."""
    return {"id": asked_id, "valid": False, "errors": [{"path": "/", "kind": kind}], "warnings": [], "error": words}


def _judge(asked: dict[str, Any], validator: Validator) -> dict[str, Any]:
    media = asked.get("media") or {}
    if not isinstance(media, dict) or not all(isinstance(one, str) for one in media.values()):
        raise LineRefused("“media” must be an object of texts by file name")
    form, lists = _read_form(_text(asked, "form_xml"), media, validator)
    return summarise(validator.validate(form, _text(asked, "submission_xml").encode(), lists))


def _read_form(xml: str, media: dict[str, str], validator: Validator) -> tuple[GivenForm, HeldLists]:
    try:
        form = validator.find_form("form.xml", xml)
        return form, validator.find_lists(form, media)
    except FormsError as refused:
        raise LineRefused(str(refused)) from None


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise LineRefused(f"“{name}” must be a text")
    return value


def _parse_object(line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line, parse_constant=_refuse_constant, parse_float=_read_number)
    except (ValueError, RecursionError):
        raise LineRefused("the line is not JSON") from None
    if not isinstance(asked, dict):
        raise LineRefused("the line is not a JSON object")
    return asked


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _read_number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        # As an id it would go out as a word that no JSON reader takes.
        raise ValueError(text)
    return number


def _skip_line(lines: IO[bytes], max_line: int) -> None:
    while (rest := lines.readline(max_line)) and not rest.endswith(b"\n"):
        continue
