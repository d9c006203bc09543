"""Very many records of one form: a few are written as judging writes them, and the database copies them.

One in twenty has a file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Engine, Select, String, cast, func, insert, literal, select
from sqlalchemy.orm import Session

from benchmarks.entity_rows import analyse, count_on
from forms.definition import FormDefinition
from forms.submission import parse_submission
from forms.tables import flatten
from server.tablets.queue import Record
from server.tablets.tablet import Tablet
from sync.answers import write_answers
from sync.attachments import AttachmentStore, add_blob
from sync.db import Base, begin_write
from sync.models import AnswerRow, AnswerValue, FormVersion, Submission, SubmissionAttachment
from sync.publishing import find_newest, get_definition

FORM = "f02_passage"
SAMPLES = 20
_AT_ONCE = 20_000
_NAME = "uuid:bench-"


def fill(
    engine: Engine, store: AttachmentStore, tablet: Tablet, start: int, stop: int, *, for_filters: bool = True
) -> None:
    """Records as tablets send them, a few of them many times over: what differs costs an export nothing.

    What a filter reads is most of what is kept of a record, and may be left out.
    """
    first = _find_first(engine) or _add_samples(engine, store, tablet)
    tables = (AnswerRow, SubmissionAttachment, AnswerValue) if for_filters else (AnswerRow, SubmissionAttachment)
    for begin in range(max(start, SAMPLES), stop, _AT_ONCE):
        with engine.connect().execution_options(write=True) as connection, connection.begin():
            _copy(connection, first, _count(begin, min(begin + _AT_ONCE, stop)), tables)
            count_on(connection)
    analyse(engine)


def load_form(engine: Engine) -> tuple[FormVersion, FormDefinition]:
    """The form's newest version, and what it asks."""
    with Session(engine, expire_on_commit=False) as session:
        version = find_newest(session, FORM)
        if version is None:
            raise RuntimeError(f"{FORM} is not published")
        session.refresh(version, ["xml"])
        return version, get_definition(session, version)


def make_samples(tablet: Tablet) -> Iterator[Record]:
    """The records that the others are copies of. The files of the first alone are kept."""
    for number in range(SAMPLES):
        record = tablet.fill(FORM, datetime.now(UTC))
        # A patrol's question, which officers at a border post are not asked.
        place = f"<lieu>{14 + number / 10:.4f} -17.4400 5.0 3.9</lieu></data>"
        yield replace(record, xml=re.sub(b"(<lieu/>)?</data>", place.encode(), record.xml))


def _find_first(engine: Engine) -> int | None:
    with engine.connect() as connection:
        return connection.scalar(select(Submission.id).filter_by(form_id=FORM, instance_id=f"{_NAME}0"))


def _add_samples(engine: Engine, store: AttachmentStore, tablet: Tablet) -> int:
    """Return the first one's number; the others follow it."""
    version, definition = load_form(engine)
    now, samples = datetime.now(UTC), list(make_samples(tablet))
    rows = [
        Submission(
            form_id=FORM, version=version.version, form_version_id=version.id, instance_id=f"{_NAME}{number}",
            xml=one.xml, xml_sha256=sha256(one.xml).hexdigest(), received_at=now, processed_at=now, state="merged",
        )
        for number, one in enumerate(samples)
    ]  # fmt: skip
    with Session(engine) as session:
        begin_write(session)
        session.add_all(rows)
        session.flush()
        told = [(row.id, FORM, flatten(parse_submission(row.xml), definition), definition) for row in rows]
        write_answers(session, told)
        for name, content in samples[0].files.items():
            _add_file(session, store, rows[0].id, name, content)
        session.commit()
        return rows[0].id


def _add_file(session: Session, store: AttachmentStore, submission_id: int, name: str, content: bytes) -> None:
    stored, now = store.save(BytesIO(content)), datetime.now(UTC)
    add_blob(session.connection(), stored, now)
    row = SubmissionAttachment(
        submission_id=submission_id, name=name, expected=True, blob_sha256=stored.sha256, received_at=now
    )
    session.add(row)
    session.flush()


def _count(begin: int, end: int) -> CTE:
    numbers = select(literal(begin).label("number")).cte("numbers", recursive=True)
    return numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < end - 1))


def _copy(connection: Connection, first: int, numbers: CTE, tables: Iterable[type[Base]]) -> None:
    """Each number's record is the sample's whose turn it is, but for its id and its name."""
    number = numbers.c.number
    name = literal(_NAME) + cast(number, String)
    _insert(connection, Submission, numbers, first, {"id": first + number, "instance_id": name})
    for table in tables:
        _insert(connection, table, numbers, first, {"submission_id": first + number})


def _insert(
    connection: Connection, model: type[Base], numbers: CTE, first: int, own: dict[str, ColumnElement[Any]]
) -> None:
    table = model.__table__
    sample = table.c[next(iter(own))]
    # Another table's own ids are nobody's business: the database numbers its rows anew.
    columns = [one for one in table.columns if one.name in own or one.name != "id"]
    copied: Select[Any] = select(*(own.get(one.name, one) for one in columns)).select_from(numbers)
    copied = copied.join(table, sample == first + func.mod(numbers.c.number, SAMPLES))
    connection.execute(insert(model).from_select([one.name for one in columns], copied))
