"""Words outside of a web request: the command line speaks the language of LANG, and JSON carries both."""

import gettext
import re
from functools import cache
from pathlib import Path

from forms.definition import Field, FormDefinition
from forms.errors import FormProblem, Translate, pick_text

TRANSLATIONS = Path(__file__).parent / "translations"
LANGUAGES = ("fr", "en")
_INDEX = re.compile(r"\[\d+\]")


def choose_language(lang: str) -> str:
    """The language of a LANG value such as en_GB.UTF-8; French for everything that is not English."""
    return "en" if lang.lower().startswith("en") else "fr"


@cache
def translator(language: str) -> Translate:
    """The gettext of one language; English is the language of the message ids."""
    if language == "en":
        return str
    return gettext.translation("messages", TRANSLATIONS, [language], fallback=True).gettext


def word_everywhere(problem: FormProblem) -> dict[str, str]:
    """The problem's sentence by language."""
    return {language: problem.word(translator(language)) for language in LANGUAGES}


def label_path(path: str, definition: FormDefinition, language: str) -> str:
    """The label of the question at a path, for findings; the path's last name where there is none."""
    return label_field(definition.by_path.get(_INDEX.sub("", path)), path, language)


def label_field(known: Field | None, path: str, language: str) -> str:
    return (pick_text(known.label, language) if known else "") or path.rsplit("/", 1)[-1]
