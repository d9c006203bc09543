"""Entity lists for the tablet that asks: its own rows under a hash of their bytes, and which of its rows are gone."""

from dataclasses import replace
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.openrosa.catalogue import FileFacts, FormFacts
from server.openrosa.room import Visit
from sync.entity_lists import Receiver, list_gone, read_view, render_entity_csv
from sync.models import Site
from sync.parts import fit


def fill_entity_lists(visit: Visit, form: FormFacts) -> FormFacts:
    """The form with the hashes that this tablet's lists have now; the very same where it has no entity list."""
    if not any(file.entity_list for file in form.files):
        return form
    files = tuple(fill_entity_list(visit, file) if file.entity_list else file for file in form.files)
    return replace(form, files=files)


def fill_entity_list(visit: Visit, file: FileFacts) -> FileFacts:
    with visit.room.reader.connect() as connection, Session(connection) as session:
        view = read_view(session, file.entity_list or "", _receiver(session, visit), visit.caller.now)
        kept = visit.room.lists.get(view, partial(render_entity_csv, session))
    return replace(file, body=kept.body, md5=kept.md5)


def read_gone(visit: Visit, name: str) -> dict[str, bool]:
    """What became of the entities that the tablet made itself and asks about, all in one address."""
    asked = {fit(one.strip().lower()) for one in visit.request.args.get("id", "").split(",")} - {""}
    with visit.room.reader.connect() as connection, Session(connection) as session:
        return list_gone(session, read_view(session, name, _receiver(session, visit), visit.caller.now), asked)


def _receiver(session: Session, visit: Visit) -> Receiver | None:
    holder = visit.caller.holder
    # Collect refreshes the lists of listed forms only, so a drained tablet is shown its forms, and of lists nothing.
    if holder is None or not holder.is_in_use:
        return None
    site = session.execute(select(Site.code, Site.region).where(Site.id == holder.site_id)).one_or_none()
    return Receiver(site.code, holder.site_kind, site.region) if site else None
