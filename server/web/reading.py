"""What of one record a reader may open as it came: its files and its XML. Pages and programs ask here.

Single answers are presented by server/web/answers.py and the tables of sync/tables.py.
"""

from collections.abc import Mapping

from forms.encryption import name_in_clear
from forms.errors import FormsError
from forms.programme import UNCLASSED
from forms.submission import list_answers
from server.extensions import attachment_store, db
from server.keys import current_keys
from server.web.answers import classes_of
from sync.models import Submission, SubmissionAttachment
from sync.policy import DATA_CLASSES, PERSONAL_CLASSES, Viewer, programme, reads_plainly
from sync.publishing import get_definition
from sync.sealing import read_file, read_record


def may_open(submission: Submission, found: SubmissionAttachment, viewer: Viewer) -> bool:
    """A file is as sensitive as the question that it answers; of an unknown form, as everything in it."""
    if submission.form_version is None:
        return may_read_raw(submission, viewer)
    return reads_plainly(viewer, {_classes_of_files(submission).get(name_in_clear(found.name), UNCLASSED)})


def list_files(submission: Submission, viewer: Viewer) -> list[tuple[SubmissionAttachment, str, bool]]:
    """Each file with the name that it has in the answers, and whether the viewer may open it."""
    if submission.form_version is None:
        return [(one, one.name, may_read_raw(submission, viewer)) for one in submission.attachments]
    classes = _classes_of_files(submission)
    return [_show(one, classes, viewer) for one in submission.attachments]


def read_content(submission: Submission, found: SubmissionAttachment) -> tuple[str, bytes]:
    """A file's name and bytes: in the clear where its record is encrypted and the key is here, else as they came."""
    store, version = attachment_store(), submission.form_version
    try:
        if version is not None:
            return read_file(submission, found, get_definition(db.session(), version), store, current_keys())
    except FormsError:
        # Without the key, or damaged: what came is all that there is.
        return found.name, store.read(found.blob_sha256 or "")
    return found.name, store.read(found.blob_sha256 or "")


def _show(
    found: SubmissionAttachment, classes: Mapping[str, str], viewer: Viewer
) -> tuple[SubmissionAttachment, str, bool]:
    clear = name_in_clear(found.name)
    return found, clear if clear in classes else found.name, reads_plainly(viewer, {classes.get(clear, UNCLASSED)})


def _classes_of_files(submission: Submission) -> dict[str, str]:
    """The data class of each file that an answer names, by that name; of none where the record cannot be read."""
    if submission.form_version is None:
        return {}
    definition = get_definition(db.session(), submission.form_version)
    try:
        record = read_record(submission, definition, attachment_store(), current_keys())
    except FormsError:
        return {}
    names = {name_in_clear(one.name) for one in submission.attachments}
    named = [one for one in reversed(list_answers(record, definition)) if one.text in names]
    return {one.text: programme().data_class(submission.form_id, one.path) for one in named}


def may_read_raw(submission: Submission, viewer: Viewer) -> bool:
    """For who may read every personal class in it; of an unknown form, every class that there is.

    What remains and is not theirs (which tablet, which account) is blanked by withhold().
    """
    if submission.form_version is None:
        return reads_plainly(viewer, DATA_CLASSES)
    classes = classes_of(get_definition(db.session(), submission.form_version))
    return reads_plainly(viewer, classes & PERSONAL_CLASSES)
