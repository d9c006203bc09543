"""OData of a form: service document, metadata, the records' table and one for each repeat, streamed.

Central refuses filters on answers; they are answered here (sync/record_filters.py). What a role may not take out of
the server is not there: neither as a column, nor in a filter.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, true
from sqlalchemy.orm import Session

from forms.definition import FormDefinition
from forms.tables import Column, Table, list_tables, parent_key, row_id
from server.accounts.permissions import note_reading, permission
from server.accounts.sessions import current_viewer, open_writer
from server.extensions import db
from server.rest.edmx import render_edmx
from server.rest.forms import FORM, get_version
from server.rest.odata_manners import list_own, speaks_odata
from server.rest.odata_rows import SYSTEM, Pick, RowWriter, make_pick
from server.rest.problems import Problem
from server.rest.queries import Flag, TableQuery
from server.rest.shapes import ServiceShape, TableShape
from server.rest.speech import JSON, XML, asks, blueprint, gather, writes
from sync.answers import count_unread, read_unread
from sync.models import Submission
from sync.policy import Viewer
from sync.publishing import get_definition
from sync.record_filters import compile_filter, compile_order, compile_search
from sync.records import (
    Page,
    Record,
    RepeatRow,
    count_records,
    find_last_id,
    find_record_id,
    list_readable,
    name_columns,
    read_names,
    read_records,
    read_repeats,
)

SERVICE = f"{FORM}.svc"
_LONGEST_PAGE = 1000
_KEYED = re.compile(r"([^(/]+)\('(.+)'\)")


class RecordsQuery(TableQuery):
    wkt = Flag("true: places as WKT instead of GeoJSON.", data_key="$wkt")


@dataclass(frozen=True, slots=True)
class Query:
    """What a program asks of a table."""

    viewer: Viewer
    form_id: str
    definition: FormDefinition
    table: Table
    picks: dict[str, Pick]
    writer: RowWriter
    page: Page
    top: int | None
    skip: int
    count: bool
    expand: bool
    after_repeat: str | None
    base: str
    address: str
    parent: str | None = None  # the row around the rows that are asked for


@blueprint.get(SERVICE)
@permission("submissions.export")
@writes(JSON, form=ServiceShape)
@speaks_odata("json")
def service_document(form_id: str) -> ResponseReturnValue:
    tables = list_tables(get_definition(db.session(), get_version(form_id)))
    names = [one.odata_name for one in tables.values()]
    entries = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
    return jsonify({"@odata.context": f"{_base(form_id)}/$metadata", "value": entries})


@blueprint.get(f"{SERVICE}/$metadata")
@permission("submissions.export")
@writes(XML[0])
@speaks_odata("xml")
def metadata(form_id: str) -> ResponseReturnValue:
    definition = get_definition(db.session(), get_version(form_id))
    columns = {one.name: list_readable(current_viewer(), definition, one) for one in list_tables(definition).values()}
    return Response(render_edmx(form_id, list_tables(definition), columns), mimetype="application/xml")


@blueprint.get(f"{SERVICE}/<segment:table>")
@permission("submissions.export")
@writes(JSON, form=TableShape)
@speaks_odata("json")
@asks(RecordsQuery)
def table(form_id: str, table: str, asked: dict[str, Any]) -> ResponseReturnValue:
    read_what_is_new(form_id)
    single = _KEYED.fullmatch(table)
    query = read_query(asked, form_id, table)
    note_reading("submissions.exported", f"form:{form_id}")
    return jsonify(_write_single(query)) if single else _answer_table(query)


@blueprint.get(f"{SERVICE}/<segment:record>/<path:inner>")
@permission("submissions.export")
@writes(JSON, form=TableShape)
@speaks_odata("json")
@asks(RecordsQuery)
def inner_table(form_id: str, record: str, inner: str, asked: dict[str, Any]) -> ResponseReturnValue:
    """The rows of a repeat in one record, or in one row of the repeat around it: where navigation links lead."""
    read_what_is_new(form_id)
    query = read_query(asked, form_id, record, *inner.split("/"))
    note_reading("submissions.exported", f"form:{form_id}")
    return _answer_table(query)


def _answer_table(query: Query) -> ResponseReturnValue:
    arguments = list_own()
    # A page is answered whole, with its length; what has no end in sight is not held in memory.
    is_page = query.top is not None and query.top <= _LONGEST_PAGE
    body = b"".join(_write(query, arguments, db.session())) if is_page else _stream(query, arguments)
    return Response(body, mimetype="application/json")


def read_what_is_new(form_id: str) -> None:
    """What a program sent a moment ago is in the answer, though nobody judged it yet."""
    if count_unread(db.session(), form_id):
        open_writer()
        while read_unread(db.session(), form_id):
            db.session.flush()


def read_query(asked: dict[str, Any], form_id: str, *names: str) -> Query:
    viewer, session = current_viewer(), db.session()
    definition = get_definition(session, get_version(form_id))
    steps, keys = zip(*map(_read_step, names), strict=True)
    table = _find_table(definition, ".".join(steps))
    columns, system, ids = _select_columns(viewer, definition, table, asked["select"])
    expand = asked["expand"] == "*"
    picks = {one: make_pick(found, wkt=asked["wkt"]) for one, found in columns.items()}
    page, after_repeat = _read_page(viewer, definition, form_id, asked)
    if keys[0] is not None:
        found = find_record_id(session, viewer, form_id, keys[0]) or abort(404)
        page = replace(page, condition=and_(_or_true(page.condition), Submission.id == found))
    return Query(
        viewer, form_id, definition, table, picks,
        RowWriter(table, picks, expand=expand, system=system, ids=ids), page,
        asked["top"], asked["skip"] if asked["skiptoken"] is None else 0,
        asked["count"], expand, after_repeat, _base(form_id),
        "/".join([_base(form_id), *(quote(one, safe="") for one in names)]),
        next((one for one in reversed(keys[1:]) if one is not None), None),
    )  # fmt: skip


def _read_step(step: str) -> tuple[str, str | None]:
    """A step of an address, with the key in it: Submissions('uuid:…')."""
    keyed = _KEYED.fullmatch(step)
    return (keyed.group(1), keyed.group(2)) if keyed else (step, None)


def _find_table(definition: FormDefinition, name: str) -> Table:
    found = next((one for one in list_tables(definition).values() if one.odata_name == name), None)
    if found is None:
        raise Problem(404.1)
    return found


def _select_columns(
    viewer: Viewer, definition: FormDefinition, table: Table, asked: str
) -> tuple[dict[str, list[Column]], tuple[str, ...], frozenset[str] | None]:
    """The columns that are wanted and may be read, the wanted metadata, and the wanted ids (None: all)."""
    tables = list_tables(definition)
    readable = {one.name: list_readable(viewer, definition, one) for one in tables.values()}
    if asked.strip() in ("", "*"):
        return readable, SYSTEM if not table.name else (), None
    names = [one.strip() for one in asked.split(",")]
    _check_names(names, table)
    kept = [one for one in readable[table.name] if _is_asked(one, names)]
    system = tuple(one for one in SYSTEM if {"__system", f"__system/{one}"} & set(names))
    linked = {one.name: readable[one.name] for one in table.repeats if _is_asked(one, names)}
    return {table.name: kept, **linked}, system if not table.name else (), frozenset(names)


def _check_names(names: list[str], table: Table) -> None:
    known = {"/".join(place[:depth]) for place in _places(table) for depth in range(1, len(place) + 1)}
    system = {"__id", "__system", *(f"__system/{one}" for one in SYSTEM)}
    for name in names:
        if name not in known | system and not (name.startswith("__") and name.endswith("-id")):
            raise Problem(400.23, property=name)


def _places(table: Table) -> list[tuple[str, ...]]:
    return [*(one.place for one in table.columns), *(one.place for one in table.repeats)]


def _is_asked(one: Column | Table, names: list[str]) -> bool:
    return any("/".join(one.place[:depth]) in names for depth in range(1, len(one.place) + 1))


def _read_page(
    viewer: Viewer, definition: FormDefinition, form_id: str, asked: dict[str, Any]
) -> tuple[Page, str | None]:
    names, page = name_columns(viewer, definition), Page()
    if text := asked["filter"]:
        page = replace(page, condition=compile_filter(text, names, form_id, datetime.now(UTC)))
    if text := asked["orderby"]:
        page = replace(page, order=compile_order(text, names))
    if text := asked["search"]:
        page = replace(page, condition=and_(_or_true(page.condition), compile_search(text, names, form_id)))
    if asked["skiptoken"] is None:
        # All pages show the records as they are now, whatever comes while a program reads on.
        return replace(page, up_to=find_last_id(db.session())), None
    instance_id, repeat_id, up_to = _read_token(asked["skiptoken"])
    found = find_record_id(db.session(), viewer, form_id, instance_id, up_to)
    if found is None:
        raise Problem(400.35)
    # A repeat's page may end in the middle of a record: its rest comes first.
    return replace(page, before_id=found if repeat_id is None else found + 1, up_to=up_to), repeat_id


def _or_true(condition: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return true() if condition is None else condition


def _read_token(token: str) -> tuple[str, str | None, int | None]:
    try:
        told = orjson.loads(base64.urlsafe_b64decode(token.removeprefix("01").encode() + b"=="))
        return str(told["instanceId"]), told.get("repeatId"), _read_id(told.get("upTo"))
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(400.35) from error


def _read_id(told: object) -> int | None:
    """A row's id out of a token; one of Central's own shape has none."""
    if told is not None and (not isinstance(told, int) or not 0 <= told < 2**63):
        raise ValueError("no id")
    return told


def _write_token(instance_id: str, repeat_id: str | None, up_to: int | None) -> str:
    told = {"instanceId": instance_id, "repeatId": repeat_id, "upTo": up_to}
    kept = {name: value for name, value in told.items() if value is not None}
    return "01" + base64.urlsafe_b64encode(orjson.dumps(kept)).decode().rstrip("=")


def _base(form_id: str) -> str:
    return f"{request.host_url}v1/projects/1/forms/{quote(form_id, safe='')}.svc"


def _write_single(query: Query) -> dict[str, Any]:
    rows = [row for row, _ in _list_rows(query, db.session())]
    if not rows:
        raise Problem(404.1)
    return {"value": rows, "@odata.context": f"{query.base}/$metadata#Submissions"}


def _stream(query: Query, arguments: Mapping[str, str]) -> Iterator[bytes]:
    """The document on a connection of its own: the request's has committed and ended before the first byte is asked."""
    engine = db.engine

    def write() -> Iterator[bytes]:
        with Session(engine) as session:
            yield from gather(_write(query, arguments, session))

    return write()


def _write(query: Query, arguments: Mapping[str, str], session: Session) -> Iterator[bytes]:
    """The document, written while the rows are read."""
    total = _count(query, session)
    written, last, more = 0, None, False
    yield b'{"value":['
    for row, place in _list_rows(query, session):
        if more := written == query.top:
            break
        yield (b"," if written else b"") + orjson.dumps(row)
        written, last = written + 1, place
    yield b"]" + _write_end(query, arguments, total, last if more else None)


def _write_end(
    query: Query, arguments: Mapping[str, str], total: int | None, last: tuple[str, str | None] | None
) -> bytes:
    told: dict[str, Any] = {"@odata.context": f"{query.base}/$metadata#{query.table.odata_name}"}
    if last is not None and not query.page.order:
        token = _write_token(*last, query.page.up_to)
        told["@odata.nextLink"] = f"{query.address}?{urlencode({**arguments, '$skiptoken': token})}"
    if query.count and total is not None:
        told["@odata.count"] = total
    return b"," + orjson.dumps(told)[1:]


def _count(query: Query, session: Session) -> int | None:
    if not query.count:
        return None
    if not query.table.name:
        return count_records(session, query.viewer, query.form_id, query.page)
    whole = replace(query.page, before_id=None)
    if query.parent is not None:
        return sum(1 for _ in _list_repeats(replace(query, page=whole), session))
    chunks = read_names(session, query.viewer, query.form_id, whole)
    name = query.table.name
    return sum(len(read_repeats(session, query.form_id, list(known), [name])[name]) for known in chunks)


def _list_rows(query: Query, session: Session) -> Iterator[tuple[dict[str, Any], tuple[str, str | None]]]:
    """Each row with what a skip token must say to go on after it."""
    if query.table.name:
        yield from _cut(query, _list_repeats(query, session))
        return
    # One row more than is answered, to know whether there is another page.
    page = replace(query.page, limit=None if query.top is None else query.top + 1, offset=query.skip)
    repeats = [one for one in list_tables(query.definition).values() if one.name] if query.expand else []
    for records in read_records(session, query.viewer, query.form_id, page):
        turns = _gather(session, query.form_id, records, repeats)
        for one in records:
            yield query.writer.write_record(one, turns.get(one.id, {})), (one.instance_id, None)


def _gather(
    session: Session, form_id: str, records: list[Record], tables: list[Table]
) -> dict[int, dict[int | None, list[tuple[Table, RepeatRow]]]]:
    """The repeats of these records by record and parent row."""
    gathered: dict[int, dict[int | None, list[tuple[Table, RepeatRow]]]] = {}
    if not tables:
        return gathered
    found = read_repeats(session, form_id, [one.id for one in records], [one.name for one in tables])
    for table in tables:
        for row in found[table.name]:
            gathered.setdefault(row.submission_id, {}).setdefault(row.parent, []).append((table, row))
    return gathered


def _list_repeats(query: Query, session: Session) -> Iterator[tuple[dict[str, Any], tuple[str, str | None]]]:
    name = query.table.name
    for known in read_names(session, query.viewer, query.form_id, query.page):
        for row in read_repeats(session, query.form_id, list(known), [name])[name]:
            instance_id = known[row.submission_id]
            if query.parent in (None, row_id(instance_id, parent_key(query.table, row.key))):
                written = query.writer.write_repeat(query.table, row, instance_id)
                yield written, (instance_id, row_id(instance_id, row.key))


_Rows = Iterator[tuple[dict[str, Any], tuple[str, str | None]]]


def _cut(query: Query, rows: _Rows) -> _Rows:
    """The part of a subtable that is asked for."""
    if query.after_repeat is not None:
        for _row, last in rows:
            if last[1] == query.after_repeat:
                break
    for number, one in enumerate(rows):
        if query.top is not None and number > query.skip + query.top:
            return
        if number >= query.skip:
            yield one
