"""Records that bypass their site: a sensitive complaint is nobody's business there, and be it that it exists.

Which question decides is the programme's word (restricted_by); who reads such records is policy.py's and scopes.py's.
"""

from collections.abc import Mapping

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select
from sqlalchemy.orm import Session

from forms.definition import FormDefinition
from forms.submission import Submission, list_answers
from sync.models import RestrictedSubmission
from sync.policy import programme

_PLAIN = "non"
_ids: BindParameter[list[int]] = bindparam("ids", expanding=True)
_KNOWN = select(RestrictedSubmission.submission_id).where(RestrictedSubmission.submission_id.in_(_ids))
_FREE = delete(RestrictedSubmission).where(RestrictedSubmission.submission_id.in_(_ids))
_RESTRICT = insert(RestrictedSubmission)


def can_bypass(form_id: str) -> bool:
    """Whether records of this form may bypass their site."""
    return bool(programme().policy_for(form_id).restricted_by)


def does_bypass(definition: FormDefinition, submission: Submission) -> bool:
    """Whether this record does: its question is there and was not answered with a plain no."""
    name = programme().policy_for(definition.form_id).restricted_by
    answers = list_answers(submission, definition) if name else ()
    return any(one.field is not None and one.field.name == name and one.text != _PLAIN for one in answers)


def restrict_unread(connection: Connection, submission_id: int, form_id: str) -> None:
    """Keep a record from its site until somebody has read what it says."""
    if can_bypass(form_id):
        connection.execute(_RESTRICT, {"submission_id": submission_id})


def write_restrictions(session: Session, bypasses: Mapping[int, bool]) -> None:
    """Free the records that were read and do not bypass their site, and hold the others."""
    if not bypasses:
        return
    connection = session.connection()
    known = set(connection.execute(_KNOWN, {"ids": list(bypasses)}).scalars())
    freed = [one for one in known if not bypasses[one]]
    held = [{"submission_id": one} for one, does in bypasses.items() if does and one not in known]
    if freed:
        connection.execute(_FREE, {"ids": freed})
    if held:
        connection.execute(_RESTRICT, held)
