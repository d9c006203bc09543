"""Two requests at the same moment on PostgreSQL, where writers do not queue: once is once all the same."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, event, func, select
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
