"""Whole forms as files: CSV and Parquet of the record's table, or of every table in a zip; XLSX, GeoJSON. Resumable."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED

import orjson
from flask.typing import ResponseReturnValue
from marshmallow import fields
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from zipstream import ZipStream

from forms.definition import FormDefinition
from forms.tables import Column, Table, find_value, list_tables, parent_key
from server.accounts.permissions import note_reading, permission, reads_first
from server.accounts.sessions import current_viewer
from server.extensions import attachment_store, db
from server.rest.csv_rows import Line, LineWriter, TextWriter
from server.rest.forms import FORM, get_version
from server.rest.odata import read_what_is_new
from server.rest.odata_rows import convert
from server.rest.problems import Problem
from server.rest.queries import Flag, Text
from server.rest.shapes import WORKBOOKS, Shape
from server.rest.snapshots import answer_snapshot
from server.rest.speech import asks, blueprint, gather, writes
from server.rest.tablet_logs import LOG, write_logs
from sync.attachments import AttachmentStore
from sync.layouts import find_picks
from sync.models import SubmissionAttachment
from sync.policy import DATA_CLASSES, Viewer, reads_plainly
from sync.publishing import get_definition
from sync.record_filters import compile_filter
from sync.records import Page, find_last_id, list_readable, name_columns, read_names, read_records, read_repeats

if TYPE_CHECKING:
    from server.rest.parquet import TypedWriter

log = logging.getLogger(__name__)

BOM = b"\xef\xbb\xbf"
_GEOJSON, _PARQUET = "application/geo+json", "application/vnd.apache.parquet"
_GEO = ("geopoint", "geotrace", "geoshape")
_CHUNK = 1024 * 1024


class ExportQuery(Shape):
    filter = Text("Which records: `fruit eq 'mango'`.", data_key="$filter")
    attachments = Flag("false: the zip holds the tables alone.", default=True)
    group_paths = Flag("false: columns are named without the groups around them.", default=True)
    split_select_multiples = Flag("A column for each choice, which is not made here: true is refused.")


@dataclass(frozen=True, slots=True)
class Export:
    """What is taken out, for whom: nothing of it depends on the request once this is made."""

    engine: Engine
    store: AttachmentStore
    viewer: Viewer
    form_id: str
    definition: FormDefinition
    columns: dict[str, list[Column]]
    page: Page
    group_paths: bool
    with_files: bool

    @property
    def tables(self) -> list[Table]:
        return list(list_tables(self.definition).values())

    def writer(self, table: Table) -> LineWriter:
        return LineWriter(table, self.columns[table.name], group_paths=self.group_paths)


# Central takes passphrases in the body of a POST; here it is the same as a GET.
@blueprint.route(f"{FORM}/submissions.csv", methods=["GET", "POST"])
@permission("submissions.export")
@reads_first
@writes("text/csv")
@asks(ExportQuery)
def csv_export(form_id: str, asked: dict[str, Any]) -> ResponseReturnValue:
    export = read_export(form_id, asked)
    return answer_snapshot(partial(write_csv, export, export.tables[0]), "text/csv", f"{form_id}.csv")


@blueprint.route(f"{FORM}/submissions.csv.zip", methods=["GET", "POST"])
@permission("submissions.export")
@reads_first
@writes("application/zip")
@asks(ExportQuery)
def zip_export(form_id: str, asked: dict[str, Any]) -> ResponseReturnValue:
    name = f"{form_id}.zip" if asked["attachments"] else f"{form_id}.csv.zip"
    return answer_snapshot(partial(write_zip, read_export(form_id, asked)), "application/zip", name)


@blueprint.get(f"{FORM}/submissions.xlsx")
@permission("submissions.export")
@writes(WORKBOOKS["xlsx"])
@asks(ExportQuery)
def workbook_export(form_id: str, asked: dict[str, Any]) -> ResponseReturnValue:
    # Loaded by the first who asks, as Parquet's library is.
    from server.rest.workbooks import COLUMNS, write_workbook

    export = read_export(form_id, asked)
    widest = max(len(export.writer(table).head) for table in export.tables)
    if widest > COLUMNS:
        raise Problem(501.99, columns=widest, most=COLUMNS)
    tables = [(table.name or form_id, partial(list_lines, export, table)) for table in export.tables]
    write = partial(write_workbook, tables)
    return answer_snapshot(write, WORKBOOKS["xlsx"], f"{form_id}.xlsx")


@blueprint.get(f"{FORM}/submissions.geojson")
@permission("submissions.export")
@writes(_GEOJSON, form=fields.Dict())
@asks(ExportQuery)
def geojson_export(form_id: str, asked: dict[str, Any]) -> ResponseReturnValue:
    export = read_export(form_id, asked)
    return answer_snapshot(lambda: gather(write_geojson(export)), _GEOJSON, f"{form_id}.geojson")


@blueprint.get(f"{FORM}/submissions.parquet")
@permission("submissions.export")
@writes(_PARQUET)
@asks(ExportQuery)
def parquet_export(form_id: str, asked: dict[str, Any]) -> ResponseReturnValue:
    export = read_export(form_id, asked)
    return answer_snapshot(partial(write_parquet, export, export.tables[0]), _PARQUET, f"{form_id}.parquet")


@blueprint.get(f"{FORM}/submissions.parquet.zip")
@permission("submissions.export")
@writes("application/zip")
@asks(ExportQuery)
def parquet_zip_export(form_id: str, asked: dict[str, Any]) -> ResponseReturnValue:
    export = read_export(form_id, asked)
    return answer_snapshot(partial(write_parquet_zip, export), "application/zip", f"{form_id}.parquet.zip")


def read_export(form_id: str, asked: dict[str, Any]) -> Export:
    read_what_is_new(form_id)
    if asked["split_select_multiples"]:
        raise Problem(501.1, feature="splitSelectMultiples")
    viewer = current_viewer()
    definition = get_definition(db.session(), get_version(form_id))
    page = Page(up_to=find_last_id(db.session()))
    if text := asked["filter"]:
        fits = compile_filter(text, name_columns(viewer, definition), form_id, datetime.now(UTC))
        page = replace(page, condition=fits)
    note_reading("submissions.exported", f"form:{form_id}")
    columns = {one.name: list_readable(viewer, definition, one) for one in list_tables(definition).values()}
    files = asked["attachments"] and reads_plainly(viewer, set(DATA_CLASSES) - {"D8"})
    paths = asked["group_paths"]
    return Export(db.engine, attachment_store(), viewer, form_id, definition, columns, page, paths, files)


def write_csv(export: Export, table: Table) -> Iterator[bytes]:
    """One table, its head at once: the first rows follow while the others are read."""
    lines = export.writer(table)
    yield BOM + _end_lines([TextWriter(lines, {}).head])
    with Session(export.engine) as session:
        picks = find_picks(session, export.form_id, table.name, export.columns[table.name])
        for written in _write_lines(session, export, table, TextWriter(lines, picks), list(picks)):
            yield _end_lines(written)


def _end_lines(lines: Iterable[str]) -> bytes:
    return "".join([f"{one}\r\n" for one in lines]).encode()


def write_parquet(export: Export, table: Table) -> Iterator[bytes]:
    """One table with the form's types."""
    # Loaded by the first who asks: its library takes as much memory as a third of the whole server.
    from server.rest.parquet import TypedWriter

    writer = TypedWriter(table, export.columns[table.name], group_paths=export.group_paths)
    with Session(export.engine) as session:
        yield from writer.write(_write_lines(session, export, table, writer, []))


def list_lines(export: Export, table: Table) -> Iterator[Iterable[Line]]:
    """One table in pieces as they are read, its head first."""
    writer = export.writer(table)
    yield [writer.head]
    with Session(export.engine) as session:
        yield from _write_lines(session, export, table, writer, [])


def _write_lines(
    session: Session,
    export: Export,
    table: Table,
    writer: "LineWriter | TextWriter | TypedWriter",
    layouts: Sequence[int],
) -> Iterator[Iterable[Any]]:
    """The lines of a table in chunks."""
    asked = session, export.viewer, export.form_id, export.page
    if not table.name:
        yield from (map(writer.write_record, records) for records in read_records(*asked, layouts))
        return
    for names in read_names(*asked):
        rows = read_repeats(session, export.form_id, list(names), [table.name], layouts)[table.name]
        yield [writer.write_repeat(one, names[one.submission_id], parent_key(table, one.key)) for one in rows]


def write_zip(export: Export) -> Iterator[bytes]:
    """Every table, then the files; one member after the other, so that memory does not grow with their number."""
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    for table, name in _name_members(export, "csv"):
        archive.add(write_csv(export, table), name)
        yield from archive.all_files()
    if export.with_files:
        logs = ((owner, export.store.read(sha256)) for owner, _, sha256 in _list_files(export, logs=True))
        if (first := next(logs, None)) is not None:
            archive.add(write_logs(chain([first], logs)), f"{export.form_id.replace('/', '_')} - {LOG}")
            yield from archive.all_files()
        for _, name, sha256 in _list_files(export, logs=False):
            archive.add(_read_file(export.store, sha256), f"media/{name.replace('/', '_')}")
            yield from archive.all_files()
    yield from archive.finalize()


def write_parquet_zip(export: Export) -> Iterator[bytes]:
    """Every table, each compressed by itself already."""
    archive = ZipStream(compress_type=ZIP_STORED)
    for table, name in _name_members(export, "parquet"):
        archive.add(write_parquet(export, table), name)
        yield from archive.all_files()
    yield from archive.finalize()


def _name_members(export: Export, kind: str) -> Iterator[tuple[Table, str]]:
    """The tables with Central's names: a repeat's own, with a number where several have it."""
    safe, count = export.form_id.replace("/", "_"), Counter[str]()
    names = [table.name.rpartition(".")[2] for table in export.tables]
    for table, name in zip(export.tables, names, strict=True):
        count[name] += 1
        number = f"~{count[name]}" if names.count(name) > 1 else ""
        yield table, f"{safe}-{name}{number}.{kind}" if name else f"{safe}.{kind}"


def write_geojson(export: Export) -> Iterator[bytes]:
    """A feature for each record that has a place: the first place that it names."""
    columns = [one for one in export.columns[""] if one.type in _GEO]
    yield b'{"type":"FeatureCollection","features":['
    comma = b""
    with Session(export.engine) as session:
        for records in read_records(session, export.viewer, export.form_id, export.page):
            for one in records:
                feature = _feature(one.instance_id, one.read_answers(), columns)
                if feature is not None:
                    yield comma + orjson.dumps(feature)
                    comma = b","
    yield b"]}"


def _feature(instance_id: str, answers: dict[str, Any], columns: list[Column]) -> dict[str, Any] | None:
    for column in columns:
        value = find_value(answers, column.place)
        geometry = convert(str(value), column.type) if value is not None else None
        if geometry is not None:
            told = {"fieldpath": "/" + "/".join(column.place), **geometry.pop("properties", {})}
            return {"type": "Feature", "id": instance_id, "geometry": geometry, "properties": told}
    return None


def _list_files(export: Export, *, logs: bool) -> Iterator[tuple[str, str, str]]:
    """The instanceID, the name and the SHA-256 of each file: tablets' logs, or all others."""
    name, owner, blob = SubmissionAttachment.name, SubmissionAttachment.submission_id, SubmissionAttachment.blob_sha256
    fits = name == LOG if logs else name != LOG
    with Session(export.engine) as session:
        for names in read_names(session, export.viewer, export.form_id, export.page):
            here = select(owner, name, blob).where(owner.in_(list(names)), blob.is_not(None), fits)
            rows = session.execute(here.order_by(SubmissionAttachment.id)).all()
            for one, called, sha256 in rows:
                # Others take their time to read: a file may have been erased since, or the disk lost it.
                if export.store.has(str(sha256)):
                    yield names[one], called, str(sha256)
                else:
                    log.warning("a file is not in the export, since it is not on the disk")


def _read_file(store: AttachmentStore, sha256: str) -> Iterator[bytes]:
    with store.open(sha256) as file:
        while chunk := file.read(_CHUNK):
            yield chunk
