"""What tablets' requests tell, buffered in the process and written at most once per tablet and second.

The web process starts the writer (server/serve.py); without it, whoever wants the news on disk calls `flush`.
"""

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from server.openrosa.committer import get_committer
from sync.devices import Contact, Fetch, record_contacts

_KEY = "teral_openrosa_contacts"
INTERVAL_S = 1.0

log = logging.getLogger(__name__)


class ContactBuffer:
    """The latest news of each tablet since the last write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, Contact] = {}

    def add(self, contact: Contact) -> None:
        with self._lock:
            before = self._waiting.get(contact.device_id)
            self._waiting[contact.device_id] = _join(before, contact) if before else contact

    def take(self) -> list[Contact]:
        with self._lock:
            taken, self._waiting = self._waiting, {}
        return list(taken.values())


def _join(before: Contact, after: Contact) -> Contact:
    return replace(
        after,
        collect_id=after.collect_id or before.collect_id,
        user_agent=after.user_agent or before.user_agent,
        submitted_at=after.submitted_at or before.submitted_at,
        fetches={**before.fetches, **after.fetches},
    )


def init_app(app: Flask) -> None:
    app.extensions[_KEY] = ContactBuffer()


def note_contact(contact: Contact, fetch: Fetch | None = None) -> None:
    if fetch is not None:
        contact.fetches[fetch] = contact.at
    cast(ContactBuffer, current_app.extensions[_KEY]).add(contact)


def flush() -> None:
    """Write what was heard since the last time."""
    contacts = cast(ContactBuffer, current_app.extensions[_KEY]).take()
    if contacts:
        get_committer().run(lambda session: record_contacts(session, contacts, datetime.now(UTC)))


def start_writer(app: Flask) -> threading.Event:
    """Write every second from a thread of this process; setting the event ends it with a last write."""
    stop = threading.Event()

    def write() -> None:
        ended = False
        while not ended:
            ended = stop.wait(INTERVAL_S)
            with app.app_context():
                try:
                    flush()
                except SQLAlchemyError:
                    # News of a contact may be lost, a record never: the next contact brings the news again.
                    log.exception("contacts were not written")

    threading.Thread(target=write, name="contacts", daemon=True).start()
    return stop
