"""A fresh server that has the journal tells the same registry, and issues numbers above those that were served."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.db import begin_write
from sync.journal import IssuedFact, JournalFact, JournalRefused, parse_lines, read_journal, receive_journal, write_line
from sync.models import Entity, IssuedVersion, Submission
from sync.registry import registry_digest
from tests.sync.factory import NOW, add_submission
from tests.sync.test_processing import clear, settle
from tests.sync.test_rebuilding import lived

__all__ = ["lived"]


def receive(session: Session, facts: list[JournalFact]) -> None:
    session.commit()
    begin_write(session)
    receive_journal(session, facts, NOW)
    session.commit()


def send_anew(session: Session, sent: list[tuple[str, str, str | None, bytes]]) -> None:
    """The same records, the last one first."""
    known: dict[tuple[str, str], int] = {}
    for form_id, instance_id, deprecated_id, body in reversed(sent):
        first = known.get((form_id, instance_id))
        row = add_submission(
            session, instance_id, form_id=form_id, deprecated_id=deprecated_id, body=body, twin_of_id=first
        )
        known.setdefault((form_id, instance_id), row.id)
    settle(session)


@pytest.mark.both_databases
def test_a_fresh_server_with_the_journal_tells_the_same(lived: Session) -> None:
    digest, journal = registry_digest(lived), list(read_journal(lived))
    columns = (Submission.form_id, Submission.instance_id, Submission.deprecated_id, Submission.xml)
    sent = [tuple(row) for row in lived.execute(select(*columns).order_by(Submission.id))]
    served = {(one.uuid): one.version for one in lived.scalars(select(Entity))}
    clear(lived)
    receive(lived, list(parse_lines(write_line(one) for one in journal)))
    receive(lived, journal)
    send_anew(lived, sent)
    assert registry_digest(lived) == digest
    assert all(one.version >= served[one.uuid] for one in lived.scalars(select(Entity)))


def test_a_line_says_all_that_a_fact_says(lived: Session) -> None:
    journal = list(read_journal(lived))
    assert {type(one).__name__ for one in journal} == {
        "IssuedFact", "ActFact", "ReleaseFact", "DecisionFact", "VerdictFact", "ModelFact"
    }  # fmt: skip
    assert list(parse_lines(write_line(one) for one in journal)) == journal


def test_a_number_that_means_something_else_here_is_refused(lived: Session) -> None:
    journal = list(read_journal(lived))
    lived.scalars(select(IssuedVersion)).first().added = ["another"]  # type: ignore[union-attr]
    with pytest.raises(JournalRefused, match="another meaning"):
        receive(lived, journal)


ISSUED = write_line(IssuedFact("dossiers", "x", 1, ["act y"], [], "", {"lit": "1"}, NOW))


def test_a_served_number_is_read_as_it_was_written() -> None:
    assert write_line(next(parse_lines([ISSUED]))) == ISSUED


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", '{"fact": "x"}', '{"fact": "act", "y": 1}', '{"fact": []}', ISSUED.replace('"act y"', "7"),
        ISSUED.replace('"number": 1', '"number": "1"'), ISSUED.replace('"number": 1', '"number": 1000000001'),
        ISSUED.replace('{"lit": "1"}', '{"lit": null}'), ISSUED.replace('"x"', f'"{"x" * 37}"'),
    ],
)  # fmt: skip
def test_what_is_no_journal_is_refused_by_its_line(line: str) -> None:
    with pytest.raises(JournalRefused, match="Line 1"):
        list(parse_lines([line]))
