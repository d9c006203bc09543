"""One tablet in the field: fetches forms when it can, fills them when it must, sends what waits when a network comes.

It decides as ODK Collect does: which form is new, what an answer means for a record, when to stop.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from forms.errors import FormsError
from server.tablets.blanks import BlankForm, read_blank
from server.tablets.client import DEFAULT_LENGTH, Answer, Client, Unreachable, split_posts
from server.tablets.filler import Filled, Officer, correct_form, fill_form
from server.tablets.listing import ListedForm, NotOpenRosa, read_form_list, read_manifest
from server.tablets.queue import Queue, Record

_MESSAGE = re.compile(rb"<message[^>]*>([^<]*)</message>")
_SENT = (201, 202)


@dataclass(slots=True)
class Tablet:
    """`server_url` is the address from the QR code; `parts` is the most files that go into one post."""

    server_url: str
    client: Client
    officer: Officer
    queue: Queue = field(default_factory=Queue)
    most_files: int = 101
    retries: int = 13
    faults: list[str] = field(default_factory=list)

    @property
    def rng(self) -> Random:
        return self.officer.rng

    def refresh(self) -> None:
        """Make the blank forms match the server's list exactly; raises Unreachable or NotOpenRosa."""
        listed = read_form_list(self.client.get(f"{self.server_url}/formList"))
        for one in listed:
            self._refresh_form(one)
        names = {one.form_id for one in listed}
        self.queue.blanks = {name: blank for name, blank in self.queue.blanks.items() if name in names}

    def _refresh_form(self, listed: ListedForm) -> None:
        """Collect asks for every form's manifest at every check, and for files whose MD5 it does not have."""
        known = self.queue.blanks.get(listed.form_id)
        media = self._fetch_media(listed, known.media if known else {})
        if known is not None and (known.hash, known.media) == (listed.hash, media):
            return
        xml = known.xml if known and known.hash == listed.hash else self._download(listed.download_url, listed.hash)
        try:
            self.queue.blanks[listed.form_id] = read_blank(xml, media, listed.hash)
        except FormsError as refused:
            self.faults.append(f"form {listed.form_id}: {refused}")

    def _fetch_media(self, listed: ListedForm, held: dict[str, bytes]) -> dict[str, bytes]:
        if listed.manifest_url is None:
            return {}
        try:
            files = read_manifest(self.client.get(listed.manifest_url))
        except NotOpenRosa as error:
            # Collect installs the form without its media and says nothing; we do say it.
            self.faults.append(f"manifest of {listed.form_id}: {error}")
            return {}
        known = {_md5(data): data for data in held.values()}
        return {one.name: known.get(one.hash) or self._download(one.download_url, one.hash, one.type) for one in files}

    def _download(self, url: str, expected: str, kind: str | None = None) -> bytes:
        answer = self.client.get(url)
        if answer.status != 200:
            raise NotOpenRosa(f"status {answer.status} for a download")
        # The hash of an entity list is a version token, of all else the MD5 of the bytes.
        if kind is None and _md5(answer.body) != expected:
            raise NotOpenRosa("a download that is not what was announced")
        return answer.body

    def fill(self, form_id: str, now: datetime) -> Record:
        """Fill a form at a moment of the tablet's clock and keep the finalised record."""
        blank = self.queue.blanks[form_id]
        filled = fill_form(blank, self.officer, now, self.queue.last_saved.get(form_id))
        self.queue.last_saved[form_id] = filled.root
        return self._keep(blank, filled, now, None)

    def edit(self, record: Record, now: datetime) -> Record:
        """Correct a finalised record: Collect clones it under a new id and sends the original first."""
        blank = self.queue.blanks[record.form_id]
        filled = correct_form(blank, self.officer, now, record.filled)
        return self._keep(blank, filled, now, record.instance_id)

    def _keep(self, blank: BlankForm, filled: Filled, now: datetime, deprecated_id: str | None) -> Record:
        url = blank.definition.submission_url
        record = Record(blank.definition.form_id, filled, filled.xml, now, deprecated_id, url)
        self.queue.records.append(record)
        return record

    def send(self) -> int:
        """Try to send everything that waits, again while the network fails; returns what still waits."""
        for _ in range(self.retries):
            if not self._send_once():
                break
        return len(self.queue.list_waiting())

    def _send_once(self) -> bool:
        """One run in the order of finalisation. One failure does not stop the others, a 401 does."""
        again = False
        for record in self.queue.list_waiting():
            again |= self.deliver(record)
            if record.status == 401:
                return False
        return again

    def deliver(self, record: Record) -> bool:
        """Send one record; True if trying again later may help."""
        # Marked as failed before, so that a tablet that dies while sending sends again.
        record.state, record.status = "failed", None
        try:
            answer = self._post(record)
        except Unreachable as error:
            record.message = str(error)
            return True
        record.status, record.message = answer.status, read_message(answer)
        if answer.status in _SENT:
            record.state = "sent"
        return record.state == "failed"

    def _post(self, record: Record) -> Answer:
        """HEAD, then every part. The answer of the last part counts, or of the first that failed."""
        url = record.submission_url or f"{self.server_url.rstrip('/')}/submission"
        head = self.client.head(url)
        if head.status == 401 or (200 <= head.status < 300 and head.status != 204):
            return head
        accepted = _accepted_length(head)
        for body, boundary in split_posts(record.xml_name, record.xml, record.files, accepted, self.most_files):
            answer = self.client.post(url, body, boundary)
            if answer.status == 204:
                raise Unreachable("an answer without content")
            if answer.status not in _SENT:
                break
        return answer


def list_forms(tablet: Tablet, accept: Callable[[BlankForm], bool] | None = None) -> list[str]:
    """The forms on board that can be filled: an encrypted one would need Collect's own sealing."""
    return [
        form_id for form_id, blank in tablet.queue.blanks.items()
        if not blank.definition.encrypted and (accept is None or accept(blank))
    ]  # fmt: skip


def read_message(answer: Answer) -> str:
    """What Collect shows: the message of an OpenRosaResponse, but not that of a 401 or 200."""
    found = _MESSAGE.search(answer.body)
    return found.group(1).decode(errors="replace") if found and answer.status not in (200, 401) else ""


def _accepted_length(head: Answer) -> int:
    """Headers count on a 204 only."""
    given = head.headers.get("X-OpenRosa-Accept-Content-Length", "") if head.status == 204 else ""
    return int(given) if given.isdecimal() else DEFAULT_LENGTH


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
