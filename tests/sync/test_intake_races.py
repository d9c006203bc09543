"""Two requests at the same moment on PostgreSQL, where writers do not queue: once is once all the same."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, event, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sync.attachments import add_blob
from sync.freed_files import list_due, list_unsettled, settle_files
from sync.models import AwaitedFile, Blob, FreedFile, Relay, Submission, SubmissionAttachment
from sync.relaying.lines import RecordLine
from sync.relaying.up import receive_relayed, take_up
from tests.postgres import create_database, drop_database
from tests.sync.arrivals import a_file, receive
from tests.sync.factory import NOW, xml
from tests.sync.relaying.conftest import add_relay
from tests.sync.test_freed_files import erase

PHOTO = a_file("p.jpg")
XML = xml("uuid:1")


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    name = f"test_{uuid4().hex}"
    made = create_engine(create_database(postgres_url, name, "teral"))
    yield made
    made.dispose()
    drop_database(postgres_url, name)


def test_a_twin_that_another_request_keeps_meanwhile_is_kept_once(engine: Engine) -> None:
    """The other one commits after this one looked for the record and before it writes."""
    with Session(engine) as first:
        receive(first, "uuid:1")
        first.commit()
    waiting = [True]

    def overtake(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        parameters = context.compiled_parameters[0] if context.compiled_parameters else {}
        if waiting and statement.startswith("INSERT INTO submissions") and parameters.get("twin_of_id"):
            waiting.clear()
            with Session(engine) as other:
                receive(other, "uuid:1", direction="sortie")
                other.commit()

    event.listen(engine, "before_cursor_execute", overtake)
    with Session(engine) as mine:
        receipt = receive(mine, "uuid:1", direction="sortie")
        mine.commit()
        assert (waiting, receipt.kind, mine.scalar(select(func.count()).select_from(Submission))) == ([], "twin", 2)


@pytest.mark.parametrize("facts", [{"instance_id": "uuid:new"}, {"instance_id": "uuid:1", "direction": "sortie"}])
def test_what_collides_with_no_other_record_says_what_it_is(engine: Engine, facts: dict[str, Any]) -> None:
    """A sequence that fell behind its table, as after a restore by hand: no tablet was faster, and nothing is kept."""
    with Session(engine) as session:
        for number in range(6):
            receive(session, f"uuid:{number}")
        session.execute(text("SELECT setval(pg_get_serial_sequence('submissions', 'id'), 1)"))
        with pytest.raises(IntegrityError, match="pk_submissions"):
            receive(session, **facts)


def test_a_file_that_is_being_named_is_let_go_of_by_nobody(engine: Engine) -> None:
    """A record with the same photograph is erased before the transaction of the next one ends; neither waits."""
    with Session(engine) as before, Session(engine) as naming, Session(engine) as erasing:
        erased = receive(before, "uuid:1", PHOTO).submission_id
        before.commit()
        receive(naming, "uuid:2", PHOTO)
        erase(erasing, erased)
        erasing.commit()
        naming.commit()
        assert list_unsettled(before) == [PHOTO.stored.sha256]
        settle_files(before, list_unsettled(before))
        assert (list_due(before, NOW), rows_of_files(before)) == ([], [PHOTO.stored.sha256])


def test_a_file_is_held_before_anything_names_it(engine: Engine) -> None:
    """As that of a record that nobody could read: what names it comes later, and no foreign key asks for the row."""
    with Session(engine) as before, Session(engine) as naming, Session(engine) as erasing:
        erased = receive(before, "uuid:1", PHOTO).submission_id
        before.commit()
        add_blob(naming.connection(), PHOTO.stored, NOW)
        erase(erasing, erased)
        erasing.commit()
        naming.commit()
        assert rows_of_files(naming) == [PHOTO.stored.sha256]


def test_who_names_a_file_that_is_being_let_go_of_names_it_anew(engine: Engine) -> None:
    with Session(engine) as erasing, Session(engine) as naming, ThreadPoolExecutor() as pool:
        erased = receive(erasing, "uuid:1", PHOTO).submission_id
        erasing.commit()
        erase(erasing, erased)
        named = pool.submit(receive, naming, "uuid:2", PHOTO)
        with pytest.raises(TimeoutError):
            named.result(0.2)
        erasing.commit()
        assert named.result(10).kind == "new"
        naming.commit()
        assert rows_of_files(naming) == [PHOTO.stored.sha256]


def test_a_file_that_comes_while_its_record_is_erased_is_not_given_to_it(engine: Engine) -> None:
    """The rest of a split submission waits for the erasure, and is to see it then."""
    with Session(engine) as before, Session(engine) as erasing, Session(engine) as rest, ThreadPoolExecutor() as pool:
        record = receive(before, "uuid:1", expected=["p.jpg"], incomplete=True).submission_id
        before.commit()
        waiting = [True]

        def overtake(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            if waiting and "FOR UPDATE" in statement:
                waiting.clear()
                erase(erasing, record)
                pool.submit(commit_when_awaited, engine, erasing)

        event.listen(engine, "before_cursor_execute", overtake)
        receive(rest, "uuid:1", PHOTO, expected=["p.jpg"])
        rest.commit()
        assert waiting == []
        assert rest.scalars(select(SubmissionAttachment.blob_sha256)).all() == []
        assert list(rest.scalars(select(FreedFile.name))) == [PHOTO.stored.sha256]


def commit_when_awaited(engine: Engine, session: Session) -> None:
    blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with engine.connect() as looking:
        while not looking.scalar(blocked):
            time.sleep(0.01)
    session.commit()


def test_what_an_exchange_tells_of_a_record_waits_for_its_erasure(engine: Engine) -> None:
    """Of what is being erased nothing is asked for, and nothing awaited."""
    with Session(engine) as before, Session(engine) as erasing, Session(engine) as taking, ThreadPoolExecutor() as pool:
        relay = add_relay(before)
        take_up(before, relay, [told_record()], NOW)
        erased = receive_relayed(before, relay, XML, NOW).id
        relay_id = relay.site_id
        before.commit()
        erase(erasing, erased)
        erasing.flush()
        taken = pool.submit(take_up, taking, taking.get_one(Relay, relay_id), [told_record()], NOW)
        with pytest.raises(TimeoutError):
            taken.result(0.2)
        erasing.commit()
        assert (taken.result(10).files, len(taken.result().receipts)) == ({}, 1)
        taking.commit()
        assert before.scalars(select(AwaitedFile)).all() == []


def told_record() -> RecordLine:
    """What a post tells of a record whose photograph is still there."""
    stored = PHOTO.stored
    files = [(PHOTO.name, "image/jpeg", stored.sha256, stored.size)]
    return RecordLine("passage", "1", "uuid:1", sha256(XML).hexdigest(), NOW, None, "ROS", None, None, files)


def rows_of_files(session: Session) -> list[str]:
    return list(session.scalars(select(Blob.sha256)))
