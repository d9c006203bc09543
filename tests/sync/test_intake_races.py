"""Two requests at the same moment on PostgreSQL, where writers do not queue: once is once all the same."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, event, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sync.models import Submission
from tests.postgres import create_database, drop_database
from tests.sync.arrivals import receive


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
