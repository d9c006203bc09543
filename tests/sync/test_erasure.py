"""What was erased is gone wherever it stood, what was retained still counts, and a rebuild brings nothing back."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.processing import process_pending
from sync.db import Base, begin_write
from sync.erasure import Keep, erase_submission
from sync.judging import judge
from sync.link_decisions import Word, set_golden_value
from sync.models import (
    Actor,
    AnswerRow,
    AnswerValue,
    Entity,
    EntityDecision,
    PersonRecord,
    Submission,
    SubmissionAttachment,
    SubmissionComment,
    SubmissionFinding,
)
from sync.policy import Viewer
from sync.processing import MAX_ATTEMPTS, apply_verdicts, get_bare_work, list_work, record_failure
from sync.quarantine import accept
from sync.registry import lock_registry, registry_digest
from sync.releasing import release_submission
from sync.reviews import add_comment
from tests.sync.arrivals import receive
from tests.sync.entities import STAY
from tests.sync.factory import NOW
from tests.sync.meetings import AWA as MET_AWA
from tests.sync.meetings import BINTA, meet, prepare, reference
from tests.sync.test_rebuilding import damage, dump, lived, rebuild

__all__ = ["lived"]


def erase(session: Session, instance_id: str, keep: Keep) -> Submission:
    row = erase_only(session, instance_id, keep)
    process_pending()
    session.expire_all()
    return row


def erase_only(session: Session, instance_id: str, keep: Keep) -> Submission:
    """Erase, and leave it to others to process what is left."""
    row = find(session, instance_id)
    session.commit()
    begin_write(session)
    lock_registry(session)
    (work,) = list_work(session, attachment_store(), [row.id])
    erase_submission(session, row, judge(work), keep, actor_id=None, now=NOW, reason="durée de conservation")
    session.commit()
    return row


def find(session: Session, instance_id: str) -> Submission:
    return session.scalars(select(Submission).where(Submission.instance_id == instance_id)).one()


@pytest.mark.both_databases
def test_a_rebuild_after_an_erasure_gives_the_state_after_it(lived: Session) -> None:
    row = erase(lived, "uuid:2", Keep(person=["sex", "age"], encounter=["direction"]))
    people = select(PersonRecord).where(PersonRecord.submission_id == row.id)
    assert [(one.given_names, one.sex, one.age) for one in lived.scalars(people)] == [(None, "2", 31)]
    before, digest = dump(lived), registry_digest(lived)
    damage(lived)
    rebuild(lived)
    assert (dump(lived), registry_digest(lived)) == (before, digest)


@pytest.mark.both_databases
@pytest.mark.parametrize("breaks", [False, True], ids=["judged", "broke"])
def test_what_was_read_before_the_erasure_is_not_told_after_it(lived: Session, breaks: bool) -> None:
    """A worker reads and judges without any lock, and the record is erased before it writes."""
    row = find(lived, "uuid:2")
    release_submission(lived, row, "replay", None, NOW)
    (work,) = list_work(lived, attachment_store(), [row.id])
    work = replace(work, attempts=MAX_ATTEMPTS)
    erase_only(lived, "uuid:2", Keep(person=["sex"]))
    begin_write(lived)
    if breaks:
        record_failure(lived, work, ValueError(), NOW)
    else:
        apply_verdicts(lived, [judge(work)], NOW)
    lived.commit()
    assert (row.processed_at, row.attempts, row.next_attempt_at) == (None, 0, None)
    lived.commit()
    process_pending()
    lived.expire_all()
    people = select(PersonRecord).where(PersonRecord.submission_id == row.id)
    assert [(one.given_names, one.sex) for one in lived.scalars(people)] == [(None, "2")]
    assert row.processed_at is not None
    assert lived.scalars(select(AnswerRow.submission_id).where(AnswerRow.submission_id == row.id)).all() == []


def test_what_breaks_after_the_erasure_is_not_tried_for_ever(lived: Session) -> None:
    row = erase_only(lived, "uuid:2", Keep(person=["sex"]))
    work = replace(get_bare_work(lived, row.id), attempts=MAX_ATTEMPTS)
    record_failure(lived, work, ValueError(), NOW)
    assert (row.processed_at, row.reason) == (NOW, "processing_failed")


@pytest.mark.both_databases
def test_an_erased_update_leaves_its_place_and_what_was_retained(lived: Session) -> None:
    row = erase(lived, "uuid:c", Keep(entity=["urgence", "site_id", "etat"]))
    entity = lived.scalars(select(Entity).where(Entity.uuid == STAY)).one()
    assert (row.xml, row.state, entity.label, entity.properties["site_id"]) == (b"", "merged", "", "KLK")
    served = [one for one in entity.issued if one.label or "sexe" in one.properties]
    assert served == [one for one in served if one.number == entity.version]
    before = dump(lived)
    rebuild(lived)
    assert dump(lived) == before


def test_words_about_an_erased_person_hold_without_what_they_say(lived: Session) -> None:
    row = lived.scalars(select(Submission).where(Submission.instance_id == "uuid:2")).one()
    people = lived.scalars(select(PersonRecord.reference).where(PersonRecord.submission_id == row.id)).all()
    word, steward = Word(None, NOW, "Awa, vue à Rosso"), Viewer(1, "data_steward")
    phone = set_golden_value(lived, steward, people[0], "phone", "771234567", word)
    sex = set_golden_value(lived, steward, people[0], "sex", "2", word)
    erase(lived, "uuid:2", Keep(person=["sex"]))
    assert [(one.value, one.reason) for one in (phone, sex)] == [("", ""), ("2", "")]
    assert all(one.undone_at is None for one in (phone, sex))


def test_who_is_left_of_an_erased_edit_keeps_their_reference(session: Session) -> None:
    prepare(session)
    meet(session, "uuid:1", MET_AWA, BINTA)
    meet(session, "uuid:2", BINTA, deprecated_id="uuid:1")
    for instance_id in ("uuid:2", "uuid:1"):
        erase(session, instance_id, Keep(person=["sex"]))
        (left,) = session.scalars(select(PersonRecord))
        assert (left.reference, left.path, left.given_names) == (reference("uuid:1", 2), "/data/personnes[1]", None)
    digest = registry_digest(session)
    rebuild(session)
    assert registry_digest(session) == digest


def test_findings_of_an_erased_record_stay_without_the_answer(lived: Session) -> None:
    row = erase(lived, "uuid:5", Keep())
    findings = lived.scalars(select(SubmissionFinding).where(SubmissionFinding.submission_id == row.id)).all()
    assert row.state == "quarantined"
    assert {one.value for one in findings} == {None}


def test_what_people_decided_about_erased_values_is_erased_with_them(lived: Session) -> None:
    erase(lived, "uuid:a", Keep(entity=["urgence"]))
    (decision,) = lived.scalars(select(EntityDecision))
    assert (decision.value, [value for _key, value in decision.shown]) == ("", ["", ""])


def test_what_people_decided_about_retained_values_stays(lived: Session) -> None:
    erase(lived, "uuid:a", Keep(entity=["sexe"]))
    assert [one.value for one in lived.scalars(select(EntityDecision))] == ["9"]


def test_what_was_decided_about_a_record_stays_without_its_reason(lived: Session) -> None:
    row = erase(lived, "uuid:4", Keep())
    assert [(one.kind, one.reason) for one in row.decisions] == [("accept", "")]
    assert row.decision == "accept"


def test_the_names_of_files_go_with_them(lived: Session) -> None:
    row = lived.scalars(select(Submission).where(Submission.instance_id == "uuid:2")).one()
    row.attachments.append(SubmissionAttachment(name="Awa Ndiaye.jpg", expected=True))
    erase(lived, "uuid:2", Keep())
    assert (row.attachments, row.missing_files) == ([], 0)


def test_flat_answers_and_comments_go_with_the_record(lived: Session) -> None:
    row = lived.scalars(select(Submission).where(Submission.instance_id == "uuid:2")).one()
    actor = Actor(kind="user", display_name="awa", created_at=NOW)
    lived.add(actor)
    lived.flush()
    add_comment(lived, row.id, "Rappeler.", actor.id, NOW)
    kept = select(AnswerRow).where(AnswerRow.submission_id == row.id)
    assert lived.scalars(kept).all()
    erase(lived, "uuid:2", Keep())
    assert lived.scalars(kept).all() == lived.scalars(select(AnswerValue).filter_by(submission_id=row.id)).all() == []
    assert lived.scalar(select(SubmissionComment)) is None


def test_who_sends_another_record_under_the_name_of_an_erased_one_is_heard(lived: Session) -> None:
    """A tablet that was answered by a crash would keep its record for ever."""
    row = erase(lived, "uuid:2", Keep())
    twin = receive(lived, "uuid:2", people=[{"prenoms": "Fatou"}])
    assert (twin.kind, twin.submission_id == row.id) == ("twin", False)


def test_nothing_that_an_erased_record_said_stands_anywhere(session: Session) -> None:
    """Nor what was said of it: in no table, and in no form in which linkage and search keep names."""
    said = {"prenoms": "Xqwanda", "nom": "Zzylokamba", "lieu": "Qwexville", "mere": "Vvumeti", "numero": "QX9988776"}
    prepare(session)
    meet(session, "uuid:1", replace(MET_AWA, papier="passport", **said), BINTA)
    meet(session, "uuid:2", replace(MET_AWA, **said))
    row = session.scalars(select(Submission).where(Submission.instance_id == "uuid:1")).one()
    actor = Actor(kind="user", display_name="Modou", created_at=NOW)
    session.add(actor)
    session.flush()
    add_comment(session, row.id, "Xqwanda rappellera.", actor.id, NOW)
    accept(session, row, None, "Xqwanda l'a dit.", NOW)
    word, steward = Word(None, NOW, "Xqwanda l'a dit."), Viewer(1, "data_steward")
    set_golden_value(session, steward, reference("uuid:1"), "given_names", "Xqwandine", word)
    row.attachments.append(SubmissionAttachment(name="xqwanda.jpg", expected=True))
    words = [value.lower()[:7] for value in said.values()]
    assert {"submissions", "person_records", "link_identities", "decisions"} <= list_tables(session, words)
    for instance_id in ("uuid:1", "uuid:2"):
        erase(session, instance_id, Keep(person=["sex"]))
    assert list_tables(session, words) == set()


def list_tables(session: Session, words: list[str]) -> set[str]:
    """The tables in which one of these words stands."""
    tables = {table.name: str(session.execute(select(table)).all()).lower() for table in Base.metadata.sorted_tables}
    return {name for name, told in tables.items() if any(word in told for word in words)}
