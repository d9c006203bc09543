"""Small forms and submissions for the tests of this package: one form that feeds the registry, invented people."""

import functools
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from xml.sax.saxutils import escape

from sqlalchemy.orm import Session

from forms.xlsform import read_form
from sync.models import Device, Site, Submission
from sync.publishing import FormFile

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

PASSAGE = """
| survey |
| | type | name | label | required | bind::teral:person | bind::teral:encounter |
| | start | start | | | | |
| | end | end | | | | |
| | select_one direction | direction | Sens | yes | | direction |
| | begin_repeat | personnes | Personnes | | | |
| | text | prenoms | Prénoms | | given_names | |
| | text | nom | Nom | | family_name | |
| | select_one sexe | sexe | Sexe | | sex | |
| | integer | age | Âge | | age | |
| | end_repeat | | | | | |
| | image | photo | Photo | | | |
| | select_one_from_file sites.csv | site | Site | | | |
| | select_one_from_file villages.csv | village | Village | | | |
| choices |
| | list_name | name | label |
| | direction | entree | Entrée |
| | direction | sortie | Sortie |
| | sexe | 1 | Homme |
| | sexe | 2 | Femme |
| settings |
| | form_id | version | form_title |
| | {form_id} | {version} | {title} |
"""


@functools.cache
def form_file(version: str = "1", form_id: str = "passage", title: str = "Passage") -> FormFile:
    """An XLSForm that asks who passes and in which direction."""
    written = PASSAGE.format(form_id=form_id, version=version, title=title)
    read = read_form(written.encode(), "passage.md")
    return FormFile(read.xml, read.definition)


def xml(instance_id: str, people: list[dict[str, str]] | None = None, **facts: Any) -> bytes:
    """A submission of that form. Facts: version, deprecated_id, direction, photo, end, form_id."""
    replaces = f"<deprecatedID>{facts['deprecated_id']}</deprecatedID>" if facts.get("deprecated_id") else ""
    persons = "".join(
        "<personnes>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in one.items()) + "</personnes>"
        for one in people or []
    )
    end = facts.get("end", NOW - timedelta(hours=2))
    return (
        f'<data id="{facts.get("form_id", "passage")}" version="{facts.get("version", "1")}">'
        f"<start>{(end - timedelta(minutes=4)).isoformat()}</start><end>{end.isoformat()}</end>"
        f"<direction>{facts.get('direction', 'entree')}</direction>{persons}<photo>{facts.get('photo', '')}</photo>"
        f"<site/><village/><meta><instanceID>{instance_id}</instanceID>{replaces}</meta></data>"
    ).encode()


def add_submission(
    session: Session, instance_id: str, people: list[dict[str, str]] | None = None, **facts: Any
) -> Submission:
    """A submission as intake leaves it; further facts: received_at, twin_of_id, is_draft, device, site, body."""
    body = facts.get("body") or xml(instance_id, people, **facts)
    device = facts.get("device")
    row = Submission(
        form_id=facts.get("form_id", "passage"),
        version=facts.get("version", "1"),
        instance_id=instance_id,
        deprecated_id=facts.get("deprecated_id"),
        is_draft=facts.get("is_draft", False),
        xml=body,
        xml_sha256=sha256(body).hexdigest(),
        twin_of_id=facts.get("twin_of_id"),
        reason="twin" if facts.get("twin_of_id") else None,
        received_at=facts.get("received_at", NOW),
        device=device,
        site_id=device.site_id if device else facts.get("site_id"),
        state="quarantined" if facts.get("twin_of_id") else "received",
    )
    session.add(row)
    session.flush()
    return row


def add_site(session: Session, code: str = "ROS", **facts: Any) -> Site:
    given = {"name": "Rosso", "kind": "border_post", "created_at": NOW, **facts}
    site = Site(code=code, **given)
    session.add(site)
    session.flush()
    return site


def add_device(session: Session, site: Site, name: str = "ROS-1", **facts: Any) -> Device:
    from sync.models import Actor

    actor = Actor(kind="device", display_name=name, created_at=NOW)
    session.add(actor)
    session.flush()
    device = Device(actor_id=actor.id, site=site, name=name, enrolled_at=NOW, state_changed_at=NOW, **facts)
    session.add(device)
    session.flush()
    return device
