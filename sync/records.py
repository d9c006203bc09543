"""Records with their answers, read flat and in pages for whoever may take them out of the server."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, and_, bindparam, case, cast, func, null, select
from sqlalchemy.orm import Session, defer

from forms.definition import FormDefinition
from forms.tables import Column, Table, list_tables
from sync.answers import is_filtered, odata_path
from sync.db import UTCDateTime
from sync.heads import Head, find_chain, is_head, make_heads
from sync.models import Actor, AnswerRow, Device, Submission, SubmissionAttachment, SubmissionSender
from sync.policy import Viewer, access, list_exportable_classes, programme
from sync.record_filters import Named
from sync.reviews import review_state_column, reviewed_at_column, updated_at_column
from sync.scopes import of_classes, scope_submissions

# The first chunk is small, for whoever waits for the first byte; the rest cost fewer questions to the database.
FIRST_CHUNK, CHUNK = 100, 2000
# Ids have 32 bits.
_BEYOND = 2**31 - 1


class Answered:
    """What says something of its own: `kept` are its answers or, with a layout, their cells."""

    __slots__ = ()
    layout_id: int | None
    kept: bytes | None

    def read_answers(self) -> dict[str, Any]:
        """The answers by name, in their groups."""
        answers: dict[str, Any] = orjson.loads(self.kept) if self.kept else {}
        return answers


@dataclass(slots=True)
class Record(Answered):
    """A record as it stands."""

    id: int
    instance_id: str
    submitted_at: datetime
    updated_at: datetime | None
    submitter_id: int | None
    submitter_name: str | None
    device_id: str | None
    present: int
    expected: int
    status: str | None
    review_state: str | None
    edits: int
    form_version: str
    layout_id: int | None
    kept: bytes | None


@dataclass(slots=True)
class RepeatRow(Answered):
    """One turn of a repeat, with the record that it belongs to."""

    submission_id: int
    number: int
    parent: int | None
    key: str
    layout_id: int | None
    kept: bytes | None


@dataclass(frozen=True, slots=True)
class Page:
    """Which of the records are asked for: those that fit, in an order, from a place on, so many."""

    condition: ColumnElement[bool] | None = None
    order: Sequence[ColumnElement[Any]] = ()
    before_id: int | None = None
    up_to: int | None = None  # the last id when the first page was read: what came since is not among them
    offset: int = 0
    limit: int | None = None


def list_readable(viewer: Viewer, definition: FormDefinition, table: Table) -> list[Column]:
    """The columns of a table that this viewer may take out of the server: read plainly, and of a class to export."""
    classes = list_exportable_classes(viewer)
    readable = {one for one in classes if access(viewer, one).reads_plainly}
    return [one for one in table.columns if programme().data_class(definition.form_id, one.path) in readable]


def name_columns(viewer: Viewer, definition: FormDefinition) -> dict[str, Named]:
    """What a filter may ask for: Central's metadata, and the answers that the viewer reads."""
    submitter = func.coalesce(Device.actor_id, SubmissionSender.actor_id)
    named = {
        "__id": Named("text", Submission.instance_id),
        "__system/submissionDate": Named("moment", Submission.received_at),
        "__system/updatedAt": Named("moment", updated_at_column()),
        "__system/submitterId": Named("number", submitter),
        "__system/reviewState": Named("text", review_state_column()),
        "__system/deletedAt": Named("moment", _DELETED_AT),
        "__system/formVersion": Named("text", Submission.version),
    }
    columns = list_readable(viewer, definition, list_tables(definition)[""])
    return named | {odata_path(one): Named(one.type, path=odata_path(one)) for one in columns if is_filtered(one)}


def count_records(session: Session, viewer: Viewer, form_id: str, page: Page) -> int:
    """How many records fit, wherever the page begins."""
    fitting = _fitting(viewer, form_id, page, func.count(Submission.id)).where(Submission.id < _end(page))
    return session.scalar(fitting) or 0


def read_records(
    session: Session, viewer: Viewer, form_id: str, page: Page, layouts: Collection[int] = ()
) -> Iterator[list[Record]]:
    """The page's records in chunks, newest first unless it says otherwise; memory does not grow with them.

    What they say comes as cells where these are kept in one of `layouts`, else as answers.
    """
    for rows in _read_chunks(session, _select(viewer, form_id, page, layouts), page):
        yield _make_records(session, viewer, rows)


def read_names(session: Session, viewer: Viewer, form_id: str, page: Page) -> Iterator[dict[int, str]]:
    """The same chunks for who reads what belongs to the records: their ids and their instanceIDs."""
    columns = Submission.id, Submission.instance_id, Submission.deprecated_id
    for rows in _read_chunks(session, _fitting(viewer, form_id, page, *columns), page):
        edited = _find_edited(session, [row.id for row in rows if row.deprecated_id is not None])
        yield {one.id: one.instance_id for one in rows} | {key: head.instance_id for key, head in edited.items()}


def _read_chunks(session: Session, found: Select[Any], page: Page) -> Iterator[Sequence[Row[Any]]]:
    found = found.where(Submission.id < bindparam("before")).order_by(*page.order, Submission.id.desc())
    if not page.order:
        yield from _read_by_id(session, found, page)
        return
    # Sorted once: in another order no chunk can be asked for by where the last one ended.
    found, before = found.limit(page.limit).offset(page.offset), page.before_id or _end(page)
    with session.execute(found, {"before": before}, execution_options={"yield_per": CHUNK}) as rows:
        yield from rows.partitions()


def _read_by_id(session: Session, found: Select[Any], page: Page) -> Iterator[Sequence[Row[Any]]]:
    left, chunk = page.limit, FIRST_CHUNK
    before, offset = page.before_id or _end(page), page.offset
    # One statement for all chunks, for SQLAlchemy takes each apart that it has not seen.
    fitting = found.limit(bindparam("size")).offset(bindparam("offset"))
    while left is None or left > 0:
        size = chunk if left is None else min(left, chunk)
        rows = session.execute(fitting, {"before": before, "size": size, "offset": offset}).all()
        if rows:
            yield rows
        if len(rows) < size:
            return
        left = left - len(rows) if left is not None else None
        before, offset = rows[-1].id, 0
        chunk = min(2 * chunk, CHUNK)


def read_repeats(
    session: Session, form_id: str, ids: Sequence[int], tables: Sequence[str], layouts: Collection[int] = ()
) -> dict[str, list[RepeatRow]]:
    """The rows of these repeats of these records, by table, in the records' own order; cells as in read_records."""
    place = AnswerRow.submission_id, AnswerRow.number, AnswerRow.parent, AnswerRow.key
    query = select(AnswerRow.table_name, *place, *_list_kept(layouts)).where(
        AnswerRow.form_id == form_id, AnswerRow.table_name.in_(tables), AnswerRow.submission_id.in_(ids)
    )
    found: dict[str, list[RepeatRow]] = {name: [] for name in tables}
    for name, owner, number, parent, key, layout_id, kept in session.execute(
        query.order_by(AnswerRow.submission_id.desc(), AnswerRow.number)
    ):
        found[name].append(RepeatRow(owner, number, parent, key, layout_id, kept))
    return found


def find_record_id(
    session: Session, viewer: Viewer, form_id: str, instance_id: str, up_to: int | None = None
) -> int | None:
    """The row that stands for the record of this name, whichever of its versions has it, or stood for it `up_to`."""
    chain = find_chain(session, viewer, form_id, instance_id)
    return next((one.id for one in reversed(chain) if up_to is None or one.id <= up_to), None)


def find_last_id(session: Session) -> int:
    """The last id that any record has, for Page.up_to."""
    return session.scalar(select(func.max(Submission.id))) or 0


# Nothing is deleted here, so that this is always null; scripts ask for it all the same.
_DELETED_AT = cast(null(), UTCDateTime())


def _end(page: Page) -> int:
    """The first id that is none of the page's. The only bound: of two SQLite may walk all that lies between."""
    return page.up_to + 1 if page.up_to is not None else _BEYOND


def _fitting(viewer: Viewer, form_id: str, page: Page, *columns: Any) -> Select[Any]:
    found = (
        select(*columns)
        .select_from(Submission)
        .outerjoin(Device, Device.id == Submission.device_id)
        .outerjoin(SubmissionSender, SubmissionSender.submission_id == Submission.id)
        .where(Submission.form_id == form_id, is_head(up_to=page.up_to), of_classes(list_exportable_classes(viewer)))
    )
    if page.condition is not None:
        found = found.where(page.condition)
    return scope_submissions(found, viewer)


def _list_kept(layouts: Collection[int]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Answered's two columns."""
    if not layouts:
        return null(), AnswerRow.answers.expression
    fits = AnswerRow.layout_id.in_(layouts)
    return case((fits, AnswerRow.layout_id)), case((fits, AnswerRow.cells), else_=AnswerRow.answers)


def _select(viewer: Viewer, form_id: str, page: Page, layouts: Collection[int]) -> Select[Any]:
    found = _fitting(
        viewer, form_id, page,
        Submission.id, Submission.instance_id, Submission.deprecated_id, Submission.received_at, Submission.collect_id,
        Submission.version, Submission.locked, review_state_column().label("review_state"), Actor.id.label("actor_id"),
        Actor.display_name, *_count_files(), reviewed_at_column().label("reviewed_at"),
        *_list_kept(layouts),
    )  # fmt: skip
    found = found.outerjoin(Actor, Actor.id == func.coalesce(Device.actor_id, SubmissionSender.actor_id))
    return found.outerjoin(AnswerRow, and_(AnswerRow.submission_id == Submission.id, AnswerRow.number == 0))


def _make_records(session: Session, viewer: Viewer, rows: Sequence[Row[Any]]) -> list[Record]:
    edited = _find_edited(session, [row.id for row in rows if row.deprecated_id is not None])
    names = _name_actors(session, edited.values())
    tells = access(viewer, "D7").reads_plainly
    return [_make_record(row, edited.get(row.id), names, tells) for row in rows]


def _name_actors(session: Session, heads: Iterable[Head]) -> dict[int | None, str]:
    """Who first sent these records."""
    wanted = {one.actor_id for one in heads} - {None}
    if not wanted:
        return {}
    return {one.id: one.display_name for one in session.scalars(select(Actor).where(Actor.id.in_(wanted)))}


def _make_record(row: tuple[Any, ...], head: Head | None, names: Mapping[int | None, str], tells: bool) -> Record:
    # An export makes millions of these: to take a row apart at once costs half of asking it for each name.
    (
        own_id, instance_id, _, submitted_at, collect_id, version, locked, state, actor_id, name, present, expected,
        updated_at, layout_id, kept,
    ) = row  # fmt: skip
    edits = 0
    if head is not None:
        instance_id, submitted_at, updated_at, edits = head.instance_id, head.created_at, head.updated_at, head.edits
        actor_id, name, collect_id = head.actor_id, names.get(head.actor_id), head.collect_id
    return Record(
        own_id,
        instance_id,
        submitted_at,
        updated_at,
        actor_id,
        name if tells else None,
        collect_id if tells else None,
        present,
        expected,
        "notDecrypted" if locked else None,
        state,
        edits,
        version,
        layout_id,
        kept,
    )


def _count_files() -> tuple[ColumnElement[int], ColumnElement[int]]:
    """How many of a record's files are here, and how many it names.

    Beside each row: a question about the rows of a chunk, with their numbers, cost PostgreSQL's client twice the rest.
    """
    blob = SubmissionAttachment.blob_sha256
    return _count(blob).label("present"), _count(SubmissionAttachment.name).label("expected")


def _count(what: Any) -> ScalarSelect[int]:
    counted = select(func.count(what)).where(SubmissionAttachment.submission_id == Submission.id)
    return counted.scalar_subquery()


def _find_edited(session: Session, ids: Sequence[int]) -> dict[int, Head]:
    """What the few records with edits are known by: their first version says it."""
    if not ids:
        return {}
    rows = session.scalars(select(Submission).where(Submission.id.in_(ids)).options(defer(Submission.xml))).all()
    return {head.row.id: head for head in make_heads(session, rows)}
