"""What the officer reads on the tablet after sending, in the tablet's language."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations

_TRANSLATIONS = Path(__file__).parent.parent / "translations"

# Collect replaces exactly this text by its own word for success in the tablet's language.
SUCCESS = "full submission upload was successful!"


def N_(message: str) -> str:  # noqa: N802 (gettext's own name for "extract, translate later")
    return message


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


@functools.lru_cache(maxsize=8)
def find_translator(language: str) -> Callable[[str], str]:
    translations: NullTranslations = Translations.load(_TRANSLATIONS, [language])
    return translations.gettext


def word_notices(notices: list[Notice], language: str) -> str:
    """Say what intake saw, and nothing when all is well: an officer reads only what asks for a step."""
    translate = find_translator(language)
    return "\n".join(translate(message) % params for message, params in notices) or SUCCESS
