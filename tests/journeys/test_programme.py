"""One event from end to end, with the shipped forms, on tablets that behave as Collect: a patrol finds a pirogue, a
centre takes people in, looks after them, refers one, and lets others go; a supervisor sees the count close.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from sync.policy import programme
from sync.programme.headcount_rows import list_headcounts
from tests.journeys.outposts import MONDAY, Officers, Outposts, outposts
from tests.seed import shipped_form

TONIGHT = MONDAY + timedelta(hours=20)
PIROGUE = {
    "action": "nouveau", "type_evt": "secours_mer", "engin": "pirogue", "position_texte": "20 milles à l'ouest",
    "vivants_femmes": "4", "vivants_hommes": "6", "vivants_filles": "2", "vivants_garcons": "1",
    "blesses": "1", "morts": "1", "disparus": "2", "declares_bord": "16", "site_debarq": "CADKR",
}  # fmt: skip


@dataclass
class Coast:
    """A server, and four tablets far from it."""

    place: Outposts
    patrol: Officers
    dakar: Officers
    saint_louis: Officers
    post: Officers

    def meet(self) -> None:
        with self.place.at(TONIGHT):
            self.place.meet(self.patrol, self.dakar, self.saint_louis, self.post)

    def count(self) -> tuple[str, int | None, str]:
        """The numbers of the one event, its gap, and what becomes of it four days later."""
        with self.place.looking() as session:
            [one] = list_headcounts(session, None, MONDAY + timedelta(days=4))
            return one.count.numbers, one.count.gap, one.state


@pytest.fixture
def coast(tmp_path: Path, database: str) -> Iterator[Coast]:
    forms = [shipped_form(form_id) for form_id in sorted(programme().forms)]
    with outposts(tmp_path, database, forms) as place, place.at(TONIGHT):
        place.site("mobile_patrol", "SN-DK", "PATROUILLE")
        place.site("centre", "SN-DK", "CADKR")
        place.site("centre", "SN-SL", "CASTL")
        place.site("centre", "SN-TH", "CATHS")
        place.site("border_post", "SN-DK", "POSTE")
        sites = ("PATROUILLE", "CADKR", "CASTL", "POSTE")
        yield Coast(place, *(place.tablet(site) for site in sites))


def report(coast: Coast) -> str:
    """The patrol notes a rescue at sea, far from any network; returns the event's id."""
    coast.patrol.fill("f03_evenement", **PIROGUE)
    [event] = coast.patrol.rows("evenements")
    coast.meet()
    return event


def take_in(coast: Coast, event: str) -> list[str]:
    """The centre registers twelve people of the event; returns the ids of their stays."""
    coast.dakar.fill("f04_arrivee", venue="debarquement", evt=event, personnes=[{} for _ in range(12)])
    stays = list(coast.dakar.rows())
    coast.meet()
    return stays


@pytest.mark.both_databases(postgresql="slow")
def test_an_event_from_the_sea_to_the_last_departure(coast: Coast) -> None:
    event = report(coast)
    assert (list(coast.dakar.rows("evenements")), list(coast.post.rows("evenements"))) == ([event], [])
    first, second, third, *others = stays = take_in(coast, event)
    assert (len(stays), sorted(coast.dakar.rows()), len(others)) == (12, sorted(stays), 9)
    assert (coast.saint_louis.rows(), coast.post.rows(), coast.patrol.rows()) == ({}, {}, {})
    assert coast.count() == ("13 12 0 0", 1, "open")
    coast.dakar.fill(
        "f03_evenement", action="suite", existant=event, changements="ailleurs", n_ailleurs="1", clore="oui"
    )
    coast.meet()
    assert (coast.count(), coast.dakar.rows("evenements")) == (("13 12 1 0", 0, "closed"), {})
    look_after(coast, [first, second, third])
    refer(coast, first)
    part(coast, second, third)


def look_after(coast: Coast, stays: list[str]) -> None:
    """One record helps several people: each of their rows moves on, and no other."""
    coast.dakar.fill("f07_assistance", volet="assistance", dossiers=" ".join(stays), aide="repas")
    coast.meet()
    moved = {one for one, row in coast.dakar.rows().items() if row.version > 1}
    assert moved == set(stays)
    assert not any(row.is_dirty for row in coast.dakar.rows().values())


def refer(coast: Coast, stay: str) -> None:
    """A referral to the anti-trafficking unit is answered and closed; no tablet ever reads to whom it went."""
    coast.dakar.fill("f08_orientation", action="nouvelle", dossier=stay, cible="cnltp", service="victime")
    [referral] = coast.dakar.rows("orientations")
    coast.meet()
    assert coast.dakar.rows("orientations")[referral].properties["cible"] == "protection"
    coast.dakar.fill("f08_orientation", action="accuse", existante=referral, reponse_service="acceptee")
    coast.meet()
    assert coast.dakar.rows("orientations")[referral].properties["statut"] == "acceptee"
    coast.dakar.fill("f08_orientation", action="cloture", existante=referral, resultat="oui")
    coast.meet()
    assert coast.dakar.rows("orientations") == {}
    assert coast.place.entity(referral).properties["statut"] == "close"
    assert (coast.saint_louis.rows("orientations"), coast.post.rows("orientations")) == ({}, {})


def part(coast: Coast, moved: str, gone: str) -> None:
    """One person goes to another centre, another one leaves: both rows leave Dakar, one appears in Saint-Louis."""
    coast.dakar.fill("f08_orientation", action="nouvelle", dossier=moved, cible="sante", service="soins")
    coast.meet()
    [referral] = coast.dakar.rows("orientations")
    coast.dakar.fill("f09_sortie", dossier=moved, type_sortie="transfert", vers="CASTL")
    coast.dakar.fill("f09_sortie", dossier=gone, type_sortie="depart_volontaire")
    coast.meet()
    assert (moved in coast.dakar.rows(), gone in coast.dakar.rows(), len(coast.dakar.rows())) == (False, False, 10)
    assert list(coast.saint_louis.rows()) == [moved]
    row = coast.saint_louis.rows()[moved]
    assert (row.properties["etat"], row.properties["site_id"]) == ("transfere", "CASTL")
    # The referral went with the stay, and is answered there.
    assert (list(coast.saint_louis.rows("orientations")), coast.dakar.rows("orientations")) == ([referral], {})
    coast.saint_louis.fill("f08_orientation", action="accuse", existante=referral, reponse_service="acceptee")
    coast.meet()
    assert coast.saint_louis.rows("orientations")[referral].properties["statut"] == "acceptee"
    # There the stay goes on: it is helped, and ends.
    coast.saint_louis.fill("f07_assistance", volet="assistance", dossiers=moved, aide="sante")
    coast.saint_louis.fill("f09_sortie", dossier=moved, type_sortie="depart_volontaire")
    coast.meet()
    assert coast.saint_louis.rows() == {}
    assert [coast.place.entity(one).properties["etat"] for one in (moved, gone)] == ["clos", "clos"]
    assert coast.count() == ("13 12 1 0", 0, "closed")


def test_tablets_are_given_no_more_than_the_programme_decided(coast: Coast) -> None:
    take_in(coast, report(coast))
    stores = coast.dakar.tablet.queue.entities.lists
    assert set(stores["dossiers"].columns) == {
        "ref", "bracelet", "initiales", "sexe", "tranche", "site_id", "etat", "urgence", "alerte_suivi", "echeance",
        "maj",
    }  # fmt: skip
    assert set(stores["evenements"].columns) == {
        "type", "date", "site_debarq", "n_vivants", "n_ailleurs", "n_refus", "etat",
    }  # fmt: skip


def test_a_transfer_made_offline_in_two_places_is_a_question(coast: Coast) -> None:
    """Two officers of one centre send the same person to two others: both are kept, and somebody must ask."""
    colleague = coast.place.tablet("CADKR")
    [stay, *_] = take_in(coast, report(coast))
    with coast.place.at(TONIGHT):
        coast.place.meet(coast.dakar, colleague)
    coast.dakar.fill("f09_sortie", dossier=stay, type_sortie="transfert", vers="CASTL")
    colleague.fill("f09_sortie", dossier=stay, type_sortie="transfert", vers="CATHS")
    with coast.place.at(TONIGHT):
        coast.place.meet(coast.dakar, colleague)
    assert coast.place.entity(stay).open_conflicts == 1
    assert coast.place.entity(stay).properties["etat"] == "transfere"
