"""Everything that happened to one submission, in words and in order: its events and what people decided."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext, ngettext

from forms.errors import N_
from server.web.labels import label
from sync.models import Decision, Submission, SubmissionEvent

Details = dict[str, Any]

_RECEIVED = {
    "new": N_("Received"),
    "edit": N_("Received as a correction"),
    "stale_edit": N_("Received as a correction of what was already replaced"),
    "twin": N_("Received with the identifier of another record"),
}
_CAUSES = {
    "form_published": N_("Taken up again: its form was published"),
    "files_came": N_("Taken up again: its files came"),
    "key_came": N_("Taken up again: its key came"),
    "family_changed": N_("Taken up again: a twin or a correction changed what counts"),
    "revalidated": N_("Taken up again: records are judged by newer rules"),
}
# A decision stands there itself.
_DECIDED = ("replay", "accept", "reject")


@dataclass(frozen=True, slots=True)
class Happening:
    """One line: when, what in the reader's words, and the reason that a person gave."""

    at: datetime
    what: str
    reason: str = ""


def list_happenings(submission: Submission) -> list[Happening]:
    """The oldest first."""
    happenings = [_word_decision(one) for one in submission.decisions]
    happenings += [_word_event(one) for one in submission.events if one.details.get("cause") not in _DECIDED]
    return sorted(happenings, key=lambda one: one.at)


def _word_decision(decision: Decision) -> Happening:
    return Happening(decision.decided_at, label(decision.kind, "decision"), decision.reason)


def _word_event(event: SubmissionEvent) -> Happening:
    word = _WORDS.get(event.kind)
    return Happening(event.at, word(event.details) if word else event.kind)


def _word_receipt(details: Details) -> str:
    received = gettext(_RECEIVED.get(details.get("as", "new"), "Received"))
    return _join(received, _count_files(details), _announce_more(details))


def _word_files(details: Details) -> str:
    return _join(gettext("Files received"), _count_files(details), _announce_more(details))


def _word_release(details: Details) -> str:
    return str(gettext(_CAUSES.get(details.get("cause", ""), "Taken up again")))


def _word_verdict(details: Details) -> str:
    errors, warnings = details.get("errors", 0), details.get("warnings", 0)
    return _join(
        gettext("Judged: %(state)s", state=label(details.get("state"), "submission_state")),
        ngettext("%(num)d error", "%(num)d errors", errors) if errors else "",
        ngettext("%(num)d warning", "%(num)d warnings", warnings) if warnings else "",
    )


def _word_failure(details: Details) -> str:
    failed = gettext("Processing failed, attempt %(number)d", number=details.get("attempt", 1))
    return f"{failed} ({details.get('error', '–')})"


def _word_other_file(_details: Details) -> str:
    return str(gettext("A file came again under the same name with other content; the first stays"))


def _count_files(details: Details) -> str:
    files = details.get("files", 0)
    return str(ngettext("%(num)d file", "%(num)d files", files)) if files else ""


def _announce_more(details: Details) -> str:
    return str(gettext("more follow")) if details.get("more_follow") else ""


def _join(*parts: Any) -> str:
    return ", ".join(str(one) for one in parts if one)


_WORDS: dict[str, Callable[[Details], str]] = {
    "received": _word_receipt,
    "files_received": _word_files,
    "released": _word_release,
    "judged": _word_verdict,
    "failed": _word_failure,
    "other_file": _word_other_file,
}
