"""The words for what the database holds as slugs: roles, kinds of site, states, reasons. One place, both languages."""

from flask import Flask
from flask_babel import gettext

from forms.errors import N_

LABELS: dict[str, dict[str, str]] = {
    "role": {
        "administrator": N_("Administrator"),
        "national_supervisor": N_("National supervisor"),
        "site_supervisor": N_("Site supervisor"),
        "centre_staff": N_("Centre staff"),
        "protection_officer": N_("Protection officer"),
        "data_steward": N_("Data steward"),
        "form_designer": N_("Form designer"),
        "auditor": N_("Auditor"),
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
    "form_state": {
        "draft": N_("draft"),
        "open": N_("open"),
        "closing": N_("closing"),
        "closed": N_("closed"),
    },
    "device_state": {
        "active": N_("active"),
        "drained": N_("drained"),
        "lost": N_("lost"),
        "revoked": N_("revoked"),
    },
    "reason": {
        "unknown_form": N_("The form is not published here."),
        "unknown_version": N_("This version of the form is not published here."),
        "unreadable": N_("The record cannot be read."),
        "twin": N_("Another record with the same identifier came first, with other content."),
        "stale_edit": N_("It corrects a state of the record that was already replaced."),
        "processing_failed": N_("Processing failed five times."),
        "closed_form": N_("This version of the form was closed when the record was made."),
    },
    "alert": {
        "second_device": N_("A second installation of Collect uses this tablet's code."),
        "clock_ahead": N_("The tablet's clock is ahead."),
    },
    "contact": {
        "form_list": N_("form list"),
        "form": N_("form"),
        "manifest": N_("file list"),
        "attachment": N_("file"),
        "submission": N_("record"),
    },
    "act": {
        "user.added": N_("account added"),
        "user.changed": N_("account changed"),
        "user.password_changed": N_("password changed"),
        "user.password_reset": N_("password reset"),
        "submission.read": N_("submission read"),
        "submission.raw_read": N_("raw XML read"),
        "submission.file_read": N_("file of a submission read"),
        "submissions.exported": N_("list of submissions exported"),
        "person.read": N_("person read"),
        "people.searched": N_("people searched"),
    },
    "language": {"fr": "Français", "en": "English"},
}


def init_app(app: Flask) -> None:
    app.jinja_env.filters["label"] = label


def label(slug: str | None, family: str) -> str:
    """The word for a slug; a slug that is newer than this list is shown as it is."""
    if slug is None:
        return "–"
    words = LABELS[family].get(slug)
    return str(gettext(words)) if words else slug
