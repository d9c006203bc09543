"""Head-counts from real records: events and arrivals as the shipped forms make them, in any order."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from server.tablets.filler import Filled, Told
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.models import AuditEvent, Device, Submission
from sync.policy import Viewer
from sync.programme.headcount_rows import (
    HeadcountRefused,
    explain_gap,
    find_headcount,
    list_arrivals,
    list_explanations,
    list_headcounts,
    list_open_gaps,
    withdraw_explanations,
)
from sync.publishing import publish_form
from sync.quarantine import accept, reject
from sync.settings import change_setting
from tests.library_fills import EVENT, NOW, fill_as_told
from tests.plans import watched_scans
from tests.seed import shipped_form
from tests.sync.factory import add_device, add_site
from tests.sync.test_processing import settle

LATER = NOW + timedelta(days=5)
COUNTS = {"vivants_femmes": "2", "vivants_hommes": "3", "vivants_filles": "1", "vivants_garcons": "0"}
SAVED = {"action": "nouveau", **COUNTS, "blesses": "0", "morts": "1", "disparus": "2", "site_debarq": "CADKR"}


@dataclass(frozen=True)
class Sent:
    """A record on its way."""

    form_id: str
    instance_id: str
    xml: bytes
    deprecated_id: str | None = None


def sent(form_id: str, filled: Filled, deprecated_id: str | None = None) -> Sent:
    assert filled.problems == []
    return Sent(form_id, filled.instance_id, filled.xml, deprecated_id)


def an_event(seed: int = 1, **told: str) -> Sent:
    """An event with six living people, under the id that arrivals name."""
    filled = fill_as_told("f03_evenement", {**SAVED, **told}, seed=seed)
    own = filled.root.findtext("evt_id") or ""
    return Sent("f03_evenement", filled.instance_id, filled.xml.replace(own.encode(), EVENT.encode()))


def news(seed: int, **told: str) -> Sent:
    """What came of the event."""
    answers = {"action": "suite", "existant": EVENT, "clore": "non", **told}
    return sent("f03_evenement", fill_as_told("f03_evenement", answers, seed=seed))


def arrivals(seed: int, people: int) -> Sent:
    told: Told = {"venue": "debarquement", "evt": EVENT, "personnes": [{} for _ in range(people)]}
    return sent("f04_arrivee", fill_as_told("f04_arrivee", told, seed=seed))


def corrected(one: Sent, instance_id: str, people: int) -> Sent:
    """An edit that leaves the first so many people of a record."""
    head, *persons = one.xml.decode().split("<personnes>")
    tail = persons[-1].partition("</personnes>")[2]
    kept = "".join(f"<personnes>{person.partition('</personnes>')[0]}</personnes>" for person in persons[:people])
    edited = (head + kept + tail).replace(one.instance_id, instance_id)
    replaces = f"<deprecatedID>{one.instance_id}</deprecatedID></meta></data>"
    return Sent(one.form_id, instance_id, edited.replace("</meta></data>", replaces).encode(), one.instance_id)


def deliver(session: Session, *records: Sent) -> None:
    device = session.scalars(select(Device)).one()
    for one in records:
        version = one.xml.decode().partition('version="')[2].partition('"')[0]
        record = IncomingRecord(one.form_id, version, one.instance_id, one.deprecated_id, ())
        upload = Upload(one.xml, sha256(one.xml).hexdigest(), (), False)
        receive_submission(session, record, upload, Sender(device_id=device.id, site_id=device.site_id), NOW)
    settle(session)


@pytest.fixture
def centre(session: Session) -> int:
    """The two forms, a patrol, and a centre with a tablet; the centre's id."""
    for form_id in ("f03_evenement", "f04_arrivee"):
        publish_form(session, shipped_form(form_id), {}, None, NOW)
    add_site(session, "FLEUVE", kind="mobile_patrol", region="SN-SL")
    site = add_site(session, "CADKR", name="Dakar", kind="centre")
    add_device(session, site)
    session.commit()
    return site.id


def gaps(session: Session, now: datetime = LATER) -> list[int | None]:
    return [one.gap for one in list_open_gaps(session, None, now)]


def supervisor(site_id: int | None) -> Viewer:
    return Viewer(1, "site_supervisor", site_id)


def refuse(session: Session, one: Sent) -> None:
    row = session.scalars(select(Submission).where(Submission.instance_id == one.instance_id)).one()
    reject(session, row, None, "Saisi pour un essai", NOW)
    settle(session)


@pytest.mark.both_databases
def test_an_event_is_open_until_all_its_living_are_accounted_for(session: Session, centre: int) -> None:
    deliver(session, an_event(), arrivals(2, 3))
    [one] = list_open_gaps(session, None, LATER)
    assert (one.kind, one.site_code, one.living, one.arrivals, one.gap) == (one.kind, "CADKR", 6, 3, 3)
    assert (one.dead, one.missing) == (1, 2)
    deliver(session, arrivals(3, 1), news(4, changements="ailleurs refus", n_ailleurs="1", n_refus="1"))
    assert gaps(session) == []
    assert [one.state for one in list_headcounts(session, None, LATER)] == ["closed"]


def test_a_gap_waits_for_arrivals_as_long_as_the_setting_says(session: Session, centre: int) -> None:
    deliver(session, an_event())
    assert (gaps(session, NOW + timedelta(hours=47)), gaps(session, NOW + timedelta(hours=49))) == ([], [6])
    change_setting(session, "headcount_hours", "12", None, NOW)
    assert gaps(session, NOW + timedelta(hours=13)) == [6]


def test_arrivals_may_come_before_their_event(session: Session, centre: int) -> None:
    deliver(session, arrivals(2, 6))
    assert list_headcounts(session, None, LATER) == []
    deliver(session, an_event())
    assert [one.state for one in list_headcounts(session, None, LATER)] == ["closed"]


def test_a_record_in_quarantine_counts_once_it_is_accepted(session: Session, centre: int) -> None:
    sound = arrivals(2, 6)
    wrong = Sent(sound.form_id, sound.instance_id, re.sub(rb"<notice_ok>\w+", b"<notice_ok>peut_etre", sound.xml))
    deliver(session, an_event(), wrong)
    assert gaps(session) == [6]
    row = session.scalars(select(Submission).where(Submission.instance_id == wrong.instance_id)).one()
    assert row.state == "quarantined"
    accept(session, row, None, "Vu avec le centre", NOW)
    settle(session)
    assert gaps(session) == []


def test_a_rejected_arrival_counts_no_more(session: Session, centre: int) -> None:
    first, second = arrivals(2, 4), arrivals(3, 2)
    deliver(session, an_event(), first, second)
    assert gaps(session) == []
    refuse(session, second)
    assert gaps(session) == [2]


def test_a_rejected_event_asks_for_nobody(session: Session, centre: int) -> None:
    event = an_event()
    deliver(session, event, arrivals(2, 3))
    refuse(session, event)
    assert list_headcounts(session, None, LATER) == []


def test_a_correction_counts_in_place_of_what_it_corrects(session: Session, centre: int) -> None:
    first = arrivals(2, 6)
    deliver(session, an_event(), first)
    assert gaps(session) == []
    deliver(session, corrected(first, "uuid:0c0c0c0c-0000-4000-8000-000000000001", 4))
    assert gaps(session) == [2]


def history() -> list[Sent]:
    """Six living: two of one record, three of one that is corrected to two, a twin, and one who is elsewhere."""
    first, second = arrivals(2, 2), arrivals(3, 3)
    twin = Sent(first.form_id, first.instance_id, first.xml.replace(b"<username>", b"<username>autre "))
    edit = corrected(second, "uuid:0c0c0c0c-0000-4000-8000-000000000002", 2)
    return [an_event(), first, twin, second, edit, news(4, changements="ailleurs", n_ailleurs="1"), first]


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_any_order_of_arrival_gives_the_same_count(session: Session, centre: int, seed: int) -> None:
    records = history()
    Random(seed).shuffle(records)
    for one in records:
        deliver(session, one)
    [standing] = list_headcounts(session, None, LATER)
    assert (standing.count.numbers, standing.count.gap, standing.state) == ("6 4 1 0", 1, "open")


def test_a_supervisor_explains_a_gap_until_the_numbers_change(session: Session, centre: int) -> None:
    deliver(session, an_event(), arrivals(2, 5))
    [count] = list_open_gaps(session, None, LATER)
    explain_gap(session, count, count.numbers, "Une personne est repartie avec sa famille.", None, LATER)
    session.commit()
    assert gaps(session) == []
    assert [one.reason for one in list_explanations(session, EVENT)] == ["Une personne est repartie avec sa famille."]
    deliver(session, arrivals(3, 2))
    assert gaps(session) == [-1]


def test_an_explanation_can_be_withdrawn(session: Session, centre: int) -> None:
    deliver(session, an_event(), arrivals(2, 5))
    [count] = list_open_gaps(session, None, LATER)
    explain_gap(session, count, count.numbers, "Une personne est repartie.", None, LATER)
    withdraw_explanations(session, count, None, LATER)
    session.commit()
    assert gaps(session) == [1]
    acts = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert acts[-2:] == ["headcount.explained", "headcount.reopened"]


@pytest.mark.parametrize(
    ("shown", "reason", "code"),
    [
        pytest.param("6 5 0 0", "  court  ", "headcount_reason", id="too short"),
        pytest.param("6 5 0 0", "x" * 1001, "headcount_reason", id="too long"),
        pytest.param("6 4 0 0", "Une personne est repartie.", "headcount_moved", id="other numbers"),
    ],
)
def test_an_explanation_is_a_reason_for_what_was_shown(
    session: Session, centre: int, shown: str, reason: str, code: str
) -> None:
    deliver(session, an_event(), arrivals(2, 5))
    [count] = list_open_gaps(session, None, LATER)
    with pytest.raises(HeadcountRefused) as refused:
        explain_gap(session, count, shown, reason, None, LATER)
    assert (refused.value.code, list_explanations(session, EVENT)) == (code, [])


def test_a_count_that_closes_needs_no_explanation(session: Session, centre: int) -> None:
    deliver(session, an_event(), arrivals(2, 6))
    [standing] = list_headcounts(session, None, LATER)
    with pytest.raises(HeadcountRefused) as refused:
        explain_gap(session, standing.count, standing.count.numbers, "Tout le monde est là.", None, LATER)
    assert refused.value.code == "headcount_closes"


def test_a_supervisor_sees_the_events_of_their_site_alone(session: Session, centre: int) -> None:
    deliver(session, an_event(), arrivals(2, 5))
    other = add_site(session, "CASTL", kind="centre").id
    assert [len(list_headcounts(session, supervisor(at), LATER)) for at in (centre, other, None)] == [1, 0, 0]
    assert find_headcount(session, supervisor(other), EVENT, LATER) is None
    assert find_headcount(session, Viewer(1, "administrator"), EVENT, LATER) is None


def test_arrivals_are_listed_as_far_as_their_reader_may_know(session: Session, centre: int) -> None:
    deliver(session, an_event(), arrivals(2, 4), arrivals(3, 1))
    assert sorted(one.stays for one in list_arrivals(session, supervisor(centre), EVENT)) == [1, 4]
    other = add_site(session, "CASTL", kind="centre").id
    assert list_arrivals(session, supervisor(other), EVENT) == []


def test_two_counts_of_the_living_are_a_question(session: Session, centre: int) -> None:
    fewer = {**COUNTS, "vivants_femmes": "1"}
    more = {**COUNTS, "vivants_femmes": "4"}
    deliver(session, an_event(), news(4, changements="vivants", **fewer), news(5, changements="vivants", **more))
    [standing] = list_headcounts(session, None, LATER)
    assert standing.count.disputed


def test_counting_reads_no_list_from_one_end_to_the_other(session: Session, centre: int) -> None:
    deliver(session, an_event(), arrivals(2, 5))
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    with watched_scans(engine, "entities") as scans:
        list_headcounts(session, None, LATER)
        list_arrivals(session, supervisor(centre), EVENT)
    assert scans == []
