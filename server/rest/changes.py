"""What changed from each version of a record to the next, answer by answer, as far as the reader may see it."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from forms.errors import FormsError
from forms.submission import list_answers
from server.extensions import attachment_store
from server.keys import current_keys
from sync.models import Submission
from sync.policy import Viewer, programme, reads_plainly
from sync.publishing import get_definition
from sync.sealing import read_record

_TURN = re.compile(r"^(.*)\[(\d+)\]$")


def list_differences(session: Session, chain: Sequence[Submission], viewer: Viewer) -> dict[str, list[dict[str, Any]]]:
    """Of each version but the first, under its instanceID, the answers in which it differs from the one before."""
    texts = [read_texts(session, one, viewer) for one in chain]
    pairs = zip(chain[1:], texts, texts[1:], strict=False)
    return {one.instance_id: _compare(old, new) for one, old, new in pairs}


def read_texts(session: Session, one: Submission, viewer: Viewer) -> dict[str, str]:
    """The answers by path that this viewer reads plainly; none where nobody here can read the record."""
    if one.form_version is None:
        return {}
    definition = get_definition(session, one.form_version)
    try:
        read = read_record(one, definition, attachment_store(), current_keys())
    except FormsError:
        return {}
    return {
        answer.path: answer.text
        for answer in list_answers(read, definition)
        if reads_plainly(viewer, {programme().data_class(one.form_id, answer.path)})
    }


def _compare(old: dict[str, str], new: dict[str, str]) -> list[dict[str, Any]]:
    paths = [path for path in {**old, **new} if old.get(path) != new.get(path)]
    sides = (("old", old), ("new", new))
    return [{**{name: one[path] for name, one in sides if path in one}, "path": _steps(path)} for path in paths]


def _steps(path: str) -> list[Any]:
    """Central's way: the steps below the root, a turn of a repeat as a pair of name and index."""
    steps: list[Any] = []
    for step in path.split("/")[2:]:
        turn = _TURN.match(step)
        steps.append([turn.group(1), int(turn.group(2)) - 1] if turn else step)
    return steps
