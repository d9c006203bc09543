"""What belongs to a relay: its sites, its tablets, their records and of what these tell. It speaks of nothing else."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from sync.entity_facts import record_name
from sync.intake import Sender
from sync.models import (
    Entity,
    EntityContribution,
    IssuedVersion,
    PeerReceipt,
    PersonRecord,
    Relay,
    RelayedDevice,
    RelayedEntity,
    RelayedRecord,
    RelayedSite,
    Site,
    Submission,
)
from sync.numbering import FIRST_SHARED, SLOTS
from sync.parts import fit
from sync.relaying.lines import RelayRefused, digest_of, name_entity
from sync.sites import find_site


def find_relay(session: Session, actor_id: int) -> Relay | None:
    """The relay that this account is of."""
    return session.scalar(select(Relay).where(Relay.actor_id == actor_id))


def find_own_site(session: Session, relay: Relay, code: str | None) -> Site:
    """The site of this code if it is behind the relay, else the relay's own: a post speaks for nobody else's."""
    own = select(Site).join(RelayedSite).where(RelayedSite.relay_id == relay.site_id, Site.code == code)
    return session.scalar(own) or relay.site


def give_site(session: Session, relay: Relay, code: str | None) -> Site:
    """The same, for what the relay brings; a site of ours that nobody placed behind it is noted for the status page."""
    site = find_own_site(session, relay, code)
    unplaced = relay.told.get("unplaced", [])
    if code and code not in (site.code, *unplaced) and find_site(session, code) is not None:
        relay.told = relay.told | {"unplaced": [*unplaced, code]}
    return site


def find_relayed(
    session: Session, relay: Relay, xml_sha256: str, form_id: str, instance_id: str | None = None
) -> RelayedRecord | None:
    """What the relay told of the record with these bytes."""
    found = select(RelayedRecord).where(
        RelayedRecord.relay_id == relay.site_id,
        RelayedRecord.xml_sha256 == xml_sha256,
        RelayedRecord.form_id == form_id,
    )
    return session.scalar(found.filter_by(instance_id=instance_id) if instance_id is not None else found.limit(1))


def find_record(session: Session, xml_sha256: str, form_id: str, instance_id: str) -> Submission | None:
    """The record of this name with these bytes, whoever brought it."""
    named = {"xml_sha256": xml_sha256, "form_id": form_id, "instance_id": instance_id, "is_draft": False}
    return session.scalar(select(Submission).filter_by(**named))


def check_own(session: Session, relay: Relay, record: Submission) -> None:
    """Raise RelayRefused for a record that came neither from a tablet of the relay nor to one of its sites.

    Whoever knows the name and the hash of a record could tell of it, and then reject or erase it.
    """
    if session.scalar(select(Submission.id).where(Submission.id == record.id, _is_own(relay))) is None:
        raise RelayRefused("relay_foreign")


def check_own_persons(session: Session, relay: Relay, references: Collection[str]) -> None:
    """Raise RelayRefused where any of these is of a person in a record that is not the relay's.

    What is not here yet is nobody's.
    """
    others = select(PersonRecord.id).join(Submission, Submission.id == PersonRecord.submission_id)
    if session.scalar(others.where(PersonRecord.reference.in_(references), ~_is_own(relay)).limit(1)) is not None:
        raise RelayRefused("relay_foreign")


def check_own_entity(session: Session, relay: Relay, list_name: str, uuid: str) -> None:
    """Raise RelayRefused for an entity that is here and never was the relay's.

    It is where it was given to the relay's tablets or is at one of its sites, where a record of the relay speaks of it,
    or where the relay served it before. An entity of which only updates are here may have been made at the post.
    """
    entity_id = session.scalar(
        select(Entity.id).where(
            Entity.list_name == list_name, Entity.uuid == uuid, or_(Entity.exists, Entity.version > 0)
        )
    )
    if entity_id is not None and not session.scalar(select(_is_own_entity(relay, entity_id, list_name, uuid))):
        raise RelayRefused("relay_foreign")


def check_own_release(session: Session, relay: Relay, list_name: str, uuid: str, record: str) -> None:
    """Raise RelayRefused where the record that is no longer to wait is here and not the relay's."""
    said = select(Submission.form_id, Submission.instance_id, EntityContribution.ordinal)
    said = said.join(EntityContribution, EntityContribution.submission_id == Submission.id)
    others = said.join(Entity).where(Entity.list_name == list_name, Entity.uuid == uuid, ~_is_own(relay))
    if any(record_name(*row) == record for row in session.execute(others)):
        raise RelayRefused("relay_foreign")


def _is_own(relay: Relay) -> ColumnElement[bool]:
    """Of a submission: whether it came from a tablet of the relay or to one of its sites."""
    sites = select(RelayedSite.site_id).where(RelayedSite.relay_id == relay.site_id)
    devices = select(RelayedDevice.device_id).where(RelayedDevice.relay_id == relay.site_id)
    at = func.coalesce(Submission.site_id, 0)
    return or_(at == relay.site_id, at.in_(sites), func.coalesce(Submission.device_id, 0).in_(devices))


def _is_own_entity(relay: Relay, entity_id: int, list_name: str, uuid: str) -> ColumnElement[bool]:
    # Whoever was told that an entity is gone may have served it just before.
    taken = digest_of(name_entity(list_name, uuid))
    sites = select(Site.code).join(RelayedSite).where(RelayedSite.relay_id == relay.site_id)
    spoken = select(EntityContribution.id).join(Submission).where(EntityContribution.entity_id == entity_id)
    numbers = select(IssuedVersion.number).where(IssuedVersion.entity_id == entity_id)
    return or_(
        exists().where(RelayedEntity.relay_id == relay.site_id, RelayedEntity.entity_id == entity_id),
        exists().where(PeerReceipt.peer_id == relay.site_id, PeerReceipt.name == taken),
        exists().where(Entity.id == entity_id, Entity.site_code.in_(sites)),
        spoken.where(_is_own(relay)).exists(),
        numbers.where(IssuedVersion.number >= FIRST_SHARED, IssuedVersion.number % SLOTS == relay.number).exists(),
    )


def name_author(relay: Relay, name: str) -> str:
    """Somebody at the post, by a name that nobody of the centre has: a post speaks in no name of ours."""
    return fit(f"{name} ({relay.site.code})")


def is_theirs(known: RelayedDevice) -> bool:
    """Whether the relay gave the tablet the state in which it is here."""
    return known.taken_at == known.device.state_changed_at


def as_sender(known: RelayedRecord) -> Sender:
    """Who sent a record, as the relay told of it."""
    return Sender(
        device_id=known.device_id,
        site_id=known.site_id,
        collect_id=known.collect_id,
        user_agent=known.user_agent,
    )
