"""One tablet in the field: fetches forms when it can, fills them when it must, sends what waits when a network comes.

It decides as ODK Collect does: which form is new, what an answer means for a record, when to stop.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from urllib.parse import quote

from forms.errors import FormsError
from server.tablets.blanks import BlankForm, read_blank
from server.tablets.client import DEFAULT_LENGTH, Answer, Client, Unreachable, split_posts
from server.tablets.entities import ListUnreadable
from server.tablets.filler import Filled, Officer, Told, correct_form, fill_form
from server.tablets.listing import ListedFile, ListedForm, NotOpenRosa, read_form_list, read_integrity, read_manifest
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
    given_up: int = 0  # forms that asked what nobody could answer

    def __post_init__(self) -> None:
        # By the officer's chance, so that the same seed lives through the same week.
        self.queue.entities.draw_uuid = self.officer.uuid

    @property
    def rng(self) -> Random:
        return self.officer.rng

    def refresh(self) -> None:
        """Make the blank forms match the server's list exactly; raises Unreachable or NotOpenRosa."""
        listed = read_form_list(self.client.get(f"{self.server_url}/formList"))
        # Collect asks for every form's manifest at every check, before it fetches anything.
        for one, files in [(one, self._read_manifest(one)) for one in listed]:
            self._refresh_form(one, files)
        names = {one.form_id for one in listed}
        self.queue.blanks = {name: blank for name, blank in self.queue.blanks.items() if name in names}

    def _refresh_form(self, listed: ListedForm, files: list[ListedFile]) -> None:
        """Fetch a form that is new or has a file whose MD5 the tablet does not have.

        Collect keeps entity lists in no file. So it takes every form that has one for changed and fetches it again: an
        answer from its cache, where the server says that nothing changed.
        """
        known = self.queue.blanks.get(listed.form_id)
        held = {_md5(data): data for data in known.media.values()} if known else {}
        if known is not None and known.hash == listed.hash and all(one.hash in held for one in files):
            return
        xml = self._download(listed.download_url, listed.hash)
        media = {
            one.name: held.get(one.hash) or self._download(one.download_url, one.hash)
            for one in files if one.entity_list is None
        }  # fmt: skip
        for one in files:
            if one.entity_list is not None:
                self._refresh_list(one, one.entity_list)
        self._install(listed, xml, media)

    def _read_manifest(self, listed: ListedForm) -> list[ListedFile]:
        if listed.manifest_url is None:
            return []
        try:
            return read_manifest(self.client.get(listed.manifest_url))
        except NotOpenRosa as error:
            # Collect installs the form without its media and says nothing; we do say it.
            self.faults.append(f"manifest of {listed.form_id}: {error}")
            return []

    def _refresh_list(self, file: ListedFile, name: str) -> None:
        """Fetch a list if the manifest announces another state of it, and ask what became of the tablet's own rows."""
        entities = self.queue.entities
        if not entities.is_current(name, file.hash):
            data = self._fetch(file.download_url)
            try:
                entities.take_list(name, data, file.hash, needs_approval=file.type == "approvalEntityList")
            except ListUnreadable as error:
                self.faults.append(f"list {name}: {error}")
        offline = entities.list_offline(name)
        if offline and file.integrity_url is not None:
            asked = f"{file.integrity_url}?id={quote(','.join(offline), safe='')}"
            gone = read_integrity(self.client.get(asked))
            entities.drop(name, [one for one, deleted in gone.items() if deleted])

    def _install(self, listed: ListedForm, xml: bytes, media: dict[str, bytes]) -> None:
        known = self.queue.blanks.get(listed.form_id)
        if known is not None and (known.xml, known.media) == (xml, media):
            return
        try:
            self.queue.blanks[listed.form_id] = read_blank(xml, media, listed.hash)
        except FormsError as refused:
            self.faults.append(f"form {listed.form_id}: {refused}")

    def _download(self, url: str, expected: str) -> bytes:
        """What is no entity list is announced by the MD5 of its bytes."""
        data = self._fetch(url)
        if _md5(data) != expected:
            raise NotOpenRosa("a download that is not what was announced")
        return data

    def _fetch(self, url: str) -> bytes:
        answer = self.client.get(url)
        if answer.status != 200:
            raise NotOpenRosa(f"status {answer.status} for a download")
        return answer.body

    def fill(self, form_id: str, now: datetime, told: Told | None = None) -> Record:
        """Fill a form at a moment of the tablet's clock, keep the finalised record, and let it change the lists."""
        return self._save(form_id, self._fill(form_id, now, told), now)

    def try_fill(self, form_id: str, now: datetime) -> Record | None:
        """Fill a form unless it asks what nobody here can answer, such as a stay at a centre where there is none."""
        filled = self._fill(form_id, now, None)
        return None if filled.problems else self._save(form_id, filled, now)

    def _fill(self, form_id: str, now: datetime, told: Told | None) -> Filled:
        blank, last_saved = self.queue.blanks[form_id], self.queue.last_saved.get(form_id)
        return fill_form(blank, self.officer, now, last_saved, self.queue.entities.find_list, told)

    def _save(self, form_id: str, filled: Filled, now: datetime) -> Record:
        blank = self.queue.blanks[form_id]
        self.queue.last_saved[form_id] = filled.root
        self.queue.entities.take_record(blank.definition, filled.root)
        return self._keep(blank, filled, now, None)

    def edit(self, record: Record, now: datetime, told: Told | None = None) -> Record:
        """Correct a finalised record: Collect clones it under a new id and sends the original first.

        The tablet's own lists stay as they are: Collect lets an edit change none of them.
        """
        blank = self.queue.blanks[record.form_id]
        filled = correct_form(blank, self.officer, now, record.filled, self.queue.entities.find_list, told)
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
