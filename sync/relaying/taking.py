"""Lines are taken in together, or where one of them cannot be taken each by itself: that one stops no other."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from forms.errors import FormsError
from sync.relaying.lines import Line

log = logging.getLogger(__name__)

_T = TypeVar("_T")


def take_each(
    session: Session, lines: Sequence[Line], take: Callable[[Sequence[Line]], _T]
) -> tuple[list[_T], list[str]]:
    """Return what taking gave, for each part that was taken whole, and a code for each line that was not.

    Of a line that is refused nothing stays: each part has a savepoint of its own.
    """
    try:
        with session.begin_nested():
            return [take(lines)], []
    except FormsError as refused:
        if len(lines) == 1:
            log.warning("a line was not taken: %s", refused.code)
            return [], [refused.code]
    middle = len(lines) // 2
    first, second = take_each(session, lines[:middle], take), take_each(session, lines[middle:], take)
    return first[0] + second[0], first[1] + second[1]
