"""A tablet's record on its way in: bytes first, then the row, then the answer. Nothing is judged here."""

from dataclasses import replace

from flask import Response, request
from sqlalchemy.orm import Session

from forms.errors import FormsError
from forms.submission import Submission as SubmissionXml
from forms.submission import SubmissionRefused, attachment_names, parse_submission
from server.extensions import attachment_store, db
from server.openrosa.answers import answer_head, answer_message
from server.openrosa.callers import Caller
from server.openrosa.catalogue import FormFacts
from server.openrosa.committer import get_committer
from server.openrosa.contacts import note_contact
from server.openrosa.errors import UNREADABLE_XML, OpenRosaError
from server.openrosa.messages import CLOSED_FORM, UNKNOWN_FORM, UNKNOWN_VERSION, word_receipt
from server.openrosa.uploads import Parts, name_of, read_parts
from sync.attachments import StoredFile, add_blob
from sync.devices import Contact, raise_alert
from sync.intake import IncomingRecord, Receipt, Sender, Upload, find_repeat, receive_submission
from sync.parts import IncomingFile


def submission(caller: Caller) -> Response:
    if request.method == "HEAD":
        return answer_head()
    parts = read_parts(request)
    record = read_record(caller, parts.xml)
    receipt, upload = _keep(caller, parts, record)
    _note_submission(caller)
    status = 202 if receipt.kind == "twin" else 201
    return answer_message(_word(caller, record, receipt, upload), status, caller.language)


def read_record(caller: Caller, xml: bytes) -> IncomingRecord:
    """What the XML says of itself. XML that names no form is still a record; what is no XML at all is none."""
    try:
        read = parse_submission(xml)
    except SubmissionRefused:
        return IncomingRecord(form_id="", version="", instance_id=None)
    except FormsError as error:
        _keep_unreadable(caller, xml)
        raise OpenRosaError(400, UNREADABLE_XML) from error
    form = _find_form(caller, read)
    return IncomingRecord(
        form_id=read.form_id,
        version=read.version,
        instance_id=read.instance_id,
        deprecated_id=read.deprecated_id,
        expected_files=_expected_files(caller, read, form),
        form_version_id=form.id if form else None,
    )


def _find_form(caller: Caller, read: SubmissionXml) -> FormFacts | None:
    if caller.draft is None:
        return caller.catalogue.by_name.get((read.form_id, read.version))
    draft = caller.draft
    return draft if (draft.form_id, draft.version) == (read.form_id, read.version) else None


def _expected_files(caller: Caller, read: SubmissionXml, form: FormFacts | None) -> tuple[str, ...]:
    definition = caller.catalogue.find_file_form(form) if form else None
    return tuple(attachment_names(read, definition))


def _keep(caller: Caller, parts: Parts, record: IncomingRecord) -> tuple[Receipt, Upload]:
    sender = caller.as_sender(request.args.get("deviceID"), request.user_agent.string or None)
    upload = Upload(parts.xml, incomplete=parts.incomplete)
    if not parts.files:
        with db.engine.connect() as connection:
            known = find_repeat(connection, record, upload, sender, caller.now)
        if known is not None:
            return known, upload
    upload = replace(upload, files=_store_files(parts))
    return _receive(record, upload, sender, caller), upload


def _store_files(parts: Parts) -> tuple[IncomingFile, ...]:
    """The files are safe on disk before any row names them."""
    store = attachment_store()
    return tuple(IncomingFile(name_of(one), one.mimetype or None, store.save(one.stream)) for one in parts.files)


def _receive(record: IncomingRecord, upload: Upload, sender: Sender, caller: Caller) -> Receipt:
    return get_committer().run(lambda session: receive_submission(session, record, upload, sender, caller.now))


def _keep_unreadable(caller: Caller, xml: bytes) -> None:
    """The tablet keeps what we refuse, but tablets get lost: the bytes stay here too, and a supervisor is told."""
    holder = caller.holder
    if holder is None:
        return
    stored = attachment_store().save(xml)

    def tell(session: Session) -> None:
        add_blob(session.connection(), stored, caller.now)
        raise_alert(session, "unreadable_record", caller.now, holder.device_id, holder.site_id, **_where(stored))

    get_committer().run(tell)


def _where(stored: StoredFile) -> dict[str, object]:
    return {"sha256": stored.sha256, "size": stored.size}


def _note_submission(caller: Caller) -> None:
    if caller.holder is not None:
        note_contact(Contact(caller.holder.device_id, caller.now, "submission", submitted_at=caller.now))


def _word(caller: Caller, record: IncomingRecord, receipt: Receipt, upload: Upload) -> str:
    titles = caller.catalogue.titles
    named = replace(receipt, quarantined={titles.get(f, f): n for f, n in receipt.quarantined.items()})
    form = titles.get(record.form_id, record.form_id)
    return word_receipt(named, upload, form, _notice(caller, record), caller.language)


def _notice(caller: Caller, record: IncomingRecord) -> str | None:
    if record.form_version_id is None:
        return UNKNOWN_VERSION if record.form_id in caller.catalogue.titles else UNKNOWN_FORM
    closed = caller.catalogue.by_id[record.form_version_id].state == "closed"
    return CLOSED_FORM if closed else None
