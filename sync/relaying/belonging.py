"""What belongs to a relay: its sites, its tablets, and the records that it told of. It speaks of nothing else."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sync.intake import Sender
from sync.models import Relay, RelayedDevice, RelayedRecord, RelayedSite, Site, Submission
from sync.relaying.lines import RelayRefused


def find_relay(session: Session, actor_id: int) -> Relay | None:
    """The relay that this account is of."""
    return session.scalar(select(Relay).where(Relay.actor_id == actor_id))


def find_own_site(session: Session, relay: Relay, code: str | None) -> Site:
    """The site of this code if it is behind the relay, else the relay's own: a post speaks for nobody else's."""
    own = select(Site).join(RelayedSite).where(RelayedSite.relay_id == relay.site_id, Site.code == code)
    return session.scalar(own) or relay.site


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
    sites = select(RelayedSite.site_id).where(RelayedSite.relay_id == relay.site_id)
    devices = select(RelayedDevice.device_id).where(RelayedDevice.relay_id == relay.site_id)
    own = or_(Submission.site_id == relay.site_id, Submission.site_id.in_(sites), Submission.device_id.in_(devices))
    if session.scalar(select(Submission.id).where(Submission.id == record.id, own)) is None:
        raise RelayRefused("relay_foreign")


def as_sender(known: RelayedRecord) -> Sender:
    """Who sent a record, as the relay told of it."""
    return Sender(
        device_id=known.device_id,
        site_id=known.site_id,
        collect_id=known.collect_id,
        user_agent=known.user_agent,
    )
