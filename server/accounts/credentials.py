"""Tablet credentials: enrol, rotate, revoke, and find whose token or password it is, in one statement.

The secrets themselves are made and hashed in secrets.py; the sheet that carries the QR is enrolment_sheet.py.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, exists, literal_column, select, update
from sqlalchemy.orm import Session

from server.accounts.collect_settings import collect_settings, server_url
from server.accounts.digest import ha1
from server.accounts.models import DeviceCredential
from server.accounts.secrets import hash_secret, make_password, make_token, seal, unseal
from server.config import Settings
from sync.audit import add_audit_event
from sync.devices import add_device, change_device_state, check_device_name
from sync.models import Catalogue, Device, Site, Submission
from sync.prepared import Prepared

HA1_PURPOSE = "digest ha1"

Right = Literal["all", "send", "none"]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a tablet needs to take part. Shown once: only hashes of it are kept."""

    device: str
    server_url: str
    token: str
    username: str
    password: str
    settings: dict[str, Any]
    site: str
    language: str


@dataclass(frozen=True, slots=True)
class Holder:
    """The tablet behind a credential, what it may do now, and the catalogue's generation read with it."""

    device_id: int
    actor_id: int
    site_id: int
    site_kind: str
    language: str
    right: Right
    generation: int
    is_in_use: bool  # neither drained nor lost: such a tablet gets empty lists before it is shut out
    has_quarantined: bool  # records that an officer should hear of
    password_sha256: str
    sealed_ha1: bytes


def enrol_device(
    session: Session, settings: Settings, site: Site, name: str, now: datetime, language: str = "fr",
    by: int | None = None,
) -> Enrolment:  # fmt: skip
    """Add a tablet at a site and return its secrets, which can be read this once."""
    check_device_name(session, name)
    device = add_device(session, site, name, language, now)
    add_audit_event(session, by, "device.enrolled", f"device:{device.id}", now)
    return _issue(session, settings, device, now)


def rotate_credential(
    session: Session, settings: Settings, device: Device, now: datetime, by: int | None = None
) -> Enrolment:
    """Give a tablet new secrets. The old ones read nothing from now on, but may send what waits on the tablet."""
    current = (DeviceCredential.device_id == device.id) & DeviceCredential.replaced_at.is_(None)
    session.execute(update(DeviceCredential).where(current).values(replaced_at=now))
    if device.state == "revoked":
        change_device_state(session, device, "active", now, by)
    add_audit_event(session, by, "device.code_renewed", f"device:{device.id}", now)
    return _issue(session, settings, device, now)


def revoke_device(session: Session, device: Device, now: datetime, by: int | None = None) -> None:
    """Refuse everything of this tablet from its next request on."""
    current = (DeviceCredential.device_id == device.id) & DeviceCredential.revoked_at.is_(None)
    session.execute(update(DeviceCredential).where(current).values(revoked_at=now))
    change_device_state(session, device, "revoked", now, by)


def revoke_secrets(session: Session, now: datetime) -> None:
    """Let no secret of a tablet live on that was revoked elsewhere: once it is in use again it needs new ones."""
    revoked = DeviceCredential.device_id.in_(select(Device.id).where(Device.state == "revoked"))
    living = update(DeviceCredential).where(revoked, DeviceCredential.revoked_at.is_(None))
    session.execute(living.values(revoked_at=now).execution_options(synchronize_session=False))


def _issue(session: Session, settings: Settings, device: Device, now: datetime) -> Enrolment:
    token, password = make_token(), make_password()
    username = f"t{device.id}-{make_password()[:6]}"
    session.add(
        DeviceCredential(
            device=device,
            token_sha256=hash_secret(token),
            username=username,
            password_sha256=hash_secret(password),
            ha1=seal(settings.secret_key, HA1_PURPOSE, ha1(username, password).encode()),
            created_at=now,
        )
    )
    session.flush()
    return Enrolment(
        device=device.name,
        server_url=server_url(settings, token),
        token=token,
        username=username,
        password=password,
        settings=collect_settings(settings, device, token),
        site=device.site.code,
        language=device.language,
    )


_HOLDER = (
    select(
        Device.id, Device.actor_id, Device.site_id, Site.kind, Device.language, Device.state,
        DeviceCredential.password_sha256, DeviceCredential.ha1, DeviceCredential.expires_at,
        DeviceCredential.replaced_at, DeviceCredential.revoked_at,
        select(Catalogue.generation).limit(1).scalar_subquery().label("generation"),
        # Naming the form makes SQLite choose the partial index, which holds quarantined records only.
        exists().where(
            Submission.device_id == Device.id, Submission.state == literal_column("'quarantined'"),
            Submission.form_id >= "",
        ).correlate(Device).label("has_quarantined"),
    )
    .join_from(DeviceCredential, Device, Device.id == DeviceCredential.device_id)
    .join(Site, Site.id == Device.site_id)
)  # fmt: skip
_BY_TOKEN = Prepared(_HOLDER.where(DeviceCredential.token_sha256 == bindparam("token")))
_BY_USERNAME = Prepared(_HOLDER.where(DeviceCredential.username == bindparam("username")))


def find_credential_by_token(connection: Connection, token: str, now: datetime, grace_days: int) -> Holder | None:
    """Find who holds a token; None when nobody ever did."""
    row = _BY_TOKEN.first(connection, {"token": hash_secret(token)})
    return _holder(row, now, grace_days) if row else None


def find_credential_by_username(connection: Connection, username: str, now: datetime, grace_days: int) -> Holder | None:
    """Find who holds a tablet's user name; None when nobody ever did. The password is checked by the caller."""
    row = _BY_USERNAME.first(connection, {"username": username})
    return _holder(row, now, grace_days) if row else None


def is_password_of(holder: Holder, password: str) -> bool:
    return hmac.compare_digest(holder.password_sha256, hash_secret(password))


def read_ha1(holder: Holder, secret_key: str) -> str:
    return unseal(secret_key, HA1_PURPOSE, holder.sealed_ha1).decode()


def _holder(row: Row[*tuple[Any, ...]], now: datetime, grace_days: int) -> Holder:
    return Holder(
        device_id=row.id,
        actor_id=row.actor_id,
        site_id=row.site_id,
        site_kind=row.kind,
        language=row.language,
        right=_decide_right(row, now, timedelta(days=grace_days)),
        generation=row.generation or 0,
        is_in_use=row.state == "active",
        has_quarantined=row.has_quarantined,
        password_sha256=row.password_sha256,
        sealed_ha1=row.ha1,
    )


def _decide_right(row: Row[*tuple[Any, ...]], now: datetime, grace: timedelta) -> Right:
    """Everything, sending only, or nothing.

    Collect makes a new project of a new address, and finalised records stay behind in the old one: a credential that
    was replaced or has run out may still send for a while. A revoked one may be in wrong hands.
    """
    if row.revoked_at is not None or row.state == "revoked":
        return "none"
    ended = min((at for at in (row.replaced_at, row.expires_at) if at is not None), default=None)
    if ended is None or now < ended:
        return "all"
    return "send" if now < ended + grace else "none"
