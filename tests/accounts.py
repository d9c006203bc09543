"""Accounts for tests: users of every role, logged in through the front door."""

from datetime import UTC, datetime

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from server.accounts.models import User
from server.accounts.users import add_user
from sync.models import Site
from sync.policy import SITE_ROLES

PASSWORD = "baobab-sous-la-pluie"


def add_site(session: Session, code: str = "ROSSO", kind: str = "border_post") -> Site:
    site = session.scalar(select(Site).where(Site.code == code))
    if site is None:
        site = Site(code=code, name=code.title(), kind=kind, created_at=datetime.now(UTC))
        session.add(site)
        session.flush()
    return site


def add_account(session: Session, role: str = "administrator", site: Site | None = None, **given: str) -> User:
    """An account of this role; roles of one site get the site of Rosso unless another is given."""
    home = site or (add_site(session) if role in SITE_ROLES else None)
    email = given.pop("email", f"{role}.{home.code if home else 'all'}@teral.test".lower())
    user = add_user(session, email=email, role=role, site=home, password=PASSWORD, now=datetime.now(UTC), **given)  # type: ignore[arg-type]
    session.commit()
    return user


def log_in(client: FlaskClient, user: User) -> FlaskClient:
    email, session = user.email, object_session(user)
    if session:
        session.rollback()  # the request begins a transaction of its own
    answer = client.post("/login", data={"email": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    if session:
        session.rollback()  # what the request wrote can be seen from now on
    return client
