"""What a demonstration shows besides a week's routine: a landing whose count does not close, two tablets that disagree,
and an update without the one before.

Everything comes about as it does in the field, by records that tablets send.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from server.tablets.filler import Told
from server.tablets.queue import Record
from server.tablets.tablet import Tablet

_PATIENCE = 60
_EVENT = {
    "action": "nouveau", "type_evt": "secours_mer", "engin": "pirogue", "position_texte": "Au large de Yoff",
    "vivants_femmes": "4", "vivants_hommes": "9", "vivants_filles": "1", "vivants_garcons": "2",
    "blesses": "0", "morts": "0", "disparus": "0", "n_ailleurs": "0", "n_refus": "0",
}  # fmt: skip
_RECOUNT = {"action": "suite", "changements": "vivants", "vivants_femmes": "4", "vivants_filles": "1",
            "vivants_garcons": "2", "clore": "non"}  # fmt: skip
_LANDING = {
    "action": "nouveau", "type_evt": "secours_mer", "engin": "pirogue", "position_texte": "12 milles au large de Kayar",
    "vivants_femmes": "2", "vivants_hommes": "3", "vivants_filles": "0", "vivants_garcons": "1",
    "blesses": "1", "morts": "1", "disparus": "2", "declares_bord": "9",
}  # fmt: skip
_HOSPITAL = {"action": "suite", "changements": "ailleurs", "n_ailleurs": "1", "clore": "non"}
_REFERRAL = {"action": "nouvelle", "cible": "action_sociale", "service": "enfance"}
_MEAL = {"volet": "assistance", "aide": "repas"}
_DEPARTURE = {"type_sortie": "depart_volontaire", "biens_rendus": "oui", "info_donnee": "oui"}


def play_scene(patrol: Tablet, first: Tablet, second: Tablet, now: datetime, wait: Callable[[], None]) -> str | None:
    """Play it: a patrol lands people at the one centre of the two others; `wait` is called while the server judges.

    Both correct the living of an event without knowing of each other. Of two updates of a stay the earlier stays on
    the tablet. Returns the stay that was made by mistake and may be deleted; None if the server took too long.
    """
    event = _make(patrol, "f03_evenement", now - timedelta(hours=5), _EVENT | {"site_debarq": first.officer.site})
    stay = _make(first, "f04_arrivee", now - timedelta(hours=4))
    mistake = _make(second, "f04_arrivee", now - timedelta(hours=4))
    for tablet in (patrol, first, second):
        tablet.send()
    if not (_await(first, event, wait) and _await(second, event, wait) and _await(second, mistake, wait)):
        return None
    for tablet, men in ((first, "8"), (second, "11")):
        tablet.fill("f03_evenement", now - timedelta(hours=2), _RECOUNT | {"existant": event, "vivants_hommes": men})
        tablet.send()
    first.fill("f07_assistance", now - timedelta(hours=1), _MEAL | {"dossiers": stay})
    _insist(first, first.fill("f09_sortie", now, _DEPARTURE | {"dossier": stay}))
    return mistake


def play_landing(patrol: Tablet, centre: Tablet, now: datetime, wait: Callable[[], None]) -> None:
    """Play a rescue of three days ago: of six living four have arrived, one is in hospital, one nobody accounts for."""
    begun = now - timedelta(days=3)
    event = _make(patrol, "f03_evenement", begun, _LANDING | {"site_debarq": centre.officer.site})
    patrol.send()
    if not _await(centre, event, wait):
        return
    arrival: Told = {"venue": "debarquement", "evt": event, "personnes": [{}, {}, {}, {}]}
    stay = _make(centre, "f04_arrivee", begun + timedelta(hours=3), arrival)
    centre.fill("f03_evenement", begun + timedelta(hours=4), _HOSPITAL | {"existant": event})
    due = {"dossier": stay, "echeance": f"{now + timedelta(days=4):%Y-%m-%d}"}
    centre.fill("f08_orientation", begun + timedelta(hours=5), _REFERRAL | due)
    centre.send()


def _make(tablet: Tablet, form_id: str, now: datetime, told: Told | None = None) -> str:
    """Fill a form that makes a row of a list; return the row's id."""
    before = _list_rows(tablet)
    tablet.fill(form_id, now, told)
    return next(iter(_list_rows(tablet).keys() - before.keys()))


def _list_rows(tablet: Tablet) -> Mapping[str, bool]:
    """Every row that the tablet holds, with whether the server served it."""
    lists = tablet.queue.entities.lists.values()
    return {one.id: one.online for known in lists for one in known.entities.values()}


def _await(tablet: Tablet, uuid: str, wait: Callable[[], None]) -> bool:
    for _ in range(_PATIENCE):
        tablet.refresh()
        if _list_rows(tablet).get(uuid):
            return True
        wait()
    return False


def _insist(tablet: Tablet, record: Record) -> None:
    """Send this record alone, over a link that may fail."""
    for _ in range(_PATIENCE):
        if not tablet.deliver(record):
            return
