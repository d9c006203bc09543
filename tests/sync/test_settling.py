"""Families in the database: who belongs to one, and what becomes of its members when one more is judged."""

from dataclasses import replace
from itertools import permutations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.processing import process_pending
from sync.db import begin_write
from sync.link_decisions import Word, decide_same
from sync.models import PersonRecord, Submission
from sync.quarantine import reject
from sync.quarantine import replay as take_back
from sync.rebuilding import rebuild_registry
from sync.registry import Contribution, registry_digest
from sync.settling import find_related, settle_family
from tests.sync.factory import NOW, add_submission
from tests.sync.meetings import AWA, BINTA, MODOU, Met, meet, persons, prepare, reference
from tests.sync.test_registry import forget


def judged(session: Session, instance: str, **facts: object) -> Submission:
    row = add_submission(session, instance, **facts)
    row.processed_at = NOW
    session.flush()
    return row


def settle(session: Session, row: Submission) -> None:
    said = Contribution(row.id, row.form_id, row.instance_id, row.site_id, row.ended_at, (), ())
    settle_family(session, row, said, NOW)


def test_a_record_alone_has_no_family(session: Session) -> None:
    rows = [judged(session, "uuid:1"), judged(session, "uuid:2")]
    assert find_related(session, rows) == set()


@pytest.mark.both_databases
def test_twins_and_corrections_have_one(session: Session) -> None:
    first, original = judged(session, "uuid:1"), judged(session, "uuid:2")
    twin = judged(session, "uuid:1", twin_of_id=first.id, body=b"<other/>")
    edit = judged(session, "uuid:2b", deprecated_id="uuid:2")
    assert find_related(session, [first, original, twin, edit]) == {first.id, original.id, twin.id, edit.id}
    assert find_related(session, [original]) == {original.id}


def test_the_same_names_in_another_form_or_in_a_test_are_others(session: Session) -> None:
    original = judged(session, "uuid:1")
    judged(session, "uuid:1b", deprecated_id="uuid:1", form_id="other")
    settle(session, original)
    assert (original.state, original.superseded_by_id) == ("merged", None)


def test_a_correction_takes_the_place_of_its_original(session: Session) -> None:
    original = judged(session, "uuid:1")
    edit = judged(session, "uuid:1b", deprecated_id="uuid:1")
    settle(session, edit)
    assert (original.superseded_by_id, edit.state) == (edit.id, "merged")


def test_a_correction_of_what_has_not_come_is_held(session: Session) -> None:
    edit = judged(session, "uuid:1b", deprecated_id="uuid:1")
    settle(session, edit)
    assert (edit.state, edit.waits_for) == ("held", "uuid:1")


def test_who_counts_only_now_is_judged_anew(session: Session) -> None:
    first = judged(session, "uuid:1")
    twin = judged(session, "uuid:1", twin_of_id=first.id, body=b"<other/>")
    counting, other = sorted((first, twin), key=lambda one: one.xml_sha256)
    settle(session, other)
    assert (other.state, other.reason) == ("quarantined", "twin")
    assert counting.processed_at is None


BABY = replace(BINTA, prenoms="Ousmane", sexe="1", naissance="2019-03-03", telephone="")
# Two are taken out one after the other, one moves and is corrected, one comes back.
EDITS = (
    ("uuid:1", (AWA, BINTA, BABY), None),
    ("uuid:2", (BINTA, BABY), "uuid:1"),
    ("uuid:3", (replace(BABY, lieu="Labé"), MODOU), "uuid:2"),
    ("uuid:4", (MODOU, AWA, replace(BABY, lieu="Labé")), "uuid:3"),
)


def standing(session: Session) -> dict[str, str]:
    """The given names of those whom a record that counts tells of, by reference."""
    return {one.reference: one.given_names or "" for one in session.scalars(select(PersonRecord))}


def tell(session: Session, *edits: tuple[str, tuple[Met, ...], str | None]) -> None:
    for day, (name, people, replaces) in enumerate(edits):
        meet(session, name, *people, deprecated_id=replaces, day=EDITS.index(edits[day]))


def take_out(session: Session, instance_id: str, verb: object = reject) -> None:
    session.commit()
    begin_write(session)
    row = session.scalars(select(Submission).where(Submission.instance_id == instance_id)).one()
    verb(session, row, None, "vu avec le poste", NOW)  # type: ignore[operator]
    session.commit()
    process_pending()
    session.expire_all()


@pytest.mark.both_databases
def test_what_people_said_of_a_traveller_stays_with_them_when_an_edit_moves_them(session: Session) -> None:
    prepare(session)
    tell(session, EDITS[0])
    meet(session, "uuid:again", replace(BINTA, naissance="1991-01-01", mere="", nom="Baa"), day=3)
    decide_same(session, reference("uuid:1", 2), reference("uuid:again"), Word(None, NOW, "vu"))
    tell(session, EDITS[1])
    assert standing(session)[reference("uuid:1", 2)] == "Binta"
    assert persons(session) == {
        frozenset({reference("uuid:1", 2), reference("uuid:again")}),
        frozenset({reference("uuid:1", 3)}),
    }


def test_each_keeps_their_reference_through_edits_of_edits(session: Session) -> None:
    prepare(session)
    tell(session, *EDITS)
    turns = {1: "Awa", 3: "Ousmane", 4: "Modou"}
    assert standing(session) == {reference("uuid:1", turn): name for turn, name in turns.items()}


@pytest.mark.both_databases(postgresql="slow")
def test_edits_of_edits_give_one_registry_in_any_order_and_told_anew(session: Session) -> None:
    prepare(session)
    digests = set()
    for order in list(permutations(EDITS))[::5]:
        forget(session)
        tell(session, *order)
        digests.add(registry_digest(session))
    session.commit()
    begin_write(session)
    rebuild_registry(session, attachment_store(), {}, NOW)
    session.commit()
    assert digests == {registry_digest(session)}


def test_a_rejected_edit_is_a_version_all_the_same(session: Session) -> None:
    prepare(session)
    tell(session, *EDITS)
    whole = registry_digest(session)
    take_out(session, "uuid:2")
    assert registry_digest(session) == whole
    take_out(session, "uuid:4")
    assert standing(session) == {reference("uuid:1", 3): "Ousmane", reference("uuid:1", 4): "Modou"}
    take_out(session, "uuid:4", take_back)
    assert registry_digest(session) == whole


def test_a_twin_of_the_first_that_comes_late_moves_whom_it_names(session: Session) -> None:
    """Who counts was folded already: it is told anew, as where the twin came first."""
    prepare(session)
    twins = [("uuid:1", (AWA, BINTA), None), ("uuid:1", (BINTA, AWA), None)]
    digests = set()
    for order in (twins, twins[::-1]):
        forget(session)
        meet(session, order[0][0], *order[0][1])
        meet(session, "uuid:2", BINTA, deprecated_id="uuid:1")
        meet(session, order[1][0], *order[1][1])
        digests.add(registry_digest(session))
    assert len(digests) == 1
