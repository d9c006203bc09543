"""Records of the shipped forms as simulated tablets fill them, and the lists that such a tablet has on board."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

from forms.definition import FormDefinition
from forms.programme import LIBRARY
from forms.xform import parse_form
from forms.xlsform import read_form
from server.tablets.blanks import BlankForm, read_blank
from server.tablets.filler import Filled, Officer, Told, fill_form
from server.tablets.people import Population

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_TAIL = "__version,__trunkVersion,__branchId"
_BRANCH = "1,1,0b0b0b0b-0000-4000-8000-0000000000{:02}"


def _rows(head: str, *rows: str) -> bytes:
    lines = [f"{row},{_BRANCH.format(number)}" for number, row in enumerate(rows)]
    return "\n".join([f"{head},{_TAIL}", *lines, ""]).encode()


def stay_id(number: int) -> str:
    return f"d0d0d0d0-0000-4000-8000-0000000000{number:02}"


EVENT, REFERRAL = "e0e0e0e0-0000-4000-8000-000000000001", "f0f0f0f0-0000-4000-8000-000000000001"
ON_BOARD = {
    "sites.csv": b"name,label,type,region\nROSSO,Rosso,border_post,SN-SL\nCADKR,Dakar,centre,SN-DK\n"
    b"CASTL,Saint-Louis,centre,SN-SL\nFLEUVE,Fleuve,mobile_patrol,SN-SL\nKAYAR,Kayar,landing_place,SN-TH\n",
    "evenements.csv": _rows(
        "name,label,type,date,site_debarq,n_vivants,n_ailleurs,n_refus,etat",
        f"{EVENT},2026-03-01 04:10 · secours mer · 12,secours_mer,2026-03-01T04:10:00.000Z,CADKR,12,,1,ouvert",
    ),
    "dossiers.csv": _rows(
        "name,label,ref,bracelet,initiales,sexe,tranche,site_id,etat,urgence,alerte_suivi,echeance,maj",
        *(
            f"{stay_id(number)},CADKR-{number} · F · 25-59 · A{number},CADKR-{number},,AD,2,25_59,CADKR,arrive,0,non,"
            "2026-03-05,2026-03-02 08:00"
            for number in range(5)
        ),
    ),
    "orientations.csv": _rows(
        "name,label,dossier_ref,cible,service,echeance,statut",
        f"{REFERRAL},CADKR-1 · sante · 2026-03-04,CADKR-1,sante,soins,2026-03-04,envoyee",
    ),
}
SITES = {"f02_passage": "ROSSO", "f03_evenement": "FLEUVE"}


@cache
def shipped_blank(form_id: str) -> tuple[BlankForm, FormDefinition]:
    xml = read_form((LIBRARY / f"{form_id}.xlsx").read_bytes(), f"{form_id}.xlsx").xml
    return read_blank(xml, ON_BOARD), parse_form(xml)


def officer_for(form_id: str, seed: int = 1) -> Officer:
    site = SITES.get(form_id, "CADKR")
    return Officer(Random(seed), Population(Random(1), 20), "collect:0123456789abcdef", f"{site}-01", site)


def fill_shipped(form_id: str, count: int, seed: int = 1) -> Iterator[Filled]:
    """So many records, one after the other, as one officer fills them."""
    blank, _ = shipped_blank(form_id)
    at_work, last = officer_for(form_id, seed), None
    for minute in range(count):
        filled = fill_form(blank, at_work, NOW + timedelta(minutes=minute), last)
        last = filled.root
        yield filled


def fill_as_told(form_id: str, told: Told, site: str | None = None, seed: int = 1) -> Filled:
    """One record by an officer who was told what to answer; they answer nothing else but what is required."""
    at_work = officer_for(form_id, seed)
    at_work.site = site or at_work.site
    return fill_form(shipped_blank(form_id)[0], at_work, NOW, told=told)
