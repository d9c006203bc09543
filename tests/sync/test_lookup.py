"""Looking for people among others: who is found, in which order, by whom."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.link_decisions import Word, decide_same
from sync.link_fold import fold_links, read_link_record
from sync.lookup import LISTED, Description, list_newest, look_up
from sync.models import LinkWord, PersonRecord
from sync.policy import Viewer
from tests.sync.factory import NOW, add_site
from tests.sync.people import AWA, add_alike, add_record

STEWARD = Viewer(1, "data_steward")


# What is typed, whose whole name it is, and whose it begins.
BEGINNINGS = {
    "ba": ({"Bâ", "Bah"}, {"Barry", "Baldé"}),
    "Fa": (set(), {"Faye", "Fall"}),
    "sy": ({"Sy"}, {"Sylla"}),
    "dia": (set(), {"Diallo", "Diarra"}),
    "di": (set(), {"Diallo", "Diarra"}),
    "so": ({"Sow"}, {"Soumaré"}),
    "nd": (set(), {"Ndiaye", "Ndao"}),
    "thi": (set(), {"Thiam"}),
    "samba ba": ({"Bâ", "Bah"}, {"Barry", "Baldé"}),
    "ba 40": ({"Bâ", "Bah"}, {"Barry", "Baldé"}),
}


def find(session: Session, viewer: Viewer = STEWARD, **asked: str) -> list[str]:
    return [one.record.reference for one in look_up(session, viewer, Description(**asked), NOW)]


@pytest.fixture
def people(session: Session) -> dict[str, PersonRecord]:
    return {
        "awa": add_record(session, **AWA, birth_date=date(1991, 4, 12), phone="771234567"),
        "sister": add_record(session, **AWA | {"given_names": "Adama"}, birth_date=date(1994, 1, 9)),
        "old": add_record(session, **AWA | {"mother_name": "Ndella Diouf"}, age=70),
        "moussa": add_record(session, given_names="Mamadou Moussa", family_name="Traoré", sex="1", age=20,
                             document_type="P", document_number="A1234567"),
    }  # fmt: skip


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"text": "Aua Njie 35"}, ["awa", "old"]),
        ({"text": "Ndiaye Awa", "mother": "ndela diuf"}, ["old", "awa"]),
        ({"text": "mama trao"}, ["moussa"]),
        ({"text": "moussa"}, ["moussa"]),
        ({"text": "77 123 45 67"}, ["awa"]),
        ({"text": "a1234567"}, ["moussa"]),
        ({"text": "A 1234567"}, ["moussa"]),
        ({"text": "Awa Njie ²"}, ["old", "awa"]),
        ({"mother": "Coumba Sarr"}, ["sister", "awa"]),
        ({"text": "nobody"}, []),
        ({"text": ""}, []),
    ],
    ids=["spelling and age", "mother", "parts", "second given name", "telephone", "document", "document with a gap",
         "sign that is no digit", "mother alone", "nobody", "nothing"],
)  # fmt: skip
def test_people_are_found_the_likeliest_first(
    session: Session, people: dict[str, PersonRecord], asked: dict[str, str], found: list[str]
) -> None:
    assert find(session, **asked)[: len(found) or None] == [people[name].reference for name in found]


@pytest.mark.both_databases
def test_all_names_that_begin_so_are_found(session: Session) -> None:
    named = [
        add_record(session, given_names="Moussa", family_name=name, age=20) for name in ("Traoré", "Trawally", "Tramé")
    ]
    assert set(find(session, text="tra")) == {one.reference for one in named}


@pytest.mark.both_databases
def test_two_or_three_letters_are_a_name_and_the_beginning_of_longer_ones(session: Session) -> None:
    names = ("Barry", "Baldé", "Bâ", "Bah", "Boye", "Faye", "Fall", "Sylla", "Sy", "Diallo", "Diarra", "Sow", "Soumaré",
             "Ndiaye", "Ndao", "Thiam", "Touré")  # fmt: skip
    known = {add_record(session, given_names="Samba", family_name=name, age=40).reference: name for name in names}
    found = {asked: [known[one] for one in find(session, text=asked)] for asked in BEGINNINGS}
    for asked, (whole, begun) in BEGINNINGS.items():
        first = found[asked][: len(whole) + len(begun)]
        assert (set(first[: len(whole)]), set(first[len(whole) :])) == (whole, begun), asked


def test_the_beginning_of_too_many_names_gives_the_newest_of_them(session: Session) -> None:
    add_alike(session, 4 * LISTED, given_names="Awa", family_name="Barry", age=70)
    newest = add_record(session, given_names="Awa", family_name="Baldé", age=30)
    hits = find(session, text="ba")
    assert (len(hits), newest.reference in hits) == (LISTED, True)


@pytest.mark.both_databases
def test_whoever_fits_best_comes_before_the_many_who_came_first(session: Session) -> None:
    add_alike(session, 4 * LISTED, **AWA, age=70)
    best = add_record(session, **AWA, age=32)
    assert find(session, text="awa ndiaye 32")[0] == best.reference


def test_a_person_is_found_once_and_by_each_reference(session: Session, people: dict[str, PersonRecord]) -> None:
    one, other = people["awa"], people["old"]
    decide_same(session, one.reference, other.reference, Word(None, NOW))
    assert (
        len(
            [hit for hit in look_up(session, STEWARD, Description("awa ndiaye"), NOW) if hit.person_id == one.person_id]
        )
        == 1
    )
    hits = [look_up(session, STEWARD, Description(record.reference), NOW) for record in (one, other)]
    assert {hit.person_id for (hit,) in hits} == {one.person_id}


@pytest.mark.both_databases
def test_a_person_shows_the_reference_of_the_first_record_however_they_are_found(
    session: Session, people: dict[str, PersonRecord]
) -> None:
    newest, first = people["awa"], people["old"]
    decide_same(session, newest.reference, first.reference, Word(None, NOW))
    for asked in ("awa ndiaye 35", "awa ndiaye 70", newest.reference, f"{first.reference} {newest.reference}"):
        hits = [hit for hit in look_up(session, STEWARD, Description(asked), NOW) if hit.person_id == first.home_id]
        assert [hit.reference for hit in hits] == [first.reference], asked


@pytest.mark.both_databases
def test_the_newest_persons_are_listed_once_each(session: Session, people: dict[str, PersonRecord]) -> None:
    decide_same(session, people["awa"].reference, people["old"].reference, Word(None, NOW))
    newest = list_newest(session, STEWARD)
    assert [one.record.id for one in newest] == [people[name].id for name in ("moussa", "old", "sister")]
    assert [one.reference for one in newest] == [people[name].reference for name in ("moussa", "old", "sister")]


def test_a_site_lists_its_newest_persons_by_its_own_records(session: Session) -> None:
    here, there = add_site(session).id, add_site(session, "DIA").id
    mine, far = add_record(session, **AWA, site_id=here), add_record(session, **AWA, site_id=there)
    decide_same(session, mine.reference, far.reference, Word(None, NOW))
    (found,) = list_newest(session, Viewer(1, "centre_staff", here))
    assert (found.record.id, found.reference) == (mine.id, mine.reference)
    assert (look_up(session, Viewer(1, "centre_staff", here), Description("awa ndiaye"), NOW)[0].reference) == (
        mine.reference
    )


def test_who_sees_names_masked_finds_by_reference_only(session: Session, people: dict[str, PersonRecord]) -> None:
    auditor = Viewer(1, "auditor")
    assert find(session, auditor, text="awa ndiaye") == find(session, auditor, text="771234567") == []
    assert find(session, auditor, text=people["awa"].reference) == [people["awa"].reference]


@pytest.mark.both_databases
def test_who_works_at_a_site_finds_its_people_only(session: Session) -> None:
    here, there = add_site(session).id, add_site(session, "DIA").id
    mine, _far = add_record(session, **AWA, site_id=here), add_record(session, **AWA, age=70, site_id=there)
    viewer = Viewer(1, "centre_staff", here)
    assert find(session, viewer, text="awa ndiaye") == [mine.reference]
    assert find(session, viewer, text=_far.reference) == []
    assert find(session, viewer, text="ndiaye") == find(session, viewer, text="aw ndia") == [mine.reference]


def test_a_record_that_an_edit_moved_is_found_at_its_new_site(session: Session) -> None:
    here, there = add_site(session).id, add_site(session, "DIA").id
    record = add_record(session, **AWA, site_id=there)
    record.site_id = here
    session.flush()
    fold_links(
        session.connection(), {record.home_id: record.reference}, {record.home_id: read_link_record(record)}, NOW
    )
    found = [find(session, Viewer(1, "centre_staff", site), text="awa ndiaye") for site in (here, there)]
    assert found == [[record.reference], []]


@pytest.mark.both_databases
def test_who_has_both_words_is_found_among_many_who_have_one(session: Session) -> None:
    both = [add_record(session, given_names="Awa", family_name="Sow", age=age) for age in (30, 31)]
    for age in range(30, 42):
        add_record(session, given_names="Awa", family_name="Barry", age=age)
        add_record(session, given_names="Moussa", family_name="Sow", age=age)
    for asked in ("awa sow", "sow awa 31", "aw so"):
        assert set(find(session, text=asked)[:2]) == {one.reference for one in both}, asked


def test_a_record_that_is_gone_leaves_no_word(session: Session, people: dict[str, PersonRecord]) -> None:
    gone = people["moussa"]
    fold_links(session.connection(), {gone.home_id: gone.reference}, {}, NOW)
    words = set(session.scalars(select(LinkWord.word)))
    assert ("nndj" in words or "nnj" in words, "ntrr" in words, "dA1234567" in words) == (True, False, False)


def test_before_any_record_came_nobody_is_found(session: Session) -> None:
    assert find(session, text="awa") == []
