"""A month at a post whose link comes for ten minutes a day, and breaks: what the centre knows then is what a server
knows that got the same submissions directly.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from forms.xlsform import read_form
from server.tablets.queue import Record
from sync.journal import read_journal, receive_journal
from sync.models import (
    Device,
    Entity,
    EntityContribution,
    EntityGround,
    PersonRecord,
    RelayedRecord,
    Submission,
    SubmissionAttachment,
)
from sync.policy import programme
from sync.publishing import FormFile, publish_form
from sync.quarantine import reject, replay
from tests.journeys.outposts import MONDAY, Officers, Outposts, outposts
from tests.journeys.relays import Chain, chain, digest
from tests.journeys.test_relay_words import erase, find

# Ten minutes at the worst of lines: what goes over it is counted in bytes.
TEN_MINUTES = 120_000
MIDDLE = 15
LITS = ("1", "2", "3", "4")
URGENT = next(one.form_id for one in programme().forms.values() if one.urgent and "centre" in one.site_kinds)
PERSON = """
| survey |
| | type | name | label | bind::teral:person |
| | end | end | | |
| | text | prenoms | Prénoms | given_names |
| | text | nom | Nom | family_name |
| | text | sexe | Sexe | sex |
| | date | naissance | Né le | birth_date |
| | text | lieu | Lieu de naissance | birth_place |
| | text | mere | Mère | mother_name |
| | image | photo | Photo | |
| settings |
| | form_id | version | form_title |
| | {form_id} | 1 | Une personne |
"""
MET = [
    dict(zip(("prenoms", "nom", "sexe", "naissance", "lieu", "mere"), one, strict=True))
    for one in (
        ("Awa", "Ndiaye", "2", "1994-05-17", "Podor", "Coumba Sarr"),
        ("Awa", "Ndiaay", "2", "1994-05-17", "Podoor", "Coumba Sarr"),
        ("Modou", "Faye", "1", "1988-11-02", "Fatick", "Ndella Diouf"),
        ("Binta", "Camara", "2", "2001-03-09", "Kindia", "Mariama Bangoura"),
    )
]


@pytest.fixture
def posts(tmp_path: Path, sqlite_template: Path) -> Iterator[Chain]:
    with chain(tmp_path, sqlite_template) as posts:
        publish_person_forms(posts.centre)
        posts.settle()
        yield posts


@pytest.fixture
def direct(tmp_path: Path, sqlite_template: Path) -> Iterator[Outposts]:
    folder = tmp_path / "direct"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "teral.db")
    with outposts(folder, "") as direct:
        direct.site(code="KLK"), direct.site(code="DKR")
        publish_person_forms(direct)
        yield direct


def publish_person_forms(place: Outposts) -> None:
    with place.looking() as session:
        for file in person_forms():
            publish_form(session, file, {}, None, MONDAY)


@cache
def person_forms() -> list[FormFile]:
    """Two forms about one person with a photograph, one of them urgent."""
    read = [read_form(PERSON.format(form_id=one).encode(), f"{one}.md") for one in ("personne", URGENT)]
    return [FormFile(one.xml, one.definition) for one in read]


@pytest.mark.parametrize("days", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_a_month_behind_a_bad_link_is_as_if_there_were_none(posts: Chain, direct: Outposts, days: int) -> None:
    rng = Random(days)
    behind = [posts.relay.tablet("KLK") for _ in range(2 if days > 2 else 1)]
    beside = posts.centre.tablet("DKR")
    for day in range(days):
        with posts.relay.at(MONDAY + timedelta(days=day)):
            meet_people(behind, day, rng)
            live_a_day([(posts.relay, behind), (posts.centre, [beside])], day, rng)
        decide(posts, find_first(behind), day)
        use_link(posts, rng)
    posts.line.left = None
    posts.settle()
    assert posts.line.cuts >= days
    check_all_came_once(posts)
    check_holds_its_own(posts)
    check_persons(posts, find_first(behind), days)
    send_directly(posts, direct, [*behind, beside], rng)
    assert digest(direct) == digest(posts.centre)


def live_a_day(shifts: list[tuple[Outposts, list[Officers]]], day: int, rng: Random) -> None:
    """Each tablet opens a stay and follows some of those that it has; in the evening all ring their own server."""
    for place, officers in shifts:
        for one in officers:
            one.now = MONDAY + timedelta(days=day, hours=rng.randint(0, 4))
            one.open_stay(f"{one.tablet.officer.site}-{day}", lit=rng.choice(LITS))
            for stay in sorted(one.rows())[:2]:
                one.follow(stay, **rng.choice([{"lit": rng.choice(LITS)}, {"urgence": str(rng.randint(0, 3))}]))
        stay = rng.choice(sorted(officers[0].rows()))
        if rng.random() < 0.3:
            # Somebody is taken to the other site, and goes on there.
            officers[0].follow(stay, site="DKR" if officers[0].tablet.officer.site == "KLK" else "KLK")
        place.meet(*officers)


def meet_people(behind: list[Officers], day: int, rng: Random) -> None:
    """Every third day two persons are met at the post, one of them in an urgent matter."""
    for number, form_id in enumerate(("personne", URGENT)):
        if day % 3 == 0:
            behind[number % len(behind)].fill(form_id, photo="", **rng.choice(MET))


def find_first(behind: list[Officers]) -> dict[str, Record]:
    """The first record of each form."""
    return {record.form_id: record for one in behind[::-1] for record in one.tablet.queue.records[::-1]}


def decide(posts: Chain, first: dict[str, Record], day: int) -> None:
    """In the middle of the month the centre rejects a person and an update, and erases another person."""
    if day == MIDDLE:
        posts.centre.decide(reject, first["personne"]), posts.centre.decide(reject, first["suivre"])
        erase(posts.centre, first[URGENT])
    elif day == MIDDLE + 5:
        posts.centre.decide(replay, first["suivre"])


def use_link(posts: Chain, rng: Random) -> None:
    """The link comes, loses what is on it at a random byte, comes again, and is gone in the middle of a byte stream."""
    left = rng.randint(TEN_MINUTES // 8, TEN_MINUTES)
    for _ in range(2):
        posts.line.left = rng.randint(1, left)
        left -= posts.line.left
        if "problem" not in posts.sync() or left <= 0:
            break
    posts.centre.settle()


def check_all_came_once(posts: Chain) -> None:
    names = select(Submission.form_id, Submission.instance_id).order_by(Submission.instance_id)
    with posts.relay.looking() as here:
        told = here.execute(names).all()
    with posts.centre.looking() as there:
        come = there.execute(names).all()
        assert [one for one in come if one in set(told)] == told
        assert len(told) < len(come) == len(set(come))
        relayed = select(func.count()).select_from(RelayedRecord)
        assert there.scalar(relayed) == len(told)
        assert there.scalar(relayed.where(RelayedRecord.submission_id.is_(None))) == 0


def check_persons(posts: Chain, first: dict[str, Record], days: int) -> None:
    """Both know the same persons, each with the photograph, and what the centre decided of them holds at the post."""
    people = select(PersonRecord.reference, PersonRecord.given_names, PersonRecord.family_name)
    files = select(SubmissionAttachment.name, SubmissionAttachment.blob_sha256, Submission.instance_id).join(Submission)
    files = files.where(SubmissionAttachment.blob_sha256.is_not(None))
    known = []
    for place in (posts.centre, posts.relay):
        with place.looking() as session:
            known.append([set(session.execute(query)) for query in (people, files)])
            assert [row.form_id for row in session.scalars(select(Submission)) if row.missing_files] == []
            if days > MIDDLE:
                assert find(session, first[URGENT]).xml == b""
                assert {form: find(session, one).state for form, one in first.items() if form != URGENT} == {
                    "personne": "rejected",
                    "suivre": "merged",
                    "ouvrir": "merged",
                }
    assert known[0] == known[1]
    # Of her whose record was rejected a photograph is there, of her whose record was erased that there was somebody.
    assert len(known[0][0]) == len(known[0][1]) == 2 * len(range(0, days, 3)) - (days > MIDDLE)


def check_holds_its_own(posts: Chain) -> None:
    """The post has the records of its own tablets, and says something only of stays that they wrote of or are given."""
    with posts.centre.looking() as there:
        given = there.scalars(select(Entity.uuid).where(Entity.site_code == "KLK", Entity.is_open)).all()
    with posts.relay.looking() as here:
        written = here.scalars(select(Entity.uuid).join(EntityContribution)).all()
        grounds = here.execute(select(Entity.uuid, EntityGround).join(EntityGround)).all()
        assert {uuid for uuid, ground in grounds if ground.label or ground.properties} <= set(given)
        assert set(here.scalars(select(Entity.uuid).where(Entity.label != ""))) <= {*given, *written}
        assert {one.site.code for one in here.scalars(select(Device))} == {"KLK"}
        assert here.scalar(select(func.count()).where(Submission.device_id.is_(None))) == 0


def send_directly(posts: Chain, direct: Outposts, officers: list[Officers], rng: Random) -> None:
    """The same records at a server without relays, in any order; it has the centre's journal, as every fresh one."""
    with posts.centre.looking() as there:
        journal = list(read_journal(there))
    with direct.looking() as session:
        receive_journal(session, journal, MONDAY)
    sent = [(one, record) for one in officers for record in one.tablet.queue.records]
    rng.shuffle(sent)
    stand_ins = {id(one): direct.tablet(one.tablet.officer.site).tablet for one in officers}
    for one, record in sent:
        stand_ins[id(one)].deliver(record)
        assert record.status == 201
    direct.settle()
