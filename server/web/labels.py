"""The words for what the database holds as slugs: roles, kinds of site, states, reasons. One place, both languages."""

from typing import Any

from flask import Flask
from flask_babel import gettext
from jinja2 import pass_context
from jinja2.runtime import Context

from forms.errors import N_, Finding, FormProblem, pick_text, word_finding
from server.i18n import select_language
from server.web.link_words import LINK_LABELS
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
    "entity_list": {
        "dossiers": N_("Stays"),
        "evenements": N_("Events"),
        "orientations": N_("Referrals"),
        "materiels": N_("Assets"),
    },
    "event_type": {
        "secours_mer": N_("Rescue at sea"),
        "interception_mer": N_("Interception at sea"),
        "interception_terre": N_("Interception on land"),
        "debarquement": N_("Disembarkation"),
        "decouverte": N_("Discovery"),
        "": N_("Event"),
    },
    "headcount_state": {
        "closed": N_("closes"),
        "young": N_("arrivals awaited"),
        "explained": N_("explained"),
        "open": N_("does not close"),
    },
    "entity_state": {
        "open": N_("open"),
        "closed": N_("closed"),
        "absent": N_("deleted, or not here yet"),
    },
    "entity_waits": {
        "conflict": N_("Tablets say different things: a person must choose."),
        "held": N_("An update came before what its tablet had seen."),
    },
    "entity_trouble": {"conflict": N_("conflicts"), "held": N_("updates on hold")},
    # The properties of the shipped lists that no question asks by name.
    "entity_property": {
        "ref": N_("Reference"),
        "bracelet": N_("Bracelet"),
        "initiales": N_("Initials"),
        "sexe": N_("Sex"),
        "tranche": N_("Age band"),
        "site_id": N_("Site"),
        "etat": N_("State"),
        "urgence": N_("Urgency"),
        "alerte_suivi": N_("Follow-up alert"),
        "echeance": N_("Due on"),
        "maj": N_("Last change"),
        "type": N_("Kind"),
        "date": N_("Date"),
        "site_debarq": N_("Landing site"),
        "n_vivants": N_("Living persons"),
        "evt": N_("Event"),
        "dossier_ref": N_("Reference"),
        "statut": N_("State"),
    },
    "entity_standing": {
        "held": N_("on hold"),
        "forced": N_("applied without what it waits for"),
        "aside": N_("does not count"),
        "broken": N_("cannot be applied"),
        "undone": N_("undone"),
    },
    "entity_action": {
        "create": N_("Created without a form"),
        "update": N_("Changed without a form"),
        "delete": N_("Deleted"),
        "restore": N_("Restored"),
    },
    "merge_rule": {
        "latest": N_("of values that did not know each other, the last observed stands"),
        "highest": N_("of values that did not know each other, the gravest stands"),
        "forward": N_("a state never goes back"),
        "union": N_("all choices stand together"),
        "review": N_("a person chooses"),
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
    "act": {
        "user.added": N_("account added"),
        "user.changed": N_("account changed"),
        "user.password_changed": N_("password changed"),
        "user.password_reset": N_("password reset"),
        "submission.replay": N_("submission judged again"),
        "submission.accept": N_("submission accepted"),
        "submission.reject": N_("submission rejected"),
        "submission.reviewed": N_("submission reviewed"),
        "submission.commented": N_("submission commented on"),
        "submission.erased": N_("submission erased"),
        "entity.erased": N_("row of a list erased as at the centre"),
        "entity.created": N_("row of a list added"),
        "entity.updated": N_("row of a list changed"),
        "entity.deleted": N_("row of a list deleted"),
        "entity.restored": N_("row of a list brought back"),
        "entity_list.added": N_("list added"),
        "entity_list.property_added": N_("column of a list added"),
        "submission.read": N_("submission read"),
        "submission.raw_read": N_("raw XML read"),
        "submission.file_read": N_("file of a submission read"),
        "submissions.exported": N_("list of submissions exported"),
        "form.deleted": N_("form deleted"),
        "setting.changed": N_("setting changed"),
        "peer.added": N_("other server added"),
        "peer.changed": N_("other server changed"),
        "peer.paused": N_("exchange paused"),
        "peer.resumed": N_("exchange resumed"),
        "peer.resent": N_("exchange begun again from a date"),
        "relay.enrolled": N_("relay enrolled"),
        "relay.placed": N_("relay placed at a site"),
        "relay.password_renewed": N_("new password for a relay"),
        "relay.shut_out": N_("relay shut out"),
        "site.added": N_("site added"),
        "site.changed": N_("site changed"),
        "device.enrolled": N_("tablet enrolled"),
        "device.code_renewed": N_("new code for a tablet"),
        "device.revoked": N_("tablet revoked"),
        "device.active": N_("tablet in use again"),
        "device.drained": N_("tablet drained"),
        "device.lost": N_("tablet lost"),
        "alert.settled": N_("alert settled"),
        "purpose.stated": N_("purpose stated"),
        "person.read": N_("person read"),
        "people.searched": N_("people searched"),
        "headcount.explained": N_("head-count explained"),
        "headcount.reopened": N_("explanation of a head-count withdrawn"),
        "entities.listed": N_("follow-up list read"),
        "entities.exported": N_("follow-up list exported"),
        "entity.read": N_("row of a follow-up list read"),
        "entity.decided": N_("conflict of a follow-up list decided"),
        "entity.decision_undone": N_("decision about a conflict undone"),
        "link.decided": N_("decision about persons"),
        "link.confirmed": N_("decision about persons confirmed"),
        "link.undone": N_("decision about persons undone"),
        "link_model.added": N_("linkage model added"),
        "link_model.kept": N_("linkage model reads along"),
        "link_model.dropped": N_("linkage model put aside"),
        "link_model.activated": N_("linkage model activated"),
        "link.asked": N_("site asked about a record"),
        "link.answered": N_("question about a record answered"),
        "link.checked": N_("automatic link checked"),
    },
    "purpose": {
        "data_quality": N_("Check or correct a record"),
        "protection": N_("Follow up somebody's protection"),
        "person_request": N_("Answer a person who asks about their data"),
        "legal_request": N_("Answer a court or another authority"),
        "oversight": N_("Oversee how the programme works"),
    },
    "detail": {
        "done": N_("done"),
        "failed": N_("failed"),
        "applied": N_("applied"),
        "released": N_("taken up again"),
        "database": N_("database"),
        "sessions": N_("logins"),
        "login_failures": N_("failed logins"),
        "runs": N_("runs"),
        "peer_runs": N_("exchanges"),
        "file_pieces": N_("pieces of files"),
        "error": N_("fault"),
        "role": N_("role"),
        "disabled": N_("disabled"),
        "properties": N_("columns"),
        "property": N_("column"),
        "purpose": N_("purpose"),
        "kind": N_("kind"),
        "records": N_("records"),
        "persons": N_("persons"),
        "joined": N_("links to come"),
        "parted": N_("links to go"),
        "models": N_("models"),
        "questions": N_("questions"),
        "overlooked": N_("records overlooked until then"),
        "crowded": N_("outgrown keys"),
        "answer": N_("answer"),
    },
    "language": {"fr": "Français", "en": "English"},
    **LINK_LABELS,
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
