"""Entity lists as tables: OData with filters and search, and CSV. Only what the caller may take out of the server."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session

from forms.tables import odata_name
from server.accounts.permissions import note_reading, permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.datasets import DATASET, get_list
from server.rest.edmx import render_entity_edmx
from server.rest.odata_manners import list_own, speaks_odata
from server.rest.problems import Problem
from server.rest.queries import TableQuery
from server.rest.shapes import ServiceShape, TableShape, write_moment
from server.rest.speech import JSON, XML, asks, blueprint, gather, writes
from server.web.headers import as_download
from server.web.tables import render_lines
from sync.entity_browsing import is_asked
from sync.entity_records import (
    EntityPage,
    EntityRecord,
    count_entities,
    list_readable_properties,
    name_entity_columns,
    read_entities,
)
from sync.models import Entity
from sync.policy import Viewer
from sync.record_filters import compile_filter, compile_order, split_search

SERVICE = f"{DATASET}.svc"
_SYSTEM = ("createdAt", "creatorId", "creatorName", "updates", "updatedAt", "deletedAt", "version", "conflict")


@dataclass(frozen=True, slots=True)
class _Query:
    viewer: Viewer
    name: str
    properties: list[str]
    page: EntityPage
    wanted: frozenset[str] | None
    address: str


@blueprint.get(SERVICE)
@permission("entities.export")
@writes(JSON, form=ServiceShape)
@speaks_odata("json")
def entity_service(list_name: str) -> ResponseReturnValue:
    entries = [{"name": "Entities", "kind": "EntitySet", "url": "Entities"}]
    return jsonify({"@odata.context": f"{_base(get_list(list_name))}/$metadata", "value": entries})


@blueprint.get(f"{SERVICE}/$metadata")
@permission("entities.export")
@writes(XML[0])
@speaks_odata("xml")
def entity_metadata(list_name: str) -> ResponseReturnValue:
    names = list_readable_properties(db.session(), current_viewer(), get_list(list_name), export=True)
    return Response(render_entity_edmx(list_name, names), mimetype="application/xml")


@blueprint.get(f"{SERVICE}/Entities")
@permission("entities.export")
@writes(JSON, form=TableShape)
@speaks_odata("json")
@asks(TableQuery)
def entity_table(list_name: str, asked: dict[str, Any]) -> ResponseReturnValue:
    query = _read_query(get_list(list_name), asked)
    note_reading("entities.exported", f"entity_list:{list_name}")
    written = _write(query, list_own(), db.engine, count=asked["count"])
    return Response(gather(written), mimetype="application/json")


@blueprint.get(f"{DATASET}/entities.csv")
@permission("entities.export")
@writes("text/csv")
@asks(TableQuery)
def entity_csv(list_name: str, asked: dict[str, Any]) -> ResponseReturnValue:
    query = _read_query(get_list(list_name), asked)
    note_reading("entities.exported", f"entity_list:{list_name}")
    headers = as_download(f"{list_name}.csv")
    return Response(_write_csv(query, db.engine), mimetype="text/csv", headers=headers)


def _read_query(name: str, asked: dict[str, Any]) -> _Query:
    viewer = current_viewer()
    properties = list_readable_properties(db.session(), viewer, name, export=True)
    wanted, page = _read_select(properties, asked["select"].strip()), _read_page(viewer, name, properties, asked)
    return _Query(viewer, name, properties, page, wanted, f"{_base(name)}/Entities")


def _read_select(properties: list[str], asked: str) -> frozenset[str] | None:
    if asked in ("", "*"):
        return None
    names = frozenset(one.strip() for one in asked.split(","))
    known = {"__id", "label", "__system", *(f"__system/{one}" for one in _SYSTEM), *map(odata_name, properties)}
    for name in names - known:
        raise Problem(400.23, property=name)
    return names


def _read_page(viewer: Viewer, name: str, properties: list[str], asked: dict[str, Any]) -> EntityPage:
    names = name_entity_columns(viewer, name, properties)
    conditions: list[ColumnElement[bool]] = [true()]
    if text := asked["filter"]:
        conditions.append(compile_filter(text, names, "", datetime.now(UTC)))
    if text := asked["search"]:
        conditions.append(is_asked(db.session(), viewer, name, " ".join(split_search(text))))
    page = EntityPage(condition=and_(*conditions), limit=asked["top"], offset=asked["skip"])
    if text := asked["orderby"]:
        page = replace(page, order=compile_order(text, names))
    token = asked["skiptoken"]
    return page if token is None else replace(page, offset=0, before_id=_read_token(token))


def _read_token(token: str) -> int:
    try:
        told = orjson.loads(base64.urlsafe_b64decode(token.removeprefix("01").encode() + b"=="))
        found = db.session.scalar(select(Entity.id).where(Entity.uuid == str(told["uuid"])))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise Problem(400.35) from error
    if found is None:
        raise Problem(400.35)
    return found


def _base(name: str) -> str:
    return f"{request.host_url}v1/projects/1/datasets/{quote(name, safe='')}.svc"


def _write(query: _Query, arguments: dict[str, str], engine: Any, *, count: bool) -> Iterator[bytes]:
    end: dict[str, Any] = {"@odata.context": f"{query.address.removesuffix('/Entities')}/$metadata#Entities"}
    written, last, more = 0, None, False
    page = query.page if query.page.limit is None else replace(query.page, limit=query.page.limit + 1)
    with Session(engine) as session:
        if count:
            end["@odata.count"] = count_entities(session, query.viewer, query.name, query.page)
        yield b'{"value":['
        for one in chain.from_iterable(read_entities(session, query.viewer, query.name, query.properties, page)):
            if more := written == query.page.limit:
                break
            yield (b"," if written else b"") + orjson.dumps(_show(one, query))
            written, last = written + 1, one.uuid
    if more and last is not None and not query.page.order:
        token = "01" + base64.urlsafe_b64encode(orjson.dumps({"uuid": last})).decode().rstrip("=")
        end["@odata.nextLink"] = f"{query.address}?{urlencode({**arguments, '$skiptoken': token})}"
    yield b"]," + orjson.dumps(end)[1:]


def _show(one: EntityRecord, query: _Query) -> dict[str, Any]:
    system = _tell_system(one)
    row: dict[str, Any] = {"__id": one.uuid, "label": one.label, "__system": system}
    row |= {odata_name(name): one.values.get(name, "") for name in query.properties}
    if query.wanted is None:
        return row
    kept = {name: value for name, value in row.items() if name in query.wanted}
    asked = {name: value for name, value in system.items() if f"__system/{name}" in query.wanted}
    return kept | ({"__system": asked} if asked and "__system" not in kept else {})


def _tell_system(one: EntityRecord) -> dict[str, Any]:
    return {
        "createdAt": write_moment(one.created_at),
        "creatorId": str(one.creator_id or 0),
        "creatorName": one.creator_name,
        "updates": max(one.version - 1, 0),
        "updatedAt": write_moment(one.updated_at),
        "deletedAt": write_moment(one.deleted_at),
        "version": one.version,
        "conflict": one.conflict,
    }


def _write_csv(query: _Query, engine: Any) -> Iterator[bytes]:
    head = (
        "__id",
        "label",
        *query.properties,
        "__createdAt",
        "__creatorId",
        "__creatorName",
        "__updates",
        "__updatedAt",
    )
    yield render_lines([(*head, "__version")])
    with Session(engine) as session:
        for chunk in read_entities(session, query.viewer, query.name, query.properties, query.page):
            yield render_lines(_csv_line(one, query.properties) for one in chunk)


def _csv_line(one: EntityRecord, properties: list[str]) -> list[object]:
    told = _tell_system(one)
    named = [told[name] for name in ("createdAt", "creatorId", "creatorName", "updates", "updatedAt", "version")]
    return [one.uuid, one.label, *(one.values.get(name, "") for name in properties), *named]
