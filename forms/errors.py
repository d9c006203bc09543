"""What can be wrong with a form or a submission: stable codes, worded through the one catalogue of messages.py.

The sentences are gettext message ids: `server` hands in its translation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from forms.messages import MESSAGES as MESSAGES
from forms.messages import N_ as N_

Translate = Callable[[str], str]

FindingKind = Literal[
    "constraint", "required", "relevant", "type", "choice", "structure", "unknown", "calculate", "attachment",
    "unverifiable",
]  # fmt: skip
Grade = Literal["error", "warning"]


class FormsError(Exception):
    """Something that this package refuses. `code` is stable; `params` fill the catalogue's sentence.

    Params may quote a form; they never quote an answer, so that an error can be logged.
    """

    messages: dict[str, str] = MESSAGES

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def word(self, translate: Translate = str) -> str:
        return translate(self.messages[self.code]) % self.params

    def __str__(self) -> str:
        return self.word()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that validation says about a submission.

    `path` carries repeat indexes (/data/personnes[2]/nom). `rule` is the form's expression or expected type;
    `value` is the answer as sent (personal data: shown by right, never logged). `message` is the form's own
    constraint or required message by language, if it has one; `code` and `params` word the rest (MESSAGES).
    """

    path: str
    kind: FindingKind
    grade: Grade
    code: str
    params: dict[str, str] = field(default_factory=dict)
    rule: str | None = None
    value: str | None = None
    message: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormProblem:
    """One thing that is wrong with a form at publishing, where the designer can find it."""

    code: str
    params: dict[str, object] = field(default_factory=dict)
    grade: Grade = "error"
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    # pyxform's or Validate's own words, quoted as they are.
    quoted: str | None = None

    def word(self, translate: Translate = str) -> str:
        """The sentence for the designer, without the place and without the quotation."""
        return translate(MESSAGES[self.code]) % self.params


def word_finding(finding: Finding, translate: Translate = str, language: str = "") -> str:
    """The sentence for the person who repairs the record: the form's own message, else the catalogue's."""
    own = pick_text(finding.message, language)
    return own or translate(MESSAGES[finding.code]) % finding.params


def pick_text(texts: dict[str, str], language: str) -> str:
    """The text in a language, else in any. Forms spell it as they like: `fr`, `Français (fr)`, `French (fr-SN)`."""
    fitting = [text for name, text in texts.items() if name == language or f"({language}" in name]
    return next(iter([*fitting, *texts.values()]), "")


class FormRefused(FormsError):
    """A form that cannot be published as it stands."""

    @property
    def problems(self) -> list[FormProblem]:
        """Everything that is wrong with the form, each thing by itself."""
        return [FormProblem(self.code, dict(self.params))]
