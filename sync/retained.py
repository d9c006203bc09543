"""What is left to say of submissions whose answers were erased (erasure.py), read back."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.entities import EntityChange
from forms.errors import Finding
from forms.records import Encounter, PersonRecord
from sync.judging import Retained
from sync.models import Erasure


def read_retained(session: Session, ids: Sequence[int]) -> dict[int, Retained]:
    """What is left of those of these submissions that were erased."""
    found = session.execute(select(Erasure.submission_id, Erasure.retained).where(Erasure.submission_id.in_(ids)))
    return {submission_id: parse_retained(retained) for submission_id, retained in found}


def parse_retained(kept: dict[str, Any]) -> Retained:
    """What a server retained, as JSON has it; raises ValueError, KeyError or TypeError for what none retains."""
    return Retained(
        findings=[Finding(**one) for one in kept["findings"]],
        persons=[_parse_person(one) for one in kept["persons"]],
        encounters=[Encounter(**{**one, **_dated(one, "at", datetime)}) for one in kept["encounters"]],
        entities=[EntityChange(**{**one, "problems": tuple(one["problems"])}) for one in kept["entities"]],
        **_dated(kept, "started_at", datetime),
        **_dated(kept, "ended_at", datetime),
    )


def _parse_person(one: dict[str, Any]) -> PersonRecord:
    # Too little is left to tell who it was: where they stood first was told then, if it was elsewhere.
    return PersonRecord(**{**one, "place": one.get("place") or one["path"], **_dated(one, "birth_date", date)})


def _dated(one: dict[str, Any], name: str, kind: type[date]) -> dict[str, Any]:
    return {name: kind.fromisoformat(one[name]) if one.get(name) else None}
