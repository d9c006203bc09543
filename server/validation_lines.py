"""Validation by JSON lines: one record in each, one verdict for each, in the same order. `teral validate --jsonl`
and `POST /api/validate` speak it.
"""

import json
from collections.abc import Iterator
from typing import IO, Any

from forms.errors import FormsError
from server.validation import Validator, summarise

# A form of 32 MB is the largest that is read; escapes in JSON make it longer.
MAX_LINE = 128 * 1024 * 1024


class LineRefused(Exception):
    """A line that asks nothing that could be answered; its text is the answer."""


def answer_lines(lines: IO[bytes], validator: Validator, max_line: int = MAX_LINE) -> Iterator[dict[str, Any]]:
    """One answer to each line that is not blank; nothing that a line holds stops the next one."""
    while line := lines.readline(max_line):
        if len(line) == max_line and not line.endswith(b"\n"):
            _skip_line(lines, max_line)
            yield {"id": None, "error": "the line is too long"}
        elif line.strip():
            yield answer_line(line, validator)


def answer_line(line: bytes, validator: Validator) -> dict[str, Any]:
    """The verdict on one record, or an error with the id, as far as one could be read."""
    try:
        asked = _parse_object(line)
    except LineRefused as refused:
        return {"id": None, "error": str(refused)}
    return answer_object(asked, validator)


def answer_object(asked: dict[str, Any], validator: Validator) -> dict[str, Any]:
    try:
        return {"id": asked.get("id"), **_judge(asked, validator)}
    except (FormsError, LineRefused) as refused:
        return {"id": asked.get("id"), "error": str(refused)}
    except UnicodeEncodeError:
        return {"id": asked.get("id"), "error": "a text holds half a sign (a lone surrogate)"}
    except Exception as error:  # noqa: BLE001 (a fault of ours must cost one line, not the million behind it)
        # The text of an unexpected error may quote an answer; its name may not.
        return {"id": asked.get("id"), "error": f"internal error: {type(error).__name__}"}


def _judge(asked: dict[str, Any], validator: Validator) -> dict[str, Any]:
    media = asked.get("media") or {}
    if not isinstance(media, dict) or not all(isinstance(one, str) for one in media.values()):
        raise LineRefused("“media” must be an object of texts by file name")
    form = validator.find_form("form.xml", _text(asked, "form_xml"))
    lists = validator.find_lists(form, media)
    return summarise(validator.validate(form, _text(asked, "submission_xml").encode(), lists))


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise LineRefused(f"“{name}” must be a text")
    return value


def _parse_object(line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise LineRefused("the line is not JSON") from None
    if not isinstance(asked, dict):
        raise LineRefused("the line is not a JSON object")
    return asked


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _skip_line(lines: IO[bytes], max_line: int) -> None:
    while (rest := lines.readline(max_line)) and not rest.endswith(b"\n"):
        continue
