"""What the officer reads on the tablet after sending, in the tablet's language."""

from typing import Any

from forms.errors import N_
from server.words import translator

# Collect replaces exactly this text by its own word for success in the tablet's language.
SUCCESS = "full submission upload was successful!"


UNKNOWN_FORM = N_("Received and kept. The form %(form)s is not known here; a supervisor will look at it.")
UNKNOWN_VERSION = N_(
    "Received and kept. This version of the form %(form)s is not known here; a supervisor will look at it."
)
CLOSED_FORM = N_("Received and kept. The form %(form)s is closed; a supervisor will look at it.")
TWIN = N_("Received and kept. Another record with the same number came before; a supervisor will compare them.")
STALE_EDIT = N_("Received and kept. The record had been changed already; a supervisor will compare the changes.")
MISSING_FILES = N_("Received. Files that have not come yet: %(count)d.")
QUARANTINED = N_("Earlier records of this tablet that wait for repair: %(count)d (%(form)s).")

ABOUT_KIND = {"twin": TWIN, "stale_edit": STALE_EDIT}

# A message of this file and what fills it.
Notice = tuple[str, dict[str, Any]]


def word_notices(notices: list[Notice], language: str) -> str:
    """Say what intake saw, and nothing when all is well: an officer reads only what asks for a step."""
    translate = translator(language)
    return "\n".join(translate(message) % params for message, params in notices) or SUCCESS
