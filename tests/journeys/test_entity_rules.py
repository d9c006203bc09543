"""ODK Central's rules for entities, one story each: where we do as Central does, and where we knowingly do better.

Central's rules are those of its entity worker (central-backend, lib/model/query/entities.js) and of its
documentation. Every story is told by tablets that behave as Collect, and read from a tablet and from the registry.
"""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from forms.xlsform import read_form
from server.tablets.tablet import Tablet
from sync.entity_acts import change_entity, delete_entity, restore_entity
from sync.entity_decisions import conflict_token, decide_conflict
from sync.models import Entity, EntityConflict, Submission
from sync.publishing import FormFile, add_draft
from sync.quarantine import accept, reject, replay
from tests.journeys.outposts import FORMS, Officers, Outposts

NOBODY = "5f0c1f3e-1d2a-4b6c-8d3e-00000000dead"


def conflicts(place: Outposts, stay: str) -> dict[str, set[str]]:
    """The open conflicts of an entity, with the values between which a person must choose."""
    with place.looking() as session:
        found = session.scalars(select(EntityConflict).join(Entity).where(Entity.uuid == stay))
        return {one.property_name: {value for _key, value in one.candidates} for one in found}


def choose(place: Outposts, stay: str, name: str, value: str) -> None:
    with place.looking() as session:
        entity = session.scalars(select(Entity).where(Entity.uuid == stay)).one()
        token = conflict_token(session.get_one(EntityConflict, (entity.id, name)))
        decide_conflict(session, entity, name, value, token, actor_id=None, now=datetime.now(UTC))


def hold_back(*records: object) -> None:
    """Records whose sending failed: they lie on the tablet still."""
    for one in records:
        one.state = "sent"  # type: ignore[attr-defined]


def let_go(*records: object) -> None:
    for one in records:
        one.state = "finalised"  # type: ignore[attr-defined]


def test_rule_1_records_of_a_draft_touch_no_entity(place: Outposts, a: Officers) -> None:
    """As Central: a form's draft is for tests, and what is sent to it stays apart."""
    stay = place.share("KLK-1", a)
    read = read_form((FORMS / "suivre.md").read_bytes(), "suivre.md")
    with place.looking() as session:
        token = add_draft(session, FormFile(read.xml, read.definition), {}, datetime.now(UTC)).draft_token
    record = a.follow(stay, lit="9")
    real = a.tablet
    test = f"{place.url}/v1/test/{token}/projects/1/forms/suivre/draft"
    Tablet(test, real.client, real.officer, real.queue).send()
    place.settle()
    assert (record.state, place.entity(stay).properties["lit"], place.entity(stay).version) == ("sent", "1", 1)


def test_rule_1_an_edit_says_anew_what_its_submission_said(place: Outposts, a: Officers) -> None:
    """Better. Central takes nothing of an edit once the submission has made an entity version: the entity stays wrong.

    (An encrypted record, from which Central takes nothing at all, is opened here: tests/sync/test_sealing.py.)
    """
    a.open_stay("KLK-1", lit="1")
    [record] = a.tablet.queue.records
    place.meet(a)
    [stay] = a.rows()
    a.edit(record, lit="2")
    place.meet(a)
    assert (place.entity(stay).properties["lit"], a.sees(stay, "lit")) == ("2", ("2",))


def test_rule_2_a_record_with_one_bad_entity_applies_none_and_waits_for_a_person(place: Outposts, a: Officers) -> None:
    """Better. As in Central nothing of such a record is applied; there it is an entry in a log, here a task.

    A supervisor sees it in quarantine with the reason, and it can be repaired or accepted.
    """
    stays = [a.open_stay(f"KLK-{number}", lit="1") for number in range(2)]
    place.meet(a)
    record = a.fill("tournee", choisis=" ".join(stays), chacun=[{"lit": "A"}, {"lit": "B"}])
    record.xml = record.xml.replace(f' id="{stays[1]}"'.encode(), b' id="KLK-1"')
    place.meet(a)
    assert place.state(record) == "quarantined"
    assert [place.entity(stay).properties["lit"] for stay in stays] == ["1", "1"]
    place.decide(accept, record)
    assert [place.entity(stay).properties["lit"] for stay in stays] == ["A", "1"]


def test_rule_2_a_record_that_names_another_list_than_its_form_is_held(place: Outposts, a: Officers) -> None:
    """Better, as above: Central logs that there is no such dataset."""
    stay = place.share("KLK-1", a)
    record = a.follow(stay, lit="9")
    record.xml = record.xml.replace(b'dataset="dossiers"', b'dataset="materiels"')
    place.meet(a)
    assert (place.state(record), place.entity(stay).properties["lit"]) == ("quarantined", "1")


def test_rule_3_what_one_record_creates_and_updates_is_approved_together(place: Outposts, a: Officers) -> None:
    """Better. In an approval list Central updates at once and loses the creation of the same record (central#1887).

    Here a person's word is about the record: rejected, it makes nothing; taken back, it makes everything.
    """
    day = datetime.now(UTC).date().isoformat()
    site = a.tablet.officer.site
    record = a.fill("debarquer", nom="Pirogue", date=day, site=site, personnes=[{"ref": "P-1"}, {"ref": "P-2"}])
    place.meet(a)
    assert len(a.rows()) == 2
    place.decide(reject, record)
    assert a.refresh().rows() == {}
    place.decide(replay, record)
    assert sorted(row.label for row in a.refresh().rows().values()) == ["P-1", "P-2"]


def test_rule_4_an_upsert_updates_what_is_there_and_creates_what_is_not(
    place: Outposts, a: Officers, b: Officers
) -> None:
    """As Central."""
    a.fill("inscrire", ref="KLK-1", lit="1", site=a.tablet.officer.site)
    place.meet(a, b)
    [stay] = b.rows()
    b.fill("inscrire", dossier=stay, ref="KLK-1", lit="2")
    place.meet(b, a)
    assert a.sees(stay, "version", "lit", "etat") == (2, "2", "arrive")


def test_rule_4_two_creations_of_one_id_are_both_kept(place: Outposts, a: Officers, b: Officers) -> None:
    """Better. Central refuses the second creation with an error, and what it said is in no list.

    Both are facts here: they are concurrent, merged by the policy of each property, in any order of arrival.
    """
    stay = a.open_stay("KLK-1", lit="1")
    record = b.sleep().fill("ouvrir", ref="KLK-1", lit="2", site=b.tablet.officer.site)
    [twin] = b.rows()
    record.xml = record.xml.replace(twin.encode(), stay.encode())
    place.meet(b, a)
    assert (place.entity(stay).label, place.entity(stay).properties["lit"]) == ("KLK-1", "2")
    assert place.state(record) == "merged"


def test_rule_4_a_deleted_entity_stays_deleted_and_what_tablets_say_is_kept(place: Outposts, a: Officers) -> None:
    """Better. Central answers an update of a deleted entity with an error and forgets it; restored, it lacks it."""
    stay = place.share("KLK-1", a)
    with place.looking() as session:
        delete_entity(session, "dossiers", stay, None, datetime.now(UTC))
    record = a.follow(stay, lit="2")
    place.meet(a)
    assert (stay in a.rows(), place.state(record)) == (False, "merged")
    with place.looking() as session:
        restore_entity(session, "dossiers", stay, None, datetime.now(UTC))
    assert a.refresh().sees(stay, "lit") == ("2",)


def test_rule_5_an_offline_chain_is_applied_in_its_order_whatever_the_order_of_arrival(
    place: Outposts, a: Officers, b: Officers
) -> None:
    """As Central: what comes early waits for what its tablet made before it, and is released in order."""
    stay = a.open_stay("KLK-1", lit="1")
    [created] = a.tablet.queue.records
    first, second, third = (a.follow(stay, lit=lit) for lit in ("2", "3", "4"))
    hold_back(created, first, second, third)
    for record, waiting in ((third, 1), (first, 2), (second, 3)):
        let_go(record)
        a.sync()
        place.settle()
        assert len(place.waits(stay)) == waiting
    let_go(created)
    place.meet(a, b)
    assert (place.waits(stay), place.entity(stay).version) == ([], 4)
    assert a.sees(stay, "version", "lit") == b.sees(stay, "version", "lit") == (4, "4")


def test_rule_5_after_days_what_waits_is_applied_and_folded_anew_when_the_missing_one_comes(
    place: Outposts, a: Officers, b: Officers
) -> None:
    """Better. Central forces it on top of the latest version; the late one then overwrites what came after it."""
    stay = place.share("KLK-1", a, b)
    late = a.follow(stay, lit="2")
    a.follow(stay, lit="3")
    hold_back(late)
    place.meet(a)
    place.force()
    assert b.refresh().sees(stay, "lit") == ("3",)
    let_go(late)
    place.meet(a, b)
    assert a.sees(stay, "lit") == b.sees(stay, "lit") == ("3",)


def test_rule_5_a_creation_that_comes_after_its_forced_update_is_before_it(
    place: Outposts, a: Officers, b: Officers
) -> None:
    """Better. Central makes an entity with the label "auto generated", and the late creation then overwrites it."""
    stay = a.open_stay("KLK-1", lit="1")
    [created] = a.tablet.queue.records
    a.follow(stay, lit="2", etat="transfere")
    hold_back(created)
    a.sync()
    place.settle()
    place.force()
    let_go(created)
    place.meet(a, b)
    entity = place.entity(stay)
    assert (entity.label, entity.properties["lit"], entity.properties["etat"]) == ("KLK-1", "2", "transfere")


@pytest.mark.parametrize("offline", [False, True], ids=["plain update", "offline branch"])
def test_rule_5_an_update_of_a_version_that_is_not_known_here_waits(
    place: Outposts, a: Officers, offline: bool
) -> None:
    """Better. Central refuses a base or trunk above the server's version with an error (404.9), and it is lost.

    Such a version was served: by another server, or by this one before a backup was restored.
    """
    stay = place.share("KLK-1", a)
    record = a.follow(stay, lit="2")
    trunk = b' trunkVersion="1"'
    record.xml = record.xml.replace(b' baseVersion="1"', b' baseVersion="5"')
    record.xml = record.xml.replace(trunk, b' trunkVersion="5"' if offline else b' trunkVersion=""')
    if not offline:
        branch = a.rows()[stay].branch_id.encode()
        record.xml = record.xml.replace(b' branchId="' + branch + b'"', b' branchId=""')
    place.meet(a)
    assert (place.waits(stay), place.entity(stay).properties["lit"]) == (["version 5"], "1")
    assert place.entity(stay).version >= 6


def test_rule_6_of_two_concurrent_values_the_later_observed_counts_not_the_later_sent(
    place: Outposts, a: Officers, b: Officers
) -> None:
    """Better. In Central the last to arrive wins: a tablet back from a week offline takes back what others know."""
    stay = place.share("KLK-1", a, b)
    a.follow(stay, lit="old")
    b.sleep(5).follow(stay, lit="new")
    for one in (b, a):
        place.meet(one)
    place.meet(a, b)
    assert a.sees(stay, "lit") == b.sees(stay, "lit") == ("new",)


def test_rule_6_a_value_that_a_tablet_left_as_it_was_takes_nothing_back(
    place: Outposts, a: Officers, b: Officers
) -> None:
    """Better. In Central a form that sends every property sets those back that another tablet changed meanwhile."""
    stay = place.share("KLK-1", a, b)
    a.follow(stay, lit="7")
    b.sleep().fill("inscrire", dossier=stay, ref="KLK-1", lit="1")
    place.meet(a, b)
    assert place.entity(stay).properties["lit"] == "7"


def test_rule_6_a_state_only_goes_forward_and_the_gravest_urgency_counts(
    place: Outposts, a: Officers, b: Officers
) -> None:
    """Better: merged by what the property means. Central knows no difference between properties."""
    stay = place.share("KLK-1", a, b)
    a.follow(stay, etat="transfere", urgence="3")
    b.sleep().follow(stay, etat="arrive", urgence="1")
    place.meet(a, b)
    entity = place.entity(stay)
    assert (entity.properties["etat"], entity.properties["urgence"]) == ("transfere", "3")


def test_rule_6_different_properties_are_no_conflict(place: Outposts, a: Officers, b: Officers) -> None:
    """Better. Central marks the entity as in (soft) conflict until somebody clears it by hand."""
    stay = place.share("KLK-1", a, b)
    a.follow(stay, lit="7")
    b.follow(stay, urgence="2")
    place.meet(a, b)
    assert (conflicts(place, stay), place.entity(stay).open_conflicts) == ({}, 0)


def test_rule_6_only_what_a_person_must_decide_opens_a_conflict_with_both_values(
    place: Outposts, a: Officers, b: Officers
) -> None:
    """Better. Central flags the entity and shows the last value; here both wait for a word, which may be undone.

    The word raises the served version, and a value that it was not about opens it again.
    """
    stay = place.share("KLK-1", a, b)
    a.follow(stay, ref="KLK-1A")
    b.follow(stay, ref="KLK-1B")
    place.meet(a, b)
    assert conflicts(place, stay) == {"ref": {"KLK-1A", "KLK-1B"}}
    before = place.entity(stay).version
    choose(place, stay, "ref", "KLK-1A")
    assert (conflicts(place, stay), place.entity(stay).version > before) == ({}, True)
    b.follow(stay, ref="KLK-1C")
    place.meet(b)
    assert conflicts(place, stay) == {"ref": {"KLK-1A", "KLK-1C"}}


def test_rule_6_a_conflict_that_the_missing_record_explains_is_none(place: Outposts, a: Officers, b: Officers) -> None:
    """Better. Central keeps a flag that a forced record set wrongly, also after the missing one came (central#805)."""
    stay = place.share("KLK-1", a, b)
    late = a.follow(stay, ref="KLK-2")
    a.follow(stay, ref="KLK-3")
    hold_back(late)
    place.meet(a)
    place.force()
    let_go(late)
    place.meet(a, b)
    assert (conflicts(place, stay), b.sees(stay, "ref")) == ({}, ("KLK-3",))


def test_rule_7_a_program_that_writes_over_what_it_saw_does_not_hide_what_tablets_say(
    place: Outposts, a: Officers
) -> None:
    """As Central, a change names the version that it saw. Better: an offline update of that version merges with it."""
    stay = place.share("KLK-1", a)
    a.follow(stay, urgence="2")
    with place.looking() as session:
        change_entity(session, "dossiers", stay, None, {"lit": "9"}, 1, None, datetime.now(UTC))
    place.meet(a)
    assert a.sees(stay, "lit", "urgence") == ("9", "2")


def test_what_is_never_seen_again_is_never_lost(place: Outposts, a: Officers) -> None:
    """Better. Central forgets an update of an entity that never came after five days at the latest, by making one up.

    Here it is held, visible, with the record that it waits for, and once forced it is an entity like any other.
    """
    stay = place.share("KLK-1", a)
    record = a.follow(stay, lit="2")
    record.xml = record.xml.replace(stay.encode(), NOBODY.encode())
    a.sync()
    place.settle()
    assert place.waits(NOBODY) == ["creation"]
    with place.looking() as session:
        assert session.scalars(select(Submission).where(Submission.instance_id == record.instance_id)).one().xml
