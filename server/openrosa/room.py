"""What the tablets' side of a web process holds, and one request in it."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import Engine
from werkzeug import Request

from server.accounts.credentials import Holder
from server.config import Settings
from server.openrosa.catalogue import Catalogue, CatalogueKeeper, FormFacts
from server.openrosa.committer import GroupCommitter, PlainCommitter, make_committer
from server.openrosa.contacts import ContactBuffer
from server.openrosa.list_cache import ListCache
from server.openrosa.reading import Reader
from sync.attachments import AttachmentStore
from sync.devices import Contact, Fetch
from sync.intake import Sender
from sync.parts import fit


class Room:
    """Made once per process. Nothing in it reads Flask's contexts: they cost a tablet's request twice its own work."""

    def __init__(self, engine: Engine, settings: Settings, store: AttachmentStore) -> None:
        self.settings = settings
        self.store = store
        self.reader = Reader(engine, settings.web_threads)
        self.committer: GroupCommitter | PlainCommitter = make_committer(engine)
        self.contacts = ContactBuffer(self.committer)
        self.catalogues = CatalogueKeeper(engine)
        self.lists = ListCache()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request. `holder` is None for somebody who tests a draft; `draft` is None for everybody else."""

    holder: Holder | None
    draft: FormFacts | None
    catalogue: Catalogue
    path: str  # what stands before /formList, so that absolute addresses keep the token
    now: datetime

    @property
    def language(self) -> str:
        return self.holder.language if self.holder else "fr"


@dataclass(frozen=True)
class Visit:
    """One request of a known caller."""

    room: Room
    request: Request
    caller: Caller
    closing: ExitStack  # what ends with the request

    @cached_property
    def base_url(self) -> str:
        """The absolute address as the tablet sees this server; proxies are server/proxies.py's matter."""
        return f"{self.request.scheme}://{self.request.host}{self.caller.path}"

    @property
    def collect_id(self) -> str | None:
        """Collect's deviceID: per installation, forgeable, and on every request since 2026.3."""
        told = self.request.args.get("deviceID")
        return fit(told) if told else None

    @property
    def user_agent(self) -> str | None:
        return self.request.headers.get("User-Agent")

    def note(self, kind: str, fetch: Fetch | None = None) -> None:
        """Every request of a tablet is a sign of life: a silent tablet and a tablet without records differ."""
        holder, now = self.caller.holder, self.caller.now
        if holder is not None:
            sent_at = now if kind == "submission" else None
            contact = Contact(holder.device_id, now, kind, self.collect_id, self.user_agent, sent_at)
            if fetch is not None:
                contact.fetches[fetch] = now
            self.room.contacts.add(contact)

    def as_sender(self) -> Sender:
        holder = self.caller.holder
        if holder is None:
            return Sender(collect_id=self.collect_id, user_agent=self.user_agent, is_draft=True)
        return Sender(holder.device_id, holder.site_id, holder.actor_id, self.collect_id, self.user_agent)
