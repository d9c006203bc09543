"""A tablet's record on its way in: bytes first, then the row, then the answer. Nothing is judged here."""

import hashlib
from typing import Any

from sqlalchemy.orm import Session
from werkzeug import Response

from forms.errors import FormsError
from forms.submission import Submission as SubmissionXml
from forms.submission import SubmissionRefused, attachment_names, parse_submission
from server.openrosa.answers import answer_head, answer_message
from server.openrosa.catalogue import FormFacts
from server.openrosa.errors import UNREADABLE_XML, OpenRosaError
from server.openrosa.messages import (
    ABOUT_KIND,
    CLOSED_FORM,
    MISSING_FILES,
    QUARANTINED,
    UNKNOWN_FORM,
    UNKNOWN_VERSION,
    Notice,
    word_notices,
)
from server.openrosa.room import Visit
from server.openrosa.uploads import Parts, name_of, read_parts
from sync.attachments import StoredFile, add_blob
from sync.devices import raise_alert
from sync.intake import IncomingRecord, Receipt, Upload, count_quarantined, find_repeat, receive_submission
from sync.parts import IncomingFile


def submission(visit: Visit) -> Response:
    if visit.request.method == "HEAD":
        return answer_head()
    parts = read_parts(visit.request, visit.closing)
    sha256 = hashlib.sha256(parts.xml).hexdigest()
    receipt = None if parts.files else _find_repeat(visit, sha256)
    if receipt is not None:
        return _answer(visit, receipt, [])
    record = read_record(visit, parts.xml)
    # The files are safe on disk before any row names them.
    upload = Upload(parts.xml, sha256, _store_files(visit, parts), parts.incomplete)
    receipt = _receive(visit, record, upload)
    return _answer(visit, receipt, _list_notices(visit, record, parts.incomplete, receipt))


def _find_repeat(visit: Visit, sha256: str) -> Receipt | None:
    with visit.room.reader.connect() as connection:
        return find_repeat(connection, sha256, visit.as_sender())


def read_record(visit: Visit, xml: bytes) -> IncomingRecord:
    """What the XML says of itself. XML that names no form is still a record; what is no XML at all is none."""
    try:
        read = parse_submission(xml)
    except SubmissionRefused:
        return IncomingRecord(form_id="", version="", instance_id=None)
    except FormsError as error:
        _keep_unreadable(visit, xml)
        raise OpenRosaError(400, UNREADABLE_XML) from error
    form = _find_form(visit, read)
    definition = visit.caller.catalogue.find_file_form(form) if form else None
    return IncomingRecord(
        form_id=read.form_id,
        version=read.version,
        instance_id=read.instance_id,
        deprecated_id=read.deprecated_id,
        expected_files=tuple(attachment_names(read, definition)),
        form_version_id=form.id if form else None,
    )


def _find_form(visit: Visit, read: SubmissionXml) -> FormFacts | None:
    if visit.caller.draft is None:
        return visit.caller.catalogue.by_name.get((read.form_id, read.version))
    draft = visit.caller.draft
    return draft if (draft.form_id, draft.version) == (read.form_id, read.version) else None


def _store_files(visit: Visit, parts: Parts) -> tuple[IncomingFile, ...]:
    store = visit.room.store
    return tuple(IncomingFile(name_of(one), one.mimetype or None, store.save(one.stream)) for one in parts.files)


def _receive(visit: Visit, record: IncomingRecord, upload: Upload) -> Receipt:
    sender, now = visit.as_sender(), visit.caller.now
    return visit.room.committer.run(lambda session: receive_submission(session, record, upload, sender, now))


def _keep_unreadable(visit: Visit, xml: bytes) -> None:
    """The tablet keeps what we refuse, but tablets get lost: the bytes stay here too, and a supervisor is told."""
    holder = visit.caller.holder
    if holder is None:
        return
    stored = visit.room.store.save(xml)

    def tell(session: Session) -> None:
        add_blob(session.connection(), stored, visit.caller.now)
        raise_alert(session, "unreadable_record", visit.caller.now, holder.device_id, holder.site_id, **_where(stored))

    visit.room.committer.run(tell)


def _where(stored: StoredFile) -> dict[str, object]:
    return {"sha256": stored.sha256, "size": stored.size}


def _answer(visit: Visit, receipt: Receipt, notices: list[Notice]) -> Response:
    notices = [*notices, *_list_quarantined(visit, receipt)]
    status = 202 if receipt.kind == "twin" else 201
    return answer_message(word_notices(notices, visit.caller.language), status, visit.caller.language)


def _list_notices(visit: Visit, record: IncomingRecord, incomplete: bool, receipt: Receipt) -> list[Notice]:
    """What intake itself saw; nothing of it waits for a judgement."""
    form = {"form": visit.caller.catalogue.titles.get(record.form_id, record.form_id)}
    seen: list[tuple[str | None, dict[str, Any]]] = [
        (_about_form(visit, record), form),
        (ABOUT_KIND.get(receipt.kind), {}),
    ]
    if receipt.missing_files and not incomplete:
        seen.append((MISSING_FILES, {"count": receipt.missing_files}))
    return [(message, params) for message, params in seen if message]


def _about_form(visit: Visit, record: IncomingRecord) -> str | None:
    catalogue = visit.caller.catalogue
    if record.form_version_id is None:
        return UNKNOWN_VERSION if record.form_id in catalogue.titles else UNKNOWN_FORM
    return CLOSED_FORM if catalogue.by_id[record.form_version_id].state == "closed" else None


def _list_quarantined(visit: Visit, receipt: Receipt) -> list[Notice]:
    holder, titles = visit.caller.holder, visit.caller.catalogue.titles
    if holder is None or not holder.has_quarantined:
        return []
    with visit.room.reader.connect() as connection:
        waiting = count_quarantined(connection, holder.device_id, receipt.submission_id)
    return [(QUARANTINED, {"form": titles.get(one, one), "count": waiting[one]}) for one in sorted(waiting)]
