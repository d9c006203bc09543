"""Entity lists as tablets get them: which there are, and of each the rows that one site may have.

What an entity says is entity_fold.py's work; who receives a list is the programme's word (forms/programme.py).
"""

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from forms.definition import EntityDeclaration
from sync.models import Entity, EntityList, FormAttachment
from sync.policy import programme

_SUFFIX = ".csv"
# Without these three Collect gives up the whole update of a list.
_COLUMNS = ("name", "label", "__version")


@dataclass(frozen=True, slots=True)
class Receiver:
    """The site whose tablet asks."""

    code: str
    kind: str


def register_lists(session: Session, declarations: Iterable[EntityDeclaration]) -> None:
    """Make known what a form declares; forms that named such a list as a file get it from now on."""
    for one in declarations:
        kept = session.scalar(select(EntityList).where(EntityList.name == one.list_name))
        if kept is None:
            kept = EntityList(name=one.list_name, properties=[])
            session.add(kept)
        fresh = [name for name, _path in one.save_to if name not in kept.properties]
        kept.properties = [*kept.properties, *fresh]
        session.flush()
        named = update(FormAttachment).where(FormAttachment.name == one.list_name + _SUFFIX)
        session.execute(named.where(FormAttachment.blob_sha256.is_(None)).values(server_made=True))


def find_list_name(session: Session, filename: str) -> str | None:
    """Find the entity list that a form's file stands for: one that a form declares or the programme knows."""
    name = filename.removesuffix(_SUFFIX)
    if name == filename:
        return None
    declared = session.scalar(select(EntityList.id).where(EntityList.name == name))
    return name if declared is not None or name in programme().lists else None


def render_entity_csv(session: Session, name: str, receiver: Receiver | None) -> bytes:
    """Make a list's CSV with the rows of the receiver's site: the same bytes as long as nothing visible changes."""
    declared = session.scalar(select(EntityList.properties).where(EntityList.name == name)) or []
    properties = list(dict.fromkeys([*programme().policy_for_list(name).properties, *declared]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *properties])
    writer.writerows(_row(one, properties) for one in _list_visible(session, name, receiver))
    return text.getvalue().encode()


def list_gone(session: Session, name: str, uuids: Collection[str], receiver: Receiver | None) -> dict[str, bool]:
    """Say of each entity that was ever served whether it is gone for this receiver, deleted or out of its sight.

    What is not here yet is left out: its record may still be on its way, and Collect then keeps its own row.
    """
    served = select(Entity.uuid).where(Entity.list_name == name, Entity.uuid.in_(uuids), Entity.version > 0)
    visible = {one.uuid for one in _list_visible(session, name, receiver, uuids)}
    return {uuid: uuid not in visible for uuid in sorted(session.scalars(served))}


def _list_visible(
    session: Session, name: str, receiver: Receiver | None, among: Collection[str] | None = None
) -> Sequence[Entity]:
    # A blank code matches nothing: such a row is not open, and nobody is at no site.
    if receiver is None or receiver.kind not in programme().policy_for_list(name).site_kinds:
        return []
    visible = select(Entity).where(Entity.list_name == name, Entity.is_open, Entity.site_code == receiver.code)
    if among is not None:
        visible = visible.where(Entity.uuid.in_(among))
    return session.scalars(visible.order_by(Entity.uuid)).all()


def _row(entity: Entity, properties: list[str]) -> list[object]:
    values = [entity.properties.get(name, "") for name in properties]
    return [entity.uuid, entity.label or entity.uuid, entity.version, *values]
