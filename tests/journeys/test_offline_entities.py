"""Follow-up lists offline: what Collect's own store makes of what we serve, over days and between tablets.

Every tablet here is a simulated Collect (server/tablets) that talks to a server over a socket; its store of entities
follows the rules of Collect's. What is asserted is what an officer sees on the tablet and what the registry holds.
"""

from datetime import UTC, datetime

import pytest

from sync.quarantine import accept, reject
from tests.journeys.outposts import Officers, Outposts


def test_days_offline_on_a_stay_that_the_tablet_opened_itself(place: Outposts, a: Officers, b: Officers) -> None:
    stay = a.open_stay("KLK-1", lit="1")
    for day, lit in enumerate(("2", "3", "4")):
        a.sleep().follow(stay, lit=lit)
        assert a.sees(stay, "version", "lit") == (day + 2, lit)
    place.meet(a, b)
    assert (place.entity(stay).version, a.rows()[stay].is_dirty) == (4, False)
    assert a.sees(stay, "version", "lit") == b.sees(stay, "version", "lit") == (4, "4")


def test_each_download_begins_a_branch_of_its_own(place: Outposts, a: Officers) -> None:
    stay = place.share("KLK-1", a)
    branches = [a.rows()[stay].branch_id]
    for lit in ("2", "3"):
        a.follow(stay, lit=lit)
        place.meet(a)
        branches.append(a.rows()[stay].branch_id)
    assert (len(set(branches)), place.entity(stay).version) == (3, 3)


def test_two_tablets_on_one_stay_keep_both_of_different_values(place: Outposts, a: Officers, b: Officers) -> None:
    stay = place.share("KLK-1", a, b)
    a.follow(stay, lit="7")
    b.follow(stay, urgence="2")
    place.meet(a, b)
    place.meet(a, b)
    assert a.sees(stay, "lit", "urgence") == b.sees(stay, "lit", "urgence") == ("7", "2")
    assert not a.rows()[stay].is_dirty


@pytest.mark.parametrize("first", ["a", "b"])
def test_two_tablets_on_one_value_agree_whoever_sends_first(
    place: Outposts, a: Officers, b: Officers, first: str
) -> None:
    stay = place.share("KLK-1", a, b)
    for urgence in ("3", "1"):
        a.follow(stay, urgence=urgence)
    b.sleep().follow(stay, urgence="2")
    for one in (a, b) if first == "a" else (b, a):
        place.meet(one)
    place.meet(a, b)
    # The gravest that any branch ended with: the 3 was taken back by the officer who had set it.
    assert a.sees(stay, "urgence") == b.sees(stay, "urgence") == ("2",)


def test_a_tablet_that_is_ahead_gets_the_servers_row_once_its_update_is_merged(place: Outposts, a: Officers) -> None:
    stay = place.share("KLK-1", a)
    a.follow(stay, urgence="2")
    a.refresh()
    assert (a.sees(stay, "version", "urgence"), a.rows()[stay].is_dirty) == ((2, "2"), True)
    place.meet(a)
    assert (a.sees(stay, "version", "urgence"), a.rows()[stay].is_dirty) == ((2, "2"), False)


def test_an_update_that_waits_for_another_raises_what_is_served(place: Outposts, a: Officers, b: Officers) -> None:
    stay = place.share("KLK-1", a, b)
    lost, waiting = a.follow(stay, lit="2"), a.follow(stay, lit="3")
    lost.state = "sent"  # it lies on the tablet still: its sending is what failed
    place.meet(a)
    assert (place.waits(stay), a.sees(stay, "version", "lit")) == (["branch version 2"], (3, "1"))
    lost.state = "finalised"
    place.meet(a, b)
    assert (place.waits(stay), waiting.state) == ([], "sent")
    assert a.sees(stay, "lit") == b.sees(stay, "lit") == ("3",)


def test_an_update_in_quarantine_raises_what_is_served(place: Outposts, a: Officers) -> None:
    stay = place.share("KLK-1", a)
    record = a.follow(stay, urgence="3")
    record.xml = record.xml.replace(b"<urgence>3<", b"<urgence>9<")
    place.meet(a)
    assert (place.state(record), a.sees(stay, "version", "urgence")) == ("quarantined", (2, "0"))
    place.decide(accept, record)
    a.refresh()
    assert a.sees(stay, "version", "urgence") == (3, "9")


def test_a_rejected_update_raises_what_is_served(place: Outposts, a: Officers) -> None:
    stay = place.share("KLK-1", a)
    records = [a.follow(stay, lit=lit) for lit in ("2", "3")]
    a.sync()
    place.settle()
    for record in records:
        place.decide(reject, record)
    a.refresh()
    assert (a.sees(stay, "lit"), a.rows()[stay].is_dirty) == (("1",), False)


def test_an_update_of_a_form_that_is_not_known_here_raises_what_is_served(place: Outposts, a: Officers) -> None:
    stay = place.share("KLK-1", a)
    record = a.follow(stay, lit="2")
    record.xml = record.xml.replace(b'version="1"', b'version="0"', 1)
    place.meet(a)
    assert place.state(record) == "quarantined"
    assert (a.sees(stay, "version", "lit"), a.rows()[stay].is_dirty) == ((2, "1"), False)


def test_a_closed_stay_vanishes_though_the_tablet_was_ahead(place: Outposts, a: Officers, b: Officers) -> None:
    stay = place.share("KLK-1", a, b)
    a.follow(stay, etat="clos")
    place.meet(a)
    b.follow(stay, lit="9")
    b.refresh()
    assert (stay in a.rows(), stay in b.rows()) == (False, False)
    place.meet(b)
    assert place.entity(stay).properties["lit"] == "9"


def test_a_stay_that_moves_leaves_one_site_and_appears_at_the_other(place: Outposts, a: Officers) -> None:
    other = place.tablet(place.site())
    stay = place.share("KLK-1", a)
    a.follow(stay, site=other.tablet.officer.site)
    place.meet(a, other)
    assert (stay in a.rows(), other.sees(stay, "lit")) == (False, ("1",))


def test_a_blank_site_is_nobodys(place: Outposts, a: Officers) -> None:
    stay = place.share("KLK-1", a)
    a.follow(stay, site="")
    place.meet(a)
    assert stay not in a.rows()


def test_an_upsert_makes_a_stay_and_later_changes_it(place: Outposts, a: Officers, b: Officers) -> None:
    a.fill("inscrire", ref="KLK-1", lit="1", site=a.tablet.officer.site)
    [stay] = a.rows()
    a.fill("inscrire", dossier=stay, ref="KLK-1", lit="2")
    assert a.sees(stay, "version", "lit") == (2, "2")
    place.meet(a, b)
    assert b.sees(stay, "version", "lit", "etat") == (2, "2", "arrive")


def test_one_record_makes_an_event_and_its_people(place: Outposts, a: Officers) -> None:
    people = [{"ref": "P-1", "lit": "1"}, {"ref": "P-2", "lit": "2"}]
    today = datetime.now(UTC).date().isoformat()
    a.fill("debarquer", nom="Pirogue", date=today, site=a.tablet.officer.site, personnes=people)
    assert sorted(row.label for row in a.rows().values()) == ["P-1", "P-2"]
    local = dict(a.rows())
    place.meet(a)
    assert {uuid: row.version for uuid, row in a.rows().items()} == dict.fromkeys(local, 1)


def test_one_record_updates_several_stays_by_a_repeat(place: Outposts, a: Officers, b: Officers) -> None:
    stays = [a.open_stay(f"KLK-{number}") for number in range(3)]
    place.meet(a, b)
    a.fill("tournee", choisis=" ".join(stays[:2]), chacun=[{"lit": "A"}, {"lit": "B"}])
    place.meet(a, b)
    assert [b.sees(stay, "version", "lit") for stay in stays] == [(2, "A"), (2, "B"), (1, "")]


def test_one_record_updates_a_stay_twice(place: Outposts, a: Officers, b: Officers) -> None:
    stay = place.share("KLK-1", a, b)
    a.fill("rondes", ronde=[{"qui": stay, "lit": "A"}, {"qui": stay, "lit": "B"}])
    assert a.sees(stay, "version", "lit") == (3, "B")
    place.meet(a, b)
    assert (a.sees(stay, "lit"), b.sees(stay, "lit"), a.rows()[stay].is_dirty) == (("B",), ("B",), False)


def test_one_record_opens_a_stay_that_its_tablet_updates_twice_before_it_is_sent(place: Outposts, a: Officers) -> None:
    stay = a.open_stay("KLK-1", lit="1")
    a.fill("rondes", ronde=[{"qui": stay, "lit": "A"}, {"qui": stay, "lit": "B"}])
    a.follow(stay, urgence="2")
    place.meet(a)
    assert (place.waits(stay), a.sees(stay, "lit", "urgence"), a.rows()[stay].is_dirty) == ([], ("B", "2"), False)


@pytest.mark.parametrize("version", ["2022.1.0", "2023.1.0"])
def test_a_form_of_an_older_specification_updates_the_server_and_no_tablet(
    place: Outposts, a: Officers, version: str
) -> None:
    stay = place.share("KLK-1", a)
    form_id = place.publish_older("suivre", version)
    a.refresh()
    a.fill(form_id, dossier=stay, quoi="lit", lit="9")
    assert a.sees(stay, "version", "lit") == (1, "1")
    place.meet(a)
    assert a.sees(stay, "version", "lit") == (2, "9")


def test_an_edit_says_anew_what_its_record_said_though_the_tablet_counts_on(
    place: Outposts, a: Officers, b: Officers
) -> None:
    stay = place.share("KLK-1", a, b)
    record = a.follow(stay, lit="2")
    a.edit(record, lit="3")
    place.meet(a, b)
    assert (place.waits(stay), place.entity(stay).properties["lit"]) == ([], "3")
    assert a.sees(stay, "lit") == b.sees(stay, "lit") == ("3",)


def test_an_edit_of_an_earlier_update_leaves_the_later_one(place: Outposts, a: Officers, b: Officers) -> None:
    stay = place.share("KLK-1", a, b)
    record = a.follow(stay, lit="2")
    a.follow(stay, urgence="2")
    a.edit(record, lit="3")
    place.meet(a, b)
    assert (place.waits(stay), b.sees(stay, "lit", "urgence")) == ([], ("3", "2"))


def test_an_edit_of_a_creation(place: Outposts, a: Officers, b: Officers) -> None:
    stay = a.open_stay("KLK-1", lit="1")
    a.follow(stay, urgence="2")
    place.meet(a)
    [record] = [one for one in a.tablet.queue.records if one.form_id == "ouvrir"]
    a.edit(record, lit="5")
    place.meet(a, b)
    assert b.sees(stay, "lit", "urgence") == ("5", "2")


def test_a_rejected_creation_vanishes_from_the_tablet_that_made_it(place: Outposts, a: Officers) -> None:
    stay = a.open_stay("KLK-1")
    a.sync()
    place.settle()
    [record] = a.tablet.queue.records
    place.decide(reject, record)
    a.refresh()
    assert stay not in a.rows()


def test_a_creation_that_nobody_ever_accepted_stays_until_it_is_rejected(place: Outposts, a: Officers) -> None:
    stay = a.open_stay("KLK-1", lit="1")
    [record] = a.tablet.queue.records
    record.xml = record.xml.replace(b"<lit>1<", b"<lit>far too long for a bed<")
    place.meet(a)
    assert (place.state(record), stay in a.rows()) == ("quarantined", True)
    place.decide(reject, record)
    assert stay not in a.refresh().rows()
    place.decide(accept, record)
    assert a.refresh().sees(stay, "version", "etat") == (1, "arrive")


def test_many_stays_opened_offline_are_asked_about_in_one_address(place: Outposts, a: Officers) -> None:
    stays = [a.open_stay(f"KLK-{number}") for number in range(300)]
    a.refresh()
    assert (a.tablet.faults, set(a.rows())) == ([], set(stays))


def test_an_update_that_waited_too_long_is_applied_and_refolded_when_the_missing_one_comes(
    place: Outposts, a: Officers, b: Officers
) -> None:
    stay = place.share("KLK-1", a, b)
    late = a.follow(stay, lit="2")
    a.follow(stay, urgence="2")
    late.state = "sent"
    place.meet(a, b)
    assert b.sees(stay, "lit", "urgence") == ("1", "0")
    place.force()
    b.refresh()
    assert b.sees(stay, "lit", "urgence") == ("1", "2")
    late.state = "finalised"
    place.meet(a, b)
    assert b.sees(stay, "lit", "urgence") == ("2", "2")


def test_a_record_whose_entity_has_no_valid_id_waits_for_a_supervisor(place: Outposts, a: Officers) -> None:
    stay = place.share("KLK-1", a)
    record = a.follow(stay, lit="2")
    record.xml = record.xml.replace(f' id="{stay}"'.encode(), b' id="KLK-1"')
    place.meet(a)
    assert place.state(record) == "quarantined"


def test_a_registry_that_is_told_anew_changes_nothing_on_a_tablet(place: Outposts, a: Officers, b: Officers) -> None:
    stay = place.share("KLK-1", a, b)
    rejected, early = a.follow(stay, lit="2"), a.follow(stay, urgence="2")
    b.follow(stay, lit="3")
    place.meet(a, b)
    place.decide(reject, rejected)
    a.edit(early, urgence="1")
    place.meet(a, b)
    before = [one.tablet.queue.entities.lists["dossiers"].hash for one in (a, b)]
    place.rebuild()
    assert [one.refresh().tablet.queue.entities.lists["dossiers"].hash for one in (a, b)] == before
    b.follow(stay, lit="4")
    place.meet(a, b)
    assert a.sees(stay, "lit") == b.sees(stay, "lit") == ("4",)
