"""What comes down: the centre tells a relay of tablets' states, erasures, decisions, sites, forms, follow-up lists.

A relay is told of entities that are for the tablets of its own sites, and of no others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from forms.xform import parse_form
from sync.branches import Issued
from sync.devices import change_device_state, find_device
from sync.entity_decisions import get_entity
from sync.entity_fold import fold_whole
from sync.entity_lists import Receiver, read_view, select_visible
from sync.entity_state import read_contents
from sync.models import (
    Blob,
    Entity,
    EntityGround,
    EntityList,
    FormVersion,
    IssuedVersion,
    Relay,
    RelayedDevice,
    RelayedEntity,
    RelayedSite,
    Site,
)
from sync.numbering import FIRST_SHARED, slot_of
from sync.policy import programme
from sync.publishing import FormFile, change_form_state, find_form_version, list_versions, publish_form
from sync.registry import lock_registry
from sync.relaying.belonging import is_theirs
from sync.relaying.decisions import list_decisions, take_decisions
from sync.relaying.erasures import (
    confirm_erasures,
    forget_erased,
    list_erased_entities,
    list_erasures,
    list_owed_entities,
    read_erased,
    take_erasures,
)
from sync.relaying.lines import (
    EntityLine,
    ErasureLine,
    FactLine,
    FormLine,
    Line,
    ReceiptLine,
    RelayRefused,
    SiteLine,
    StateLine,
    of_kind,
    receipt_for,
)
from sync.relaying.receipts import list_untold, note_receipts
from sync.relaying.taking import take_each
from sync.sites import SiteDetails, add_site, change_site, find_site


@dataclass(frozen=True, slots=True)
class Lack:
    """What of a form is not here: its XML, and files by name and SHA-256."""

    xml: bool
    files: dict[str, str]


def list_down(session: Session, relay: Relay, now: datetime) -> Iterator[Line]:
    """Everything that the relay has not taken, in the order in which it is to be taken."""
    sites = [one.site for one in session.scalars(select(RelayedSite).filter_by(relay_id=relay.site_id))]
    told: tuple[Callable[[], Iterator[Line]], ...] = (
        # Somebody's safety may hang on a revocation.
        lambda: _list_states(session, relay),
        lambda: iter(list_erasures(session, relay) if _understands(relay) else []),
        lambda: list_decisions(session, relay) if _heeds(relay) else iter(()),
        lambda: _list_sites(session),
        lambda: _list_forms(session, sites),
        lambda: _list_entities(session, relay, sites, now),
    )
    for lines in told:
        yield from list_untold(session, relay.site_id, lines())


def _list_sites(session: Session) -> Iterator[SiteLine]:
    for one in session.scalars(select(Site).order_by(Site.code)):
        yield SiteLine(
            code=one.code,
            title=one.name,
            kind=one.kind,
            region=one.region or "",
            capacity="" if one.capacity is None else str(one.capacity),
            languages=one.languages,
            phone=one.phone,
            closed=one.closed_at is not None,
        )


def _list_forms(session: Session, sites: Sequence[Site]) -> Iterator[FormLine]:
    """The versions of forms that tablets of these kinds of site are given; the oldest first, as they were published."""
    kinds = {one.kind for one in sites}
    for one in sorted(list_versions(session), key=lambda one: one.id):
        if one.state != "draft" and kinds & set(programme().policy_for(one.form.form_id).site_kinds):
            yield describe_form(one)


def describe_form(version: FormVersion) -> FormLine:
    """A published version as it is told to relays; what the server makes itself is no file of it."""
    files = [(one.name, one.blob_sha256) for one in version.attachments if one.blob_sha256]
    return FormLine(version.form.form_id, version.version, version.state, version.sha256, files)


def _list_states(session: Session, relay: Relay) -> Iterator[StateLine]:
    """The states that the centre gave; of its own word a post needs no telling, and may take it back meanwhile."""
    devices = select(RelayedDevice).filter_by(relay_id=relay.site_id).order_by(RelayedDevice.name)
    for one in session.scalars(devices):
        if not is_theirs(one):
            yield StateLine(one.name, one.device.state, one.device.state_changed_at, one.state_changed_at)


def _list_entities(session: Session, relay: Relay, sites: Sequence[Site], now: datetime) -> Iterator[EntityLine]:
    """The entities that tablets of these sites get, and those that they got and get no more."""
    told = set(session.scalars(select(RelayedEntity.entity_id).filter_by(relay_id=relay.site_id)))
    seen, erased = set[int](), list_erased_entities(session) if _understands(relay) else set[int]()
    for name in session.scalars(select(EntityList.name).order_by(EntityList.name)).all():
        for entity in _list_visible(session, name, sites, now):
            seen.add(entity.id)
            if entity.id not in told:
                # Noted before it is told: whoever was given an entity is also told that it is gone.
                given = read_erased(session, entity)[0] if entity.id in erased else 0
                session.add(RelayedEntity(relay_id=relay.site_id, entity_id=entity.id, erasures=given))
            yield _describe_entity(session, relay, entity, is_erased=entity.id in erased)
    session.flush()
    for gone in session.scalars(select(Entity).where(Entity.id.in_(told - seen)).order_by(Entity.id)).all():
        yield from _tell_gone(session, relay, gone)


def _tell_gone(session: Session, relay: Relay, gone: Entity) -> Iterator[EntityLine]:
    """That the relay's tablets get it no more, until the relay took that."""
    # The moment is the entity's own: the same line until something changes.
    moment = gone.deleted_at or max((one.issued_at for one in gone.issued), default=relay.enrolled_at)
    line = EntityLine(gone.list_name, gone.uuid, gone.version, "", {}, _own_keys(gone, relay), moment)
    if any(list_untold(session, relay.site_id, [line])):
        yield line
    else:
        session.delete(session.get_one(RelayedEntity, (relay.site_id, gone.id)))


def _list_visible(session: Session, name: str, sites: Sequence[Site], now: datetime) -> Iterator[Entity]:
    known = set[int]()
    for site in sites:
        view = read_view(session, name, Receiver(site.code, site.kind, site.region), now)
        for one in session.scalars(select_visible(view)) if view.codes else ():
            if one.id not in known:
                known.add(one.id)
                yield one


def _describe_entity(session: Session, relay: Relay, entity: Entity, *, is_erased: bool) -> EntityLine:
    hidden = programme().policy_for_list(entity.list_name).server_only
    values = {key: value for key, value in entity.properties.items() if key not in hidden}
    return EntityLine(
        list_name=entity.list_name,
        uuid=entity.uuid,
        number=entity.version,
        label=entity.label,
        properties=values,
        contains=_own_keys(entity, relay),
        gone_at=None,
        erased=read_erased(session, entity) if is_erased else None,
    )


def _own_keys(entity: Entity, relay: Relay) -> list[str]:
    """What came from the relay and is inside the number that is served: all that it ever put into one of its own.

    Most entities no relay ever numbered: of these nothing more is read.
    """
    if entity.version < FIRST_SHARED:
        return []
    own = {key for one in entity.issued if slot_of(one.number) == relay.number for key in one.added}
    if not own:
        return []
    rows = [Issued(one.number, one.added, one.removed, one.after) for one in entity.issued]
    return sorted(read_contents(rows)[1] & own)


def _understands(relay: Relay) -> bool:
    """Whether the program at the post takes erasures in: one of an older version would confirm what it did not do."""
    return bool(relay.told.get("erases"))


def _heeds(relay: Relay) -> bool:
    """The same, of what was decided at the centre."""
    return bool(relay.told.get("heeds"))


def note_taken(session: Session, relay: Relay, receipts: Sequence[ReceiptLine]) -> None:
    """Note what the relay took of what it was told, and what it has erased with that; twice is once."""
    note_receipts(session, relay.site_id, receipts)
    if not receipts or not _understands(relay):
        return
    confirm_erasures(session, relay)
    for one, due in list_owed_entities(session):
        if one.relay_id == relay.site_id and not _is_untold(session, relay, one.entity_id):
            one.erasures += len(due)
    session.flush()


def _is_untold(session: Session, relay: Relay, entity_id: int) -> bool:
    line = _describe_entity(session, relay, session.get_one(Entity, entity_id), is_erased=True)
    return any(list_untold(session, relay.site_id, [line]))


def find_needed(session: Session, lines: Sequence[Line]) -> list[FormLine]:
    """The forms of which something must be fetched before these lines can be taken."""
    return [one for one in of_kind(lines, FormLine) if one.state == "open" and not _is_here(session, one)]


def find_lack(session: Session, line: FormLine) -> Lack:
    """What must be fetched of a form: of its files those that are here under no name."""
    told: dict[str, str] = dict(line.files)
    here = set(session.scalars(select(Blob.sha256).where(Blob.sha256.in_(told.values()))))
    lacking = {name: sha256 for name, sha256 in told.items() if sha256 not in here}
    return Lack(xml=_find_same(session, line) is None, files=lacking)


def _find_same(session: Session, line: FormLine) -> FormVersion | None:
    known = find_form_version(session, line.form_id, line.version)
    return known if known is not None and known.sha256 == line.sha256 else None


def _is_here(session: Session, line: FormLine) -> bool:
    known = _find_same(session, line)
    held = [(one.name, one.blob_sha256) for one in known.attachments] if known is not None else []
    return known is not None and all(one in held for one in line.files)


def take_down(
    session: Session, lines: Sequence[Line], forms: Mapping[str, bytes], now: datetime
) -> tuple[list[ReceiptLine], list[str]]:
    """Take in what the centre tells, twice is once; return the receipts, and a code for each line that stays out.

    `forms` are the XML of forms by their SHA-256; their files are in the store, and known.
    """
    receipts, refused = take_each(session, lines, partial(_take_together, session, forms=forms, now=now))
    return [one for some in receipts for one in some], refused


def _take_together(
    session: Session, lines: Sequence[Line], forms: Mapping[str, bytes], now: datetime
) -> list[ReceiptLine]:
    for site in of_kind(lines, SiteLine):
        _take_site(session, site, now)
    for form in of_kind(lines, FormLine):
        _take_form(session, form, forms, now)
    for state in of_kind(lines, StateLine):
        _take_state(session, state, now)
    take_decisions(session, of_kind(lines, FactLine), now)
    take_erasures(session, of_kind(lines, ErasureLine), now)
    _take_entities(session, of_kind(lines, EntityLine), now)
    return [receipt_for(one) for one in lines if not isinstance(one, ReceiptLine)]


def _take_state(session: Session, line: StateLine, now: datetime) -> None:
    """Obey, unless the tablet was given another state here of which the centre did not know; a revocation always."""
    device = find_device(session, line.device)
    if device is not None and (line.state == "revoked" or device.state_changed_at == line.instead_of):
        change_device_state(session, device, line.state, min(line.changed_at, now), obeyed_at=line.changed_at)


def _take_site(session: Session, line: SiteLine, now: datetime) -> None:
    details = SiteDetails(line.title, line.kind, line.region, line.capacity, line.languages, line.phone)
    site = find_site(session, line.code) or add_site(session, line.code, details, None, now)
    change_site(session, site, details, line.closed, None, now)


def _take_form(session: Session, line: FormLine, forms: Mapping[str, bytes], now: datetime) -> None:
    if line.state == "open" and not _is_here(session, line):
        _publish(session, line, forms, now)
    known = find_form_version(session, line.form_id, line.version)
    if known is not None and known.state != line.state:
        change_form_state(session, line.form_id, line.version, line.state, now)


def _publish(session: Session, line: FormLine, forms: Mapping[str, bytes], now: datetime) -> None:
    """Open the form to tablets, or give it a file that it lacked; never in parts, which tablets would take for all."""
    lack, same = find_lack(session, line), _find_same(session, line)
    xml = same.xml if same is not None else forms.get(line.sha256)
    if xml is None or lack.files:
        raise RelayRefused("relay_form", form_id=line.form_id, version=line.version)
    publish_form(session, FormFile(xml, parse_form(xml)), dict(line.files), None, now)


def _take_entities(session: Session, lines: Sequence[EntityLine], now: datetime) -> None:
    if not lines:
        return
    lock_registry(session)
    touched = []
    for line in lines:
        entity = get_entity(session, line.list_name, line.uuid)
        known = session.get(EntityGround, entity.id) or EntityGround(entity_id=entity.id, erasures=0)
        known.number, known.label, known.properties = line.number, line.label, line.properties
        known.contains, known.deleted_at = line.contains, line.gone_at
        session.add(known)
        if line.gone_at is not None:
            _forget_served(session, entity)
        forget_erased(session, known, line, now)
        touched.append(entity.id)
    session.flush()
    fold_whole(session, touched, now)
    session.expire_all()


def _forget_served(session: Session, entity: Entity) -> None:
    """A relay holds what its own tablets need: of what they need no more, the numbers alone stay."""
    served = update(IssuedVersion).where(IssuedVersion.entity_id == entity.id)
    session.execute(served.values(label="", properties={}))
