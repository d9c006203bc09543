"""The words for what the database holds as slugs: roles, kinds of site, states, reasons. One place, both languages."""

from typing import Any

from flask import Flask
from flask_babel import gettext
from jinja2 import pass_context
from jinja2.runtime import Context

from forms.errors import N_, Finding, FormProblem, pick_text, word_finding
from server.i18n import select_language
from server.web.journal_words import JOURNAL_LABELS
from server.web.link_words import LINK_LABELS
from server.web.list_words import LIST_LABELS
from server.web.peer_words import PEER_LABELS
from sync.models import SubmissionFinding

LABELS: dict[str, dict[str, str]] = {
    "role": {
        "administrator": N_("Administrator"),
        "national_supervisor": N_("National supervisor"),
        "site_supervisor": N_("Site supervisor"),
        "centre_staff": N_("Centre staff"),
        "protection_officer": N_("Protection officer"),
        "data_steward": N_("Data steward"),
        "focal_point": N_("National focal point for complaints"),
        "form_designer": N_("Form designer"),
        "auditor": N_("Auditor"),
        "exchange": N_("Exchange between servers (no person)"),
        "relay": N_("Relay at a post (no person)"),
    },
    "site_kind": {
        "border_post": N_("Border post"),
        "centre": N_("Reception centre"),
        "mobile_patrol": N_("Mobile patrol"),
        "landing_place": N_("Landing place"),
        "relay": N_("Relay"),
        "headquarters": N_("Headquarters"),
    },
    "submission_state": {
        "received": N_("received"),
        "incomplete": N_("files awaited"),
        "held": N_("on hold"),
        "quarantined": N_("in quarantine"),
        "merged": N_("merged"),
        "rejected": N_("rejected"),
        "locked": N_("locked"),
    },
    "review": {
        "received": N_("not reviewed"),
        "hasIssues": N_("has issues"),
        "edited": N_("edited"),
        "approved": N_("approved"),
        "rejected": N_("rejected"),
    },
    "form_state": {
        "draft": N_("draft"),
        "open": N_("open to tablets"),
        "closing": N_("closing"),
        "closed": N_("closed to tablets"),
    },
    "device_state": {
        "active": N_("active"),
        "drained": N_("drained"),
        "lost": N_("lost"),
        "revoked": N_("revoked"),
    },
    "relay_state": {
        "active": N_("in service"),
        "revoked": N_("shut out"),
    },
    "reason": {
        "unknown_form": N_("The form is not published here."),
        "unknown_version": N_("This version of the form is not published here."),
        "unreadable": N_("The record cannot be read."),
        "twin": N_("Another record with the same identifier came first, with other content."),
        "stale_edit": N_("It corrects a state of the record that was already replaced."),
        "processing_failed": N_("Processing failed five times."),
        "closed_form": N_("This version of the form was closed when the record was made."),
        "files_awaited": N_("The encrypted files of the record have not all come."),
    },
    "waits": {
        "received": N_("It will be judged in a moment."),
        "held": N_("The record that it corrects has not arrived yet."),
        "incomplete": N_("Files of the record have not arrived yet."),
        "quarantined": N_("An answer breaks a rule of the form."),
        "locked": N_("The key that opens it is missing."),
    },
    "alert": {
        "second_device_id": N_("A second installation of Collect uses this tablet's code."),
        "unreadable_record": N_("A record of this tablet cannot be read. It stays on the tablet; a copy is kept."),
    },
    "finding_kind": {
        "constraint": N_("rule of an answer"),
        "required": N_("required answer missing"),
        "relevant": N_("answer to a question that was not asked"),
        "type": N_("answer of another type"),
        "choice": N_("choice that is not offered"),
        "structure": N_("structure of the record"),
        "unknown": N_("unknown question"),
        "calculate": N_("calculated value"),
        "attachment": N_("file"),
        "unverifiable": N_("rule that cannot be checked"),
    },
    "grade": {"error": N_("error"), "warning": N_("warning")},
    "decision": {"replay": N_("Judge again"), "accept": N_("Accept as it is"), "reject": N_("Reject")},
    "fetch": {"form": N_("form"), "media": N_("file"), "list": N_("list")},
    "device_act": {"active": N_("In use again"), "drained": N_("Drain: empty lists"), "lost": N_("Lost")},
    "form_state_act": {
        "to_open": N_("Open to tablets"),
        "to_closing": N_("List it no longer"),
        "to_closed": N_("Close"),
    },
    "cadence": {"daily": N_("every day"), "weekly": N_("every week"), "none": N_("when there is something to say")},
    "data_class": {
        "D1": N_("operations"),
        "D2": N_("movements and events"),
        "D3": N_("stay and identity"),
        "D4": N_("needs, consent, complaints"),
        "D5": N_("trafficking, judicial"),
        "D6": N_("financial"),
        "D7": N_("accounts and devices"),
        "D8": N_("audit"),
    },
    "change": {"added": N_("new"), "removed": N_("removed"), "changed": N_("changed")},
    "aspect": {
        "field": N_("question"),
        "kind": N_("kind"),
        "type": N_("type"),
        "control": N_("way of asking"),
        "label": N_("label"),
        "hint": N_("hint"),
        "required": N_("required"),
        "relevant": N_("shown when"),
        "constraint": N_("allowed answers"),
        "constraint_message": N_("message for wrong answers"),
        "required_message": N_("message for missing answers"),
        "calculate": N_("calculation"),
        "readonly": N_("read only"),
        "repeat_count": N_("number of turns"),
        "default": N_("default"),
        "person": N_("person property"),
        "encounter": N_("encounter property"),
        "save_to": N_("entity property"),
        "choices": N_("source of the choices"),
        "choice": N_("choice"),
    },
    "property": {
        "given_names": N_("Given names"),
        "family_name": N_("Family name"),
        "sex": N_("Sex"),
        "birth_date": N_("Date of birth"),
        "age": N_("Age"),
        "age_band": N_("Age band"),
        "nationality": N_("Nationality"),
        "language": N_("Language spoken"),
        "birth_place": N_("Place of birth"),
        "mother_name": N_("Mother's name"),
        "phone": N_("Telephone"),
        "document_type": N_("Document"),
        "document_issuer": N_("Issued by"),
        "document_number": N_("Document number"),
        "kind": N_("Kind"),
        "direction": N_("Direction"),
        "origin": N_("Coming from"),
        "destination": N_("Going to"),
        "outcome": N_("Outcome"),
    },
    "value_ground": {
        "manual": N_("Set by hand"),
        "document": N_("Backed by a document"),
        "frequent": N_("Said most often"),
        "latest": N_("Said last"),
        "only": N_("Said once"),
    },
    "job": {
        "process": N_("Judge and merge records"),
        "exchange": N_("Exchange with other servers"),
        "apply_overdue_updates": N_("Apply updates that waited too long"),
        "tidy_up": N_("Forget old logins and runs"),
        "tidy_exports": N_("Remove kept exports"),
        "remove_files": N_("Remove files that nobody names"),
        "find_unneeded_files": N_("Look for files that nobody names"),
        "maintain_database": N_("Maintain the database"),
        "unlock": N_("Open locked records"),
        "relay": N_("Exchange with the centre"),
        "link_anew": N_("Weigh all person records anew"),
        "weigh_shadows": N_("Weigh all person records by models that read along"),
    },
    "contact": {
        "form_list": N_("form list"),
        "form": N_("form"),
        "manifest": N_("file list"),
        "attachment": N_("file"),
        "submission": N_("record"),
        "integrity": N_("question about entities"),
    },
    "language": {"fr": "Français", "en": "English"},
    **JOURNAL_LABELS,
    **LINK_LABELS,
    **LIST_LABELS,
    **PEER_LABELS,
}
# Lines of the journal say "kind" of one thing alone: a decision about persons.
_FAMILIES = {"kind": "link_kind"}


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        label=_label, finding=word_stored, problem=word_problem, text=word_text, details=word_details
    )


def label(slug: str | None, family: str) -> str:
    """The word for a slug; a slug that is newer than this list is shown as it is."""
    if slug is None:
        return "–"
    words = LABELS[family].get(slug)
    return str(gettext(words)) if words else slug


@pass_context
def _label(_context: Context, slug: str | None, family: str) -> str:
    # Without a context Jinja would work out the word for a slug that a template names once and for all: in the
    # language of whoever came first.
    return label(slug, family)


def word_details(details: dict[str, Any]) -> str:
    """A journal's codes and counts; a value that is a slug itself has its word in the family of its name.

    A whole report among them is told on a page of its own.
    """
    told = {name: value for name, value in details.items() if not isinstance(value, dict)}
    return ", ".join(f"{label(name, 'detail')}: {_word_detail(name, value)}" for name, value in told.items())


def _word_detail(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(value, list):
        return " ".join(str(one) for one in value) or "–"
    family = _FAMILIES.get(name, name)
    return label(str(value), family) if family in LABELS else str(value)


def word_problem(problem: FormProblem) -> str:
    return problem.word(gettext)


def word_text(text: dict[str, str]) -> str:
    """A form's own text in the reader's language."""
    return pick_text(text, select_language())


def word_stored(stored: SubmissionFinding) -> str:
    """What validation said, in the reader's language; the answer itself is not in it."""
    finding = Finding(stored.path, "structure", "error", stored.code, dict(stored.params), message=dict(stored.message))
    return word_finding(finding, gettext, select_language())
