"""Entity lists as tablets get them: which there are, and of each the rows that one site may have.

What an entity says is entity_fold.py's work; who receives a list is the programme's word (forms/programme.py).
"""

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, or_, select, update
from sqlalchemy.orm import Session

from forms.definition import EntityDeclaration
from forms.programme import ListPolicy
from sync.entity_state import EntityState
from sync.models import (
    Entity,
    EntityContribution,
    EntityList,
    EntityView,
    FormAttachment,
    IssuedVersion,
    Site,
    Submission,
)
from sync.policy import programme

_SUFFIX = ".csv"
# Without these three Collect gives up the whole update of a list.
_COLUMNS = ("name", "label", "__version")


@dataclass(frozen=True, slots=True)
class Receiver:
    """The site whose tablet asks."""

    code: str
    kind: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class ListView:
    """What one tablet gets of a list: the open rows of these sites. Of two equal ones the bytes are the same.

    `generations` counts the changes at each of the sites; `today` is None where no row grows too old.
    """

    name: str
    properties: tuple[str, ...]
    codes: tuple[str, ...]
    generations: tuple[tuple[str, int], ...]
    today: date | None


def register_lists(session: Session, declarations: Iterable[EntityDeclaration]) -> None:
    """Make known what a form declares; forms that named such a list as a file get it from now on."""
    for one in declarations:
        register_list(session, one.list_name, [name for name, _path in one.save_to])


def register_list(session: Session, name: str, properties: Iterable[str]) -> EntityList:
    """Make a list known with at least these properties; forms that named it as a file get it from now on."""
    kept = session.scalar(select(EntityList).where(EntityList.name == name))
    if kept is None:
        kept = EntityList(name=name, properties=[])
        session.add(kept)
    kept.properties = [*kept.properties, *(one for one in properties if one not in kept.properties)]
    session.flush()
    named = update(FormAttachment).where(FormAttachment.name == name + _SUFFIX)
    session.execute(named.where(FormAttachment.blob_sha256.is_(None)).values(server_made=True))
    return kept


def find_list_name(session: Session, filename: str) -> str | None:
    """Find the entity list that a form's file stands for: one that a form declares or the programme knows."""
    name = filename.removesuffix(_SUFFIX)
    if name == filename:
        return None
    declared = session.scalar(select(EntityList.id).where(EntityList.name == name))
    return name if declared is not None or name in programme().lists else None


def read_view(session: Session, name: str, receiver: Receiver | None, now: datetime) -> ListView:
    """Say what this receiver gets of the list today, without reading a row of it."""
    policy = programme().policy_for_list(name)
    declared = session.scalar(_DECLARED, {"name": name}) or []
    columns = dict.fromkeys([*policy.properties, *declared])
    codes = _list_codes(session, policy, receiver)
    changes = session.execute(_GENERATIONS, {"name": name, "codes": codes}) if codes else ()
    return ListView(
        name,
        properties=tuple(one for one in columns if one not in policy.server_only),
        codes=tuple(codes),
        generations=tuple(sorted((code, number) for code, number in changes)),
        today=now.astimezone(UTC).date() if policy.date_property else None,
    )


def render_entity_csv(session: Session, view: ListView) -> bytes:
    """Make the list's CSV as this view shows it; read the view first, so that no change goes unseen."""
    return _write_csv(view, session.connection().execute(*_visible(view)) if view.codes else ())


def render_earlier_csv(session: Session, view: ListView, at: datetime) -> bytes:
    """Make the list's CSV as this view showed it then, from what was served under which number.

    An entity that has moved to a site beyond the view since is left out; so is nothing else that can be known.
    """
    facts = {"name": view.name, "codes": list(view.codes), "at": at}
    served = session.connection().execute(_SERVED_BY_THEN, facts) if view.codes else ()
    latest = {uuid: (uuid, label, number, values) for uuid, number, label, values in served}
    return _write_csv(view, [row for row in latest.values() if _was_visible(view, row)])


_Row = tuple[str, str, int, dict[str, Any]]


def _write_csv(view: ListView, rows: Iterable[Any]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *view.properties])
    for uuid, label, version, values in rows:
        writer.writerow([uuid, label or uuid, version, *[values.get(name, "") for name in view.properties]])
    return text.getvalue().encode()


def _was_visible(view: ListView, row: _Row) -> bool:
    policy = programme().policy_for_list(view.name)
    state = EntityState(view.name, row[0], properties=row[3], exists=True)
    until = state.open_until(policy)
    in_time = view.today is None or (until is not None and until >= view.today)
    # Where a row goes that follows another one is in no value of its own; that it is at one of the sites is known.
    at_site = bool(policy.follows) or state.site_code(policy) in view.codes
    return state.is_open(policy) and at_site and in_time


def list_gone(session: Session, view: ListView, uuids: Collection[str]) -> dict[str, bool]:
    """Say of each entity that was ever served, or whose creation was rejected, whether it is gone for this view.

    What is not here yet, or still waits for somebody's word, is left out: Collect then keeps its own row.
    """
    among = Entity.uuid.in_(uuids)
    settled = or_(Entity.version > 0, _CREATED.where(_REJECTED).exists() & ~_CREATED.where(~_REJECTED).exists())
    known = select(Entity.uuid).where(Entity.list_name == view.name, among, settled)
    statement, facts = _visible(view)
    visible = {row.uuid for row in session.execute(statement.where(among), facts)} if view.codes else set()
    return {uuid: uuid not in visible for uuid in sorted(session.scalars(known))}


_CREATED = (
    select(EntityContribution.id)
    .join(Submission, Submission.id == EntityContribution.submission_id)
    .where(EntityContribution.entity_id == Entity.id, EntityContribution.action != "update")
)
_REJECTED = Submission.state == "rejected"


_DECLARED = select(EntityList.properties).where(EntityList.name == bindparam("name"))
_GENERATIONS = select(EntityView.site_code, EntityView.generation).where(
    EntityView.list_name == bindparam("name"), EntityView.site_code.in_(bindparam("codes", expanding=True))
)
_ROWS = (
    select(Entity.uuid, Entity.label, Entity.version, Entity.properties)
    .where(Entity.list_name == bindparam("name"), Entity.is_open)
    .where(Entity.site_code.in_(bindparam("codes", expanding=True)))
    .order_by(Entity.uuid)
)
_SERVED_BY_THEN = (
    select(Entity.uuid, IssuedVersion.number, IssuedVersion.label, IssuedVersion.properties)
    .join(IssuedVersion, IssuedVersion.entity_id == Entity.id)
    .where(Entity.list_name == bindparam("name"), Entity.site_code.in_(bindparam("codes", expanding=True)))
    .where(IssuedVersion.issued_at <= bindparam("at"))
    .order_by(Entity.uuid, IssuedVersion.number)
)
_ROWS_OF_DAY = _ROWS.where(Entity.open_until >= bindparam("today"))


def select_visible(view: ListView) -> Select[Entity]:
    """The entities that this view shows."""
    found = select(Entity).where(Entity.list_name == view.name, Entity.is_open, Entity.site_code.in_(view.codes))
    found = found if view.today is None else found.where(Entity.open_until >= view.today)
    return found.order_by(Entity.uuid)


def _visible(view: ListView) -> tuple[Select[str, str, int, dict[str, Any]], dict[str, Any]]:
    facts: dict[str, Any] = {"name": view.name, "codes": list(view.codes)}
    return (_ROWS, facts) if view.today is None else (_ROWS_OF_DAY, {**facts, "today": view.today})


def _list_codes(session: Session, policy: ListPolicy, receiver: Receiver | None) -> list[str]:
    # A blank code matches nothing: such a row is not open, and nobody is at no site.
    if receiver is None or not receiver.code:
        return []
    if receiver.kind in policy.region_kinds and receiver.region:
        below = Site.region.startswith(f"{receiver.region}-", autoescape=True)
        codes = session.scalars(select(Site.code).where(or_(Site.region == receiver.region, below)))
        return sorted({receiver.code, *codes})
    return [receiver.code] if receiver.kind in (*policy.site_kinds, *policy.region_kinds) else []
