"""The answers store: what records say, kept flat as lists and exports read it, so that no page parses XML again.

Each row is kept twice: as answers with their names, and as the cells of a line of CSV.

Written when a record is judged, and for a record that nobody judged yet when somebody asks for its form. An encrypted
record stays sealed here, whoever holds its key.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import BindParameter, ColumnElement, bindparam, delete, exists, select
from sqlalchemy.orm import Session, aliased, undefer

from forms.definition import FormDefinition
from forms.errors import FormsError
from forms.submission import parse_submission
from forms.tables import Column, TableRow, find_value, flatten, list_tables
from sync.db import add_rows
from sync.layouts import Layout, add_layouts, list_layouts
from sync.models import AnswerRow, AnswerValue, Submission
from sync.models.answers import LONGEST_VALUE
from sync.publishing import find_form_version, get_definition

_AT_ONCE = 200
_NUMBERS = ("int", "decimal")
_waiting = aliased(Submission)
_ids: BindParameter[list[int]] = bindparam("ids", expanding=True)
_FORGET = (
    delete(AnswerRow).where(AnswerRow.submission_id.in_(_ids)),
    delete(AnswerValue).where(AnswerValue.submission_id.in_(_ids)),
)

# A submission, its form, the rows that it fills, and the form version that says what they mean.
Told = tuple[int, str, Sequence[TableRow], FormDefinition | None]


def write_answers(session: Session, told: Iterable[Told]) -> None:
    """Keep the rows of these records in the place of what was kept of them."""
    records = list(told)
    if not records:
        return
    connection = session.connection()
    forget_answers(session, [one[0] for one in records])
    add_layouts(connection, [layout for one in records for layout in _layouts(one[3]).values()])
    rows = [
        _row(submission_id, form_id, row, _layouts(definition).get(row.table))
        for submission_id, form_id, found, definition in records
        for row in found
    ]
    add_rows(connection, AnswerRow, rows)
    add_rows(connection, AnswerValue, [value for one in records for value in _values(*one)])


def forget_answers(session: Session, ids: Sequence[int]) -> None:
    """Keep nothing flat of these records."""
    for forget in _FORGET:
        session.connection().execute(forget, {"ids": ids})


def count_unread(session: Session, form_id: str) -> int:
    """Tell how many records of a form nobody has judged, and so written down, yet."""
    return len(session.scalars(_unread(form_id, _AT_ONCE)).all())


def read_unread(session: Session, form_id: str) -> int:
    """Write down what those records say; return how many. The session must be a writer."""
    ids = session.scalars(_unread(form_id, _AT_ONCE)).all()
    _write(session, ids)
    return len(ids)


def rebuild_answers(session: Session, after: int = 0, *, missing_only: bool = False) -> int | None:
    """Write down anew what some records say, from this id on; return the last id, None when there are no more."""
    query = select(Submission.id).where(Submission.id > after, Submission.is_draft.is_(False))
    if missing_only:
        query = query.where(~_has_rows(AnswerRow.cells.is_not(None)))
    ids = session.scalars(query.order_by(Submission.id).limit(_AT_ONCE)).all()
    _write(session, ids)
    return ids[-1] if ids else None


def read_answer(value: object, kind: str) -> tuple[str, float | None]:
    """An answer as a filter compares it: its text, and a number for what has an order other than of letters."""
    text = str(value)
    if kind in _NUMBERS:
        return text, float(value) if isinstance(value, int | float) else None
    return text, read_moment(text) if kind == "dateTime" else None


def read_moment(text: str) -> float | None:
    """Seconds since 1970 of an ISO moment; one without a zone is UTC, as in Senegal."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def is_filtered(column: Column) -> bool:
    """Whether a filter may ask for this column: what was asked or calculated, in the record's own table."""
    return column.field.kind in ("question", "calculate") and len(odata_path(column)) <= LONGEST_VALUE


def odata_path(column: Column) -> str:
    """The column's name in a filter: its groups and its own, with slashes."""
    return "/".join(column.place)


def _has_rows(*also: ColumnElement[bool]) -> Any:
    return exists().where(AnswerRow.submission_id == Submission.id, AnswerRow.number == 0, *also)


def _unread(form_id: str, most: int) -> Any:
    # By the work list, which is short: each page asks, and a form may have a million records that were judged.
    unjudged = select(_waiting.id).where(_waiting.processed_at.is_(None))
    fresh = select(Submission.id).where(
        Submission.form_id == form_id, Submission.id.in_(unjudged), Submission.is_draft.is_(False), ~_has_rows()
    )
    return fresh.order_by(Submission.id).limit(most)


def _write(session: Session, ids: Sequence[int]) -> None:
    query = select(Submission).where(Submission.id.in_(ids)).options(undefer(Submission.xml))
    write_answers(session, [_read(session, one) for one in session.scalars(query)] if ids else [])
    session.flush()


def _read(session: Session, one: Submission) -> Told:
    version = one.form_version or find_form_version(session, one.form_id, one.version)
    definition = get_definition(session, version) if version else None
    return one.id, one.form_id, _flatten(one.xml, definition), definition


def _flatten(xml: bytes, definition: FormDefinition | None) -> list[TableRow]:
    """One row without answers stands for what cannot be read here, so that nobody tries again at each request."""
    blank = [TableRow("", 0, None, "", {})]
    if definition is None:
        return blank
    try:
        read = parse_submission(xml)
    except FormsError:
        return blank
    return blank if read.envelope is not None else flatten(read, definition)


def _layouts(definition: FormDefinition | None) -> dict[str, Layout]:
    return list_layouts(definition) if definition is not None else {}


def _row(submission_id: int, form_id: str, row: TableRow, layout: Layout | None) -> dict[str, Any]:
    return {
        "submission_id": submission_id,
        "number": row.number,
        "form_id": form_id,
        "table_name": row.table,
        "parent": row.parent,
        "key": row.key,
        "answers": orjson.dumps(row.values),
        "layout_id": layout.id if layout else None,
        "cells": layout.write(row.values) if layout else None,
    }


def _values(
    submission_id: int, form_id: str, rows: Sequence[TableRow], definition: FormDefinition | None
) -> Iterable[dict[str, Any]]:
    if definition is None or not rows:
        return
    for column in list_tables(definition)[""].columns:
        value = find_value(rows[0].values, column.place)
        if value is not None and is_filtered(column):
            text, number = read_answer(value, column.type)
            whole = text if len(text) > LONGEST_VALUE else None
            yield {
                "submission_id": submission_id, "path": odata_path(column), "form_id": form_id,
                "text": text[:LONGEST_VALUE], "whole": whole, "number": number,
            }  # fmt: skip
