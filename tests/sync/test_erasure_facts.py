"""An erasure that is told before its record comes: a fresh server keeps no answers of it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from hashlib import sha256

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.errors import FormsError
from server.processing import process_pending
from sync.db import begin_write
from sync.erasure import Keep
from sync.erasure_facts import ErasedFact
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.journal import JournalFact, parse_lines, read_journal, receive_journal, write_line
from sync.models import AwaitedErasure, PersonRecord, Submission
from sync.registry import registry_digest
from tests.sync.factory import NOW
from tests.sync.test_erasure import erase
from tests.sync.test_processing import clear
from tests.sync.test_rebuilding import lived

__all__ = ["lived"]

Sent = tuple[str, str, str | None, bytes]


def list_sent(session: Session) -> list[Sent]:
    return [(one.form_id, one.instance_id, one.deprecated_id, one.xml) for one in session.scalars(select(Submission))]


def list_erasures(facts: Iterable[JournalFact]) -> list[str]:
    return [json.dumps(asdict(one), sort_keys=True, default=str) for one in facts if isinstance(one, ErasedFact)]


def tell(session: Session, lines: Sequence[str]) -> None:
    session.commit()
    begin_write(session)
    receive_journal(session, parse_lines(lines), NOW)
    session.commit()


def send(session: Session, records: Sequence[Sent]) -> None:
    for form_id, instance_id, deprecated_id, xml in records:
        session.commit()
        begin_write(session)
        record = IncomingRecord(form_id, "1", instance_id, deprecated_id)
        receive_submission(session, record, Upload(xml, sha256(xml).hexdigest()), Sender(), NOW)
        session.commit()
    process_pending()
    session.expire_all()


@pytest.mark.both_databases
def test_a_fresh_server_keeps_no_answers_of_what_was_erased(lived: Session) -> None:
    sent = list_sent(lived)
    erase(lived, "uuid:2", Keep(person=["sex", "age"], encounter=["direction"]))
    erase(lived, "uuid:a", Keep(entity=["urgence", "site_id", "etat"]))
    digest, lines = registry_digest(lived), [write_line(one) for one in read_journal(lived)]
    clear(lived)
    tell(lived, lines)
    assert len(lived.scalars(select(AwaitedErasure)).all()) == 2
    assert set(list_erasures(read_journal(lived))) == set(list_erasures(parse_lines(lines)))
    send(lived, sent)
    assert registry_digest(lived) == digest
    gone = lived.scalars(select(Submission).where(Submission.instance_id.in_(["uuid:2", "uuid:a"]))).all()
    assert [one.xml for one in gone] == [b"", b""]
    people = select(PersonRecord.given_names).where(PersonRecord.submission_id.in_([one.id for one in gone]))
    assert set(lived.scalars(people)) == {None}
    assert lived.scalars(select(AwaitedErasure)).all() == []
    tell(lived, lines)
    assert (registry_digest(lived), lived.scalars(select(AwaitedErasure)).all()) == (digest, [])


def test_an_erasure_of_a_record_that_is_here_is_carried_out(lived: Session) -> None:
    sent = list_sent(lived)
    erase(lived, "uuid:2", Keep(person=["sex"]))
    digest, lines = registry_digest(lived), [write_line(one) for one in read_journal(lived)]
    clear(lived)
    tell(lived, [one for one in lines if '"erasure"' not in one])
    send(lived, sent)
    assert registry_digest(lived) != digest
    tell(lived, lines)
    process_pending()
    lived.expire_all()
    assert registry_digest(lived) == digest


def test_what_cannot_be_read_is_refused(lived: Session) -> None:
    erase(lived, "uuid:2", Keep())
    (line,) = [one for one in map(write_line, read_journal(lived)) if '"erasure"' in one]
    with pytest.raises(FormsError):
        tell(lived, [line.replace('"persons"', '"people"')])
