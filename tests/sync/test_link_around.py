"""What is decided together, and who is a rival: the fold comes to what deciding everybody from scratch comes to."""

import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from benchmarks.regional.recording import make_records
from sync.link_decisions import Word, decide_apart, decide_same
from sync.link_fold import fold_links, link_some, read_link_record
from sync.link_models import list_linkings
from sync.link_runs import run_model
from sync.linkage.blocking import find_candidates, find_keys
from sync.linkage.component import decide_all
from sync.linkage.decision import LARGEST, Rules, Verdict
from sync.linkage.judging import judge_pair
from sync.linkage.model import default_model
from sync.linkage.record import LinkRecord, parse_record
from sync.linkage.score import Scorer
from sync.models import LinkChange, LinkProgress, LinkQuestion, Person, PersonRecord
from tests.sync.factory import NOW, add_site
from tests.sync.linkage.one_by_one import weigh_one_by_one
from tests.sync.people import add_alike, add_record

MOUSSA = {"given_names": "Moussa", "family_name": "Sissoko", "sex": "1", "nationality": "SEN"}


def describe(row: dict[str, str]) -> dict[str, object]:
    read = parse_record(row)
    texts = ("family_name", "mother_name", "birth_place", "phone", "document_type", "document_number", "nationality")
    told = {name: getattr(read, name)[:16] if name == "document_type" else getattr(read, name) for name in texts}
    told |= {"given_names": read.given_name, "sex": read.sex, "birth_date": read.birth_date, "age": read.age}
    assert read.recorded_on is not None
    return {**told, "hours": 24 * (NOW.date() - read.recorded_on).days}


def decide_from_scratch(session: Session, said: Sequence[Verdict]) -> set[frozenset[str]]:
    """The persons of all records, with nothing that was found before."""
    records: list[LinkRecord] = [read_link_record(one) for one in session.scalars(select(PersonRecord))]
    model = list_linkings(session.connection(), NOW)[0].model
    read, scorer = [model.cleaner.clean(one) for one in records], Scorer(model, len(records))
    met = find_candidates([find_keys(one, model.too_common) for one in read])
    visits = [one.visit for one in records]
    pairs = [
        judge_pair(scorer, read[one], read[other], one_visit=visits[one] == visits[other] is not None)
        for one, other in met
    ]
    rules = Rules(model.link_at, model.review_at)
    decided, _ = decide_all([one.record_id for one in records], pairs, rules, said)
    return set(map(frozenset, decided.persons))


def read_persons(session: Session) -> set[frozenset[str]]:
    """The persons that the registry holds, by references."""
    persons: dict[int, set[str]] = {}
    for person, reference in session.execute(
        select(PersonRecord.person_id, Person.reference).join(Person, Person.id == PersonRecord.home_id)
    ):
        persons.setdefault(person, set()).add(reference)
    return set(map(frozenset, persons.values()))


def take_out(session: Session, one: PersonRecord) -> None:
    gone = {one.home_id: one.reference}
    session.execute(delete(PersonRecord).where(PersonRecord.id == one.id))
    fold_links(session.connection(), gone, {}, NOW)
    session.expire_all()


def judge(session: Session, dice: random.Random, records: Sequence[PersonRecord], count: int) -> list[Verdict]:
    """Let people answer so many open questions, one in three the other way than most would."""
    said = []
    reference_of = {one.home_id: one.reference for one in records}
    open_now = session.execute(select(LinkQuestion.one_id, LinkQuestion.other_id).order_by(LinkQuestion.bits)).all()
    for one, other in dice.sample(open_now, min(count, len(open_now))):
        ends, same = (reference_of[one], reference_of[other]), dice.random() < 0.3
        (decide_same if same else decide_apart)(session, *ends, Word(None, NOW))
        said.append(Verdict(*ends, same))
    return said


@pytest.fixture
def linked(session: Session) -> tuple[PersonRecord, PersonRecord]:
    one = add_record(session, **MOUSSA, birth_date=date(2006, 2, 7), mother_name="Fatou Kanouté")
    other = add_record(session, **MOUSSA, birth_date=date(2007, 2, 7), mother_name="Fatou Kanouté")
    assert one.person_id == other.person_id
    return one, other


def add_rival(session: Session) -> PersonRecord:
    """He weighs too little to be linked to either, and enough to be the one whom one of the two is."""
    rival = {"given_names": "SISSOKO", "family_name": "MOUSA", "sex": "1", "nationality": "SEN"}
    return add_record(session, **rival, birth_date=date(2006, 9, 7), birth_place="SAINT-LOUIS")


@pytest.mark.both_databases
def test_a_late_rival_turns_a_link_into_a_question_and_takes_it_back_when_he_goes(
    session: Session, linked: tuple[PersonRecord, PersonRecord]
) -> None:
    changes = select(LinkChange.cause).order_by(LinkChange.id.desc())
    rival = add_rival(session)
    assert len({one.person_id for one in (*linked, rival)}) == 3
    assert "margin" in session.scalars(select(LinkQuestion.reason)).all()
    assert session.scalars(changes).first() == "record"
    before = len(session.scalars(changes).all())
    take_out(session, rival)
    assert linked[0].person_id == linked[1].person_id
    assert session.scalars(select(LinkQuestion.one_id)).all() == []
    assert len(session.scalars(changes).all()) == before + 1


@pytest.mark.both_databases
def test_whom_people_have_kept_apart_is_no_rival_until_another_says_the_same(
    session: Session, linked: tuple[PersonRecord, PersonRecord]
) -> None:
    rival = add_rival(session)
    for one in linked:
        decide_apart(session, one.reference, rival.reference, Word(None, NOW))
    session.expire_all()
    assert linked[0].person_id == linked[1].person_id != rival.person_id
    twin = add_rival(session)
    session.expire_all()
    assert linked[0].person_id != linked[1].person_id
    take_out(session, twin)
    assert linked[0].person_id == linked[1].person_id


@pytest.mark.both_databases
def test_who_is_outside_is_told_from_who_is_here(session: Session, linked: tuple[PersonRecord, PersonRecord]) -> None:
    """Of two who say the same, people brought one here, and kept the linked ones from him. The other is a rival."""
    here = add_record(session, **MOUSSA, birth_date=date(2005, 2, 7), mother_name="Fatou Kanouté")
    known = {**MOUSSA, "birth_date": date(2006, 1, 1)}
    brought = add_record(session, **known)
    said = [Verdict(brought.reference, here.reference, same=True)]
    decide_same(session, brought.reference, here.reference, Word(None, NOW))
    for one in linked:
        decide_apart(session, one.reference, brought.reference, Word(None, NOW))
        said.append(Verdict(one.reference, brought.reference, same=False))
    session.expire_all()
    assert linked[0].person_id == linked[1].person_id
    add_record(session, **known)
    session.expire_all()
    assert linked[0].person_id != linked[1].person_id
    assert read_persons(session) == decide_from_scratch(session, said)


@pytest.mark.both_databases(postgresql="slow")
def test_one_of_a_crowd_may_be_one_person_with_a_record_that_says_something_else(session: Session) -> None:
    """Of a crowd that is too large only those who are linked are read, and with them whoever they are linked to."""
    other = add_record(session, given_names="Khady", family_name="Fall", sex="2", hours=50)
    crowd = {**MOUSSA, "birth_date": date(2006, 2, 7)}
    add_alike(session, LARGEST - 1, **crowd)
    one = session.scalars(select(PersonRecord).where(PersonRecord.home_id != other.home_id).limit(1)).one()
    decide_same(session, other.reference, one.reference, Word(None, NOW))
    for _ in range(2):
        add_record(session, **crowd)
    assert one.person_id == other.person_id
    session.execute(update(LinkProgress).values(decided_to=other.home_id, cause="model"))
    while link_some(session, NOW):
        session.flush()
    session.expire_all()
    assert one.person_id == other.person_id


@pytest.mark.both_databases(postgresql="slow")
@pytest.mark.parametrize(
    ("seed", "count"), [(1, 150), *(pytest.param(*one, marks=pytest.mark.slow) for one in ((2, 400), (3, 1100)))]
)
def test_records_that_come_and_go_are_linked_as_all_from_scratch(
    session: Session, tmp_path: Path, seed: int, count: int
) -> None:
    dice = random.Random(seed)
    rows, _ = make_records(count, seed)
    # Some say the same as others, and people know of some what no weight tells.
    rows += dice.sample(rows, count // 5)
    dice.shuffle(rows)
    sites = {code: add_site(session, code).id for code in sorted({row["post"] for row in rows})}
    records = [add_record(session, site_id=sites[row["post"]], **describe(row)) for row in rows[: count // 2]]
    said = judge(session, dice, records, count // 20)
    records += [add_record(session, site_id=sites[row["post"]], **describe(row)) for row in rows[count // 2 :]]
    said += judge(session, dice, records, count // 20)
    known = {frozenset((one.one, one.other)) for one in said}
    people = dice.sample([one.reference for one in records], count // 20 * 2)
    for one, other in zip(people[::2], people[1::2], strict=True):
        if {one, other} not in known:
            decide_same(session, one, other, Word(None, NOW))
            said.append(Verdict(one, other, same=True))
    for one in dice.sample(records, count // 10):
        take_out(session, one)
    while link_some(session, NOW):
        session.flush()
    held = read_persons(session)
    assert held == decide_from_scratch(session, said)
    assert any(len(person) > 1 for person in held)
    assert session.scalar(select(LinkQuestion.one_id).where(LinkQuestion.reason == "margin").limit(1))
    run = run_model(session, default_model(), weigh_one_by_one, tmp_path)
    assert (run.joined, run.parted, run.overlooked) == (0, 0, [])
