"""People who are met more than once, invented, in a form that asks enough of them to know them again."""

import functools
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from xml.sax.saxutils import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.xlsform import read_form
from server.processing import process_pending
from sync.db import begin_write
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.models import LinkQuestion, Person, PersonRecord, Submission
from sync.publishing import FormFile, publish_form
from sync.quarantine import reject
from sync.references import make_reference
from tests.sync.factory import NOW

MEETING = """
| survey |
| | type | name | label | bind::teral:person |
| | start | start | | |
| | end | end | | |
| | begin_repeat | personnes | Personnes | |
| | text | prenoms | Prénoms | given_names |
| | text | nom | Nom | family_name |
| | text | sexe | Sexe | sex |
| | date | naissance | Né le | birth_date |
| | text | pays | Nationalité | nationality |
| | text | lieu | Lieu de naissance | birth_place |
| | text | mere | Mère | mother_name |
| | text | telephone | Téléphone | phone |
| | text | papier | Papier | document_type |
| | text | numero | Numéro | document_number |
| | end_repeat | | | |
| settings |
| | form_id | version | form_title |
| | rencontre | 1 | Rencontre |
"""
PATH = "/data/personnes[1]"


@dataclass(frozen=True)
class Met:
    """What one record says of one person."""

    prenoms: str = "Awa"
    nom: str = "Ndiaye"
    sexe: str = "2"
    naissance: str = "1994-05-17"
    pays: str = "SEN"
    lieu: str = "Podor"
    mere: str = "Coumba Sarr"
    telephone: str = ""
    papier: str = ""
    numero: str = ""


AWA = Met()
AWA_AGAIN = replace(AWA, nom="Ndiaay", lieu="Podoor", telephone="+221 77 555 01 42")
MODOU = Met("Modou", "Faye", "1", "1988-11-02", "SEN", "Fatick", "Ndella Diouf")
BINTA = Met("Binta", "Camara", "2", "2001-03-09", "GIN", "Kindia", "Mariama Bangoura")


@functools.cache
def form_file() -> FormFile:
    """The form of a meeting."""
    read = read_form(MEETING.encode(), "rencontre.md")
    return FormFile(read.xml, read.definition)


def prepare(session: Session) -> None:
    publish_form(session, form_file(), {}, None, NOW)
    session.commit()


def body(instance_id: str, *people: Met, deprecated_id: str | None = None, end: datetime = NOW) -> bytes:
    """A meeting with these people."""
    replaces = f"<deprecatedID>{deprecated_id}</deprecatedID>" if deprecated_id else ""
    told = "".join(
        "<personnes>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in vars(one).items())
        + "</personnes>"
        for one in people
    )  # fmt: skip
    start = (end - timedelta(minutes=4)).isoformat()
    return (
        f'<data id="rencontre" version="1"><start>{start}</start><end>{end.isoformat()}</end>{told}'
        f"<meta><instanceID>{instance_id}</instanceID>{replaces}</meta></data>"
    ).encode()


def send(session: Session, instance_id: str, *people: Met, deprecated_id: str | None = None, day: int = 0) -> None:
    """A tablet sends a meeting; nobody has processed it yet."""
    told = body(instance_id, *people, deprecated_id=deprecated_id, end=NOW - timedelta(days=day))
    session.commit()
    begin_write(session)
    record = IncomingRecord("rencontre", "1", instance_id, deprecated_id)
    receive_submission(session, record, Upload(told, sha256(told).hexdigest()), Sender(), NOW)
    session.commit()


def meet(session: Session, instance_id: str, *people: Met, deprecated_id: str | None = None, day: int = 0) -> None:
    """A tablet sends a meeting, `day` days old, and it is processed."""
    send(session, instance_id, *people, deprecated_id=deprecated_id, day=day)
    process_pending()
    session.expire_all()


def reference(instance_id: str, turn: int = 1) -> str:
    """The reference of the person in this turn of a meeting's repeat."""
    return make_reference("rencontre", instance_id, f"/data/personnes[{turn}]")


def persons(session: Session) -> set[frozenset[str]]:
    """Who is one person, by references."""
    found: dict[int, set[str]] = {}
    for one in session.execute(select(PersonRecord.person_id, PersonRecord.reference)):
        found.setdefault(one.person_id, set()).add(one.reference)
    return {frozenset(one) for one in found.values()}


def shown_reference(session: Session, instance_id: str) -> str:
    """The reference that the person of this meeting shows."""
    mine = select(PersonRecord.person_id).where(PersonRecord.reference == reference(instance_id))
    return session.scalars(select(Person.reference).where(Person.id.in_(mine))).one()


def questions(session: Session) -> list[tuple[str, str, str]]:
    """Which two references are asked about, and why."""
    return sorted((one.one.reference, one.other.reference, one.reason) for one in session.scalars(select(LinkQuestion)))


def reject_meeting(session: Session, instance_id: str) -> None:
    """A supervisor finds that the meeting does not count."""
    session.commit()
    begin_write(session)
    row = session.scalars(select(Submission).where(Submission.instance_id == instance_id)).one()
    reject(session, row, None, "essai", NOW)
    session.commit()
    process_pending()
    session.expire_all()
