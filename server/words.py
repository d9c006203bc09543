"""Words outside of a web request: the command line speaks the language of LANG, and JSON carries both."""

import gettext
from pathlib import Path

from forms.errors import FormProblem, Translate

TRANSLATIONS = Path(__file__).parent / "translations"
LANGUAGES = ("fr", "en")


def choose_language(lang: str) -> str:
    """The language of a LANG value such as en_GB.UTF-8; French for everything that is not English."""
    return "en" if lang.lower().startswith("en") else "fr"


def translator(language: str) -> Translate:
    """The gettext of one language; English is the language of the message ids."""
    if language == "en":
        return str
    return gettext.translation("messages", TRANSLATIONS, [language], fallback=True).gettext


def word_everywhere(problem: FormProblem) -> dict[str, str]:
    """The problem's sentence by language."""
    return {language: problem.word(translator(language)) for language in LANGUAGES}
