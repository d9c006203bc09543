"""What of one record a reader may open as it came: its files and its XML. Pages and programs ask here.

Single answers are presented by server/web/answers.py and the tables of sync/tables.py.
"""

from forms.programme import UNCLASSED
from forms.submission import list_answers, parse_submission
from server.extensions import db
from server.web.answers import classes_of
from sync.models import Submission, SubmissionAttachment
from sync.policy import DATA_CLASSES, PERSONAL_CLASSES, Viewer, programme, reads_plainly
from sync.publishing import get_definition


def may_open(submission: Submission, found: SubmissionAttachment, viewer: Viewer) -> bool:
    """A file is as sensitive as the question that it answers; of an unknown form, as everything in it."""
    if submission.form_version is None:
        return may_read_raw(submission, viewer)
    return reads_plainly(viewer, {class_of_file(submission, found)})


def class_of_file(submission: Submission, found: SubmissionAttachment) -> str:
    definition = get_definition(db.session(), submission.form_version) if submission.form_version else None
    if definition is None:
        return UNCLASSED
    answers = list_answers(parse_submission(submission.xml), definition)
    named = next((one.path for one in answers if one.text == found.name), None)
    return programme().data_class(submission.form_id, named) if named else UNCLASSED


def may_read_raw(submission: Submission, viewer: Viewer) -> bool:
    """For who may read every personal class in it; of an unknown form, every class that there is.

    What remains and is not theirs (which tablet, which account) is blanked by withhold().
    """
    if submission.form_version is None:
        return reads_plainly(viewer, DATA_CLASSES)
    classes = classes_of(get_definition(db.session(), submission.form_version))
    return reads_plainly(viewer, classes & PERSONAL_CLASSES)
