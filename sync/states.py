"""The state of a submission, computed from what is known of it. Nothing else may set it."""

from sync.models import Submission

# The reason of an encrypted submission that cannot be opened, and so not be judged, before its last file is here.
FILES_AWAITED = "files_awaited"


def decide_state(facts: Submission) -> str:
    """Say in one word how far a submission got.

    A human's rejection outranks everything; an acceptance sets findings aside. `incomplete` is judged and merged but
    still awaits files, so that a lost photograph never hides a person. A superseded record is merged: its words live
    on in the record that replaced it, and nobody needs to repair it.
    """
    if facts.decision == "reject":
        return "rejected"
    if facts.locked:
        return "locked"
    if facts.processed_at is None and facts.reason is None:
        return "held" if facts.waits_for else "received"
    if facts.waits_for:
        return "held"
    if facts.reason == FILES_AWAITED:
        return "incomplete"
    if facts.superseded_by_id is None and (facts.reason or (facts.error_count and facts.decision != "accept")):
        return "quarantined"
    return "incomplete" if facts.missing_files else "merged"


def refresh_state(submission: Submission) -> None:
    """Bring the stored state in line with the facts; called by whoever changed one."""
    submission.state = decide_state(submission)
