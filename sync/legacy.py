"""Records of an older register, taken in as if a tablet had sent them: kept as they are, judged, linked, never twice.

Each says in its own form from which register it comes, what it was called there, and at which post and on which tablet
it was made. Reading the file and weighing it beforehand are linkage's (linkage/spreadsheet.py, link_runs.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.xlsform import read_form
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.linkage.record import LinkRecord
from sync.models import PersonRecord
from sync.publishing import FormFile, find_form_version, publish_form
from sync.references import make_reference

# A record of one person: its path is the record itself.
FORM_ID, VERSION, _PATH = "registre_repris", "2", "/data"
_FORM = """
| survey |
| | type | name | label::Français (fr) | label::English (en) | bind::teral:person |
| | end | end | | | |
| | text | registre | Registre d’origine | Register it comes from | |
| | text | numero_origine | Numéro dans ce registre | Number in that register | |
| | text | poste_origine | Poste où elle a été faite | Post where it was made | |
| | text | tablette_origine | Sur quelle tablette | Tablet that it was made on | |
| | begin_group | personne | Personne | Person | |
| | text | given_name | Prénoms | Given names | given_names |
| | text | family_name | Nom de famille | Family name | family_name |
| | text | sex | Sexe | Sex | sex |
| | date | birth_date | Né le | Born on | birth_date |
| | integer | age | Âge | Age | age |
| | text | nationality | Nationalité | Nationality | nationality |
| | text | birth_place | Lieu de naissance | Place of birth | birth_place |
| | text | mother_name | Nom de la mère | Mother's name | mother_name |
| | text | phone | Téléphone | Phone | phone |
| | text | document_type | Type de document | Type of document | document_type |
| | text | document_number | Numéro du document | Number of the document | document_number |
| | end_group | | | | |
| settings |
| | form_id | version | form_title | default_language |
| | registre_repris | 2 | Registre repris | Français (fr) |
"""
_VALUES = (
    "given_name", "family_name", "sex", "birth_date", "age", "nationality", "birth_place", "mother_name", "phone",
    "document_type", "document_number",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """How many records were new, and how many had been taken in before."""

    new: int
    known: int


def find_new(session: Session, records: Iterable[LinkRecord], register: str) -> list[LinkRecord]:
    """Those of a register's records that are not here yet, under the references that they will have."""
    named = {_reference(register, one): one for one in records}
    known = set(session.scalars(select(PersonRecord.reference).order_by(PersonRecord.reference)))
    return [replace(one, record_id=reference) for reference, one in named.items() if reference not in known]


def publish_legacy_form(session: Session, actor_id: int | None, now: datetime) -> None:
    """Make the form known that such records are of, once."""
    if find_form_version(session, FORM_ID, VERSION) is None:
        read = read_form(_FORM.encode(), "registre_repris.md")
        publish_form(session, FormFile(read.xml, read.definition), {}, actor_id, now)


def take_in(session: Session, records: Sequence[LinkRecord], register: str, sender: Sender, now: datetime) -> Taken:
    """Keep these records of a register as submissions; processing follows as for any other.

    The same record of the same register once more is a repeat. One that says something else by now is kept beside the
    first for a supervisor, as with two tablets' records of one name.
    """
    new = 0
    for one in records:
        xml, instance_id = _render(register, one), _instance_id(register, one)
        incoming = IncomingRecord(FORM_ID, VERSION, instance_id)
        receipt = receive_submission(session, incoming, Upload(xml, sha256(xml).hexdigest()), sender, now)
        new += receipt.kind == "new"
    return Taken(new, len(records) - new)


def _instance_id(register: str, one: LinkRecord) -> str:
    """Made from the register's name and the record's own, so that any server makes the same."""
    return f"uuid:{uuid5(NAMESPACE_URL, f'teral:register:{register}:{one.record_id}')}"


def _reference(register: str, one: LinkRecord) -> str:
    return make_reference(FORM_ID, _instance_id(register, one), _PATH)


def _render(register: str, one: LinkRecord) -> bytes:
    root = etree.Element("data", id=FORM_ID, version=VERSION)
    _add(root, "end", f"{one.recorded_on}T00:00:00Z" if one.recorded_on else "")
    _add(root, "registre", register)
    _add(root, "numero_origine", one.record_id)
    _add(root, "poste_origine", one.post)
    _add(root, "tablette_origine", one.tablet)
    person = etree.SubElement(root, "personne")
    for name in _VALUES:
        value = getattr(one, name)
        _add(person, name, "" if value is None else str(value))
    _add(etree.SubElement(root, "meta"), "instanceID", _instance_id(register, one))
    return etree.tostring(root, encoding="utf-8")


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text
