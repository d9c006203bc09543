"""Tables of web users, their sessions, and tablet credentials. Secrets are stored as hashes, never as they are."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sync.db import Base
from sync.models import Actor, Device, Site

ROLES = (
    "administrator", "national_supervisor", "site_supervisor", "centre_staff", "protection_officer", "data_steward",
    "form_designer", "auditor", "exchange", "relay",
)  # fmt: skip


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), unique=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)  # lower case
    password_hash: Mapped[str] = mapped_column(String(255))  # argon2id
    role: Mapped[str] = mapped_column(String(32))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    language: Mapped[str] = mapped_column(String(8), default="fr")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    must_change_password: Mapped[bool] = mapped_column(default=False)

    actor: Mapped[Actor] = relationship()
    site: Mapped[Site | None] = relationship()


class UserSession(Base):
    """A login. The cookie holds the token, the table its SHA-256, so that logging out ends it for good.

    `expires_at` makes it a program's: its token comes in a header, never in a cookie, and idleness does not end it.
    """

    __tablename__ = "user_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class LoginFailure(Base):
    """A failed login, by account and address (both as keyed hashes), for throttling."""

    __tablename__ = "login_failures"
    __table_args__ = (
        Index("ix_login_failures_account_at", "account", "at"),
        Index("ix_login_failures_address_at", "address", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    account: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))


class DeviceCredential(Base):
    """One app-user token and tablet password. Rotation adds a row and sets `replaced_at` on the old one.

    A replaced or expired credential reads nothing, but may still send for the grace period: Collect makes a new
    project of a new address, and finalised records stay behind in the old one.
    """

    __tablename__ = "device_credentials"

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    password_sha256: Mapped[str] = mapped_column(String(64))  # 128 random bits or more need no slow hash
    ha1: Mapped[bytes] = mapped_column(LargeBinary)  # Digest's MD5 secret, encrypted
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    device: Mapped[Device] = relationship()
