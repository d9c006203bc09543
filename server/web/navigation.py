"""The menu: only the pages that the reader may open, and where a role lands after logging in."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask, current_app, g, request, url_for

from forms.errors import N_
from server.web.addresses import filtered_url
from sync.policy import PERMISSIONS


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu; `endpoint` is its page, whose blueprint marks it as the present one."""

    label: str
    endpoint: str
    permission: str
    icon: str
    group: str = "work"


MENU = (
    Entry(N_("Sync status"), "status.home", "status.read", "pulse"),
    Entry(N_("Submissions"), "submissions.list_page", "submissions.read", "inbox"),
    Entry(N_("People"), "people.search_page", "people.read", "people"),
    Entry(N_("Same person?"), "links.queue", "links.review", "link"),
    Entry(N_("Follow-up lists"), "entities.lists_page", "entities.read", "list"),
    Entry(N_("Head-counts"), "headcounts.list_page", "headcounts.read", "equation"),
    Entry(N_("Tablets"), "devices.list_page", "devices.read", "tablet"),
    Entry(N_("Forms"), "forms.list_page", "forms.read", "form"),
    Entry(N_("Try a record"), "validation.page", "forms.validate", "check"),
    Entry(N_("Users"), "users.list_page", "users.manage", "key", "admin"),
    Entry(N_("Sites"), "sites.list_page", "sites.manage", "place", "admin"),
    Entry(N_("Exchanges"), "peers.list_page", "peers.read", "exchange", "admin"),
    Entry(N_("Relays"), "relays.list_page", "relays.manage", "relay", "admin"),
    Entry(N_("Models"), "link_models.list_page", "link_models.read", "equation", "admin"),
    Entry(N_("Settings"), "settings.page", "settings.manage", "gear", "admin"),
    Entry(N_("Background jobs"), "jobs.list_page", "jobs.read", "clock", "admin"),
    Entry(N_("Audit journal"), "audit.list_page", "audit.read", "book", "admin"),
)


def init_app(app: Flask) -> None:
    app.context_processor(page_context)
    app.jinja_env.globals["filtered_url"] = filtered_url


def list_entries(role: str) -> list[Entry]:
    return [one for one in MENU if role in PERMISSIONS[one.permission] and one.endpoint in current_app.view_functions]


def landing_page(role: str) -> str:
    """The first page that this role may open."""
    entries = list_entries(role)
    return url_for(entries[0].endpoint) if entries else url_for("account.password")


def page_context() -> dict[str, object]:
    """What every template needs: who reads, what they may do, their menu, and the present moment."""
    # Looked up by the guard; an error page, which must not ask the database, has forgotten it.
    login = g.get("login")
    user = login.user if login else None
    return {
        "user": user,
        "menu": list_entries(user.role) if user else [],
        "may": lambda act: user is not None and user.role in PERMISSIONS[act],
        "here": request.blueprint,
        "now": datetime.now(UTC),
    }
