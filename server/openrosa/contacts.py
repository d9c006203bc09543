"""What tablets' requests tell, buffered in the process and written at most once per tablet and second.

This holds across web processes: whoever finds a contact on record that is too young keeps its own news a little longer.

The web process starts the writer (server/serve.py); without it, whoever wants the news on disk calls `flush`.
"""

import logging
import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from server.faults import render_fault
from server.openrosa.committer import GroupCommitter, PlainCommitter
from sync.devices import Contact, record_contacts

INTERVAL_S = 1.0
# Between two contacts on record: one is up to a second old when it is written.
BETWEEN = timedelta(seconds=2)

log = logging.getLogger("teral.openrosa")


class ContactBuffer:
    """The latest news of each tablet since the last write."""

    def __init__(self, committer: GroupCommitter | PlainCommitter) -> None:
        self._committer = committer
        self._lock = threading.Lock()
        self._waiting: dict[int, Contact] = {}

    def add(self, contact: Contact) -> None:
        with self._lock:
            before = self._waiting.get(contact.device_id)
            self._waiting[contact.device_id] = _join(before, contact) if before else contact

    def flush(self, between: timedelta = timedelta()) -> None:
        """Write what was heard since the last time, but not of tablets that were written of a moment ago."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        if taken:
            now = datetime.now(UTC)
            early = self._committer.run(lambda session: record_contacts(session, taken.values(), now, between))
            self._put_back(early)

    def _put_back(self, contacts: list[Contact]) -> None:
        with self._lock:
            for one in contacts:
                later = self._waiting.get(one.device_id)
                self._waiting[one.device_id] = _join(one, later) if later else one


def _join(before: Contact, after: Contact) -> Contact:
    after.collect_id = after.collect_id or before.collect_id
    after.user_agent = after.user_agent or before.user_agent
    after.submitted_at = after.submitted_at or before.submitted_at
    before.fetches.update(after.fetches)
    after.fetches = before.fetches
    return after


def start_writer(contacts: ContactBuffer) -> threading.Event:
    """Write every second from a thread of this process, until the event is set."""
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(INTERVAL_S):
            try:
                contacts.flush(BETWEEN)
            except SQLAlchemyError as error:
                # News of a contact may be lost, a record never: the next contact brings the news again.
                log.error("contacts were not written: %s", render_fault(error))

    threading.Thread(target=write, name="contacts", daemon=True).start()
    return stop
