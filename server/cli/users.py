"""`teral users`: accounts of the web pages, for whoever stands at the server."""

import os
from datetime import UTC, datetime

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import User
from server.accounts.users import AccountRefused, add_user, find_user, list_users, reset_password
from server.cli.context import print_json, with_app
from server.extensions import db
from sync.db import begin_write
from sync.models import Site


@click.group("users")
def users_group() -> None:
    """Accounts of people who log in to the web pages."""


@users_group.command("add")
@click.argument("email")
@click.option("--role", required=True)
@click.option("--site", "site_code", help="Code of the site, for roles of one site.")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
@with_app
def add_command(email: str, role: str, site_code: str | None, language: str) -> None:
    """Add an account; the password comes from TERAL_PASSWORD or is asked for."""
    # Asked for before the session is open: on SQLite no tablet could send while somebody types.
    password = _ask_password()
    session = _open_session()
    try:
        user = add_user(
            session, email=email, role=role, site=_find_site(session, site_code), language=language,
            password=password, now=datetime.now(UTC),
        )  # fmt: skip
    except AccountRefused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{user.email}: {user.role}")


@users_group.command("list")
@click.option("--json", "as_json", is_flag=True)
@with_app
def list_command(as_json: bool) -> None:
    """List the accounts."""
    rows = [_describe(one) for one in list_users(db.session())]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("\t".join(str(value or "") for value in row.values()))


@users_group.command("reset-password")
@click.argument("email")
@with_app
def reset_command(email: str) -> None:
    """Print a new password for one use."""
    session = _open_session()
    user = find_user(session, email)
    if user is None:
        raise click.ClickException("There is no such account.")
    click.echo(reset_password(session, user, datetime.now(UTC)))


def _open_session() -> Session:
    begin_write(db.session())
    return db.session()


def _find_site(session: Session, code: str | None) -> Site | None:
    site = session.scalar(select(Site).where(Site.code == code)) if code else None
    if code and site is None:
        raise AccountRefused("site_unknown")
    return site


def _describe(user: User) -> dict[str, object]:
    return {
        "email": user.email, "role": user.role, "site": user.site.code if user.site else None,
        "language": user.language, "disabled": user.disabled_at is not None,
    }  # fmt: skip


def _ask_password() -> str:
    given = os.environ.get("TERAL_PASSWORD")
    return given or str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
