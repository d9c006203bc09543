"""Two small forms of one entity list for tests: an arrival creates a stay, an assistance updates it."""

import functools
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.xlsform import read_form
from sync.entity_state import EntityState
from sync.entity_words import write_words
from sync.models import Entity, Submission
from sync.publishing import FormFile, publish_form
from tests.sync.factory import NOW, add_submission

STAY = "5f0c1f3e-1d2a-4b6c-8d3e-000000000001"

ARRIVAL = """
| survey |
| | type | name | label | save_to |
| | end | end | | |
| | text | sexe | Sexe | sexe |
| | text | urgence | Urgence | urgence |
| | text | site_id | Site | site_id |
| | text | etat | État | etat |
| entities |
| | list_name | label |
| | dossiers | concat('Dossier ', ${sexe}) |
| settings |
| | form_id | version |
| | arrivee | 1 |
"""

ASSISTANCE = """
| survey |
| | type | name | label | save_to |
| | end | end | | |
| | select_one_from_file dossiers.csv | dossier | Dossier | |
| | text | sexe | Sexe | sexe |
| | text | urgence | Urgence | urgence |
| | text | site_id | Site | site_id |
| | text | etat | État | etat |
| | integer | repas | Repas | |
| entities |
| | list_name | entity_id |
| | dossiers | ${dossier} |
| settings |
| | form_id | version |
| | assistance | 1 |
"""

LOOKOUT = """
| survey |
| | type | name | label | save_to |
| | end | end | | |
| | text | nom | Nom | |
| | text | site_debarq | Site | site_debarq |
| | text | date | Date | date |
| | select_one_from_file evenements.csv | precedent | Précédent | |
| entities |
| | list_name | label |
| | evenements | ${nom} |
| settings |
| | form_id | version |
| | vigie | 1 |
"""


@functools.cache
def entity_form(written: str) -> FormFile:
    read = read_form(written.encode(), "forme.md")
    return FormFile(read.xml, read.definition)


def publish_entity_forms(session: Session) -> None:
    for written in (ARRIVAL, ASSISTANCE, LOOKOUT):
        publish_form(session, entity_form(written), {}, None, NOW)
    session.commit()


def branch(letter: str) -> str:
    return str(UUID(int=ord(letter), version=4)).replace("-4000-0000-", "-4000-8000-")


def add_arrival(session: Session, instance_id: str = "uuid:c", **facts: Any) -> Submission:
    values = {"sexe": "1", "urgence": "0", "site_id": "KLK", "etat": "arrive", **facts.pop("values", {})}
    entity = f'<entity dataset="dossiers" create="1" id="{facts.pop("stay", STAY)}"><label>Dossier 1</label></entity>'
    return _add(session, "arrivee", instance_id, values, entity, **facts)


def add_event(session: Session, number: int, site: str, day: str) -> Submission:
    """A boat that was seen, and where and when it lands."""
    uuid = f"5f0c1f3e-1d2a-4b6c-8d3e-{number:012}"
    entity = f'<entity dataset="evenements" create="1" id="{uuid}"><label>Pirogue {number}</label></entity>'
    values = {"nom": f"Pirogue {number}", "site_debarq": site, "date": day}
    return _add(session, "vigie", f"uuid:e{number}", values, entity)


def add_update(session: Session, instance_id: str, base: int, **facts: Any) -> Submission:
    """An update; with `on` (a letter) one of an offline branch from version `trunk`; `silent` says nothing of it."""
    trunk = facts.pop("trunk", 1)
    letter = facts.pop("on", None)
    offline = f' trunkVersion="{trunk}" branchId="{branch(letter)}"' if letter else ""
    silent = facts.pop("silent", False)
    entity = "" if silent else f'<entity dataset="dossiers" update="1" id="{STAY}" baseVersion="{base}"{offline}/>'
    return _add(session, "assistance", instance_id, facts.pop("values", {}), entity, **facts)


def _add(
    session: Session, form_id: str, instance_id: str, values: dict[str, str], entity: str, **facts: Any
) -> Submission:
    replaced = facts.get("deprecated_id")
    end = NOW - timedelta(hours=9) + timedelta(hours=facts.pop("hour", 0))
    body = (
        f'<data id="{form_id}" version="1"><end>{end.isoformat()}</end>'
        + "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
        + f"<meta><instanceID>{instance_id}</instanceID>"
        + (f"<deprecatedID>{replaced}</deprecatedID>" if replaced else "")
        + f"{entity}</meta></data>"
    )
    return add_submission(
        session, instance_id, form_id=form_id, body=body.encode(), twin_of_id=_find_first(session, instance_id), **facts
    )


def _find_first(session: Session, instance_id: str) -> int | None:
    """Of two different records of one name the second is the twin, whichever it is (intake.py)."""
    same = select(Submission.id).where(Submission.instance_id == instance_id, Submission.twin_of_id.is_(None))
    return session.scalar(same)


def keep_words(session: Session, row: Entity) -> None:
    """Let an entity be found that was written straight into the database."""
    said = EntityState(row.list_name, row.uuid, row.label, row.properties)
    write_words(session, [(row.id, EntityState(row.list_name, row.uuid), said)])
