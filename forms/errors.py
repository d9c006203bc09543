"""The catalogue of what can be wrong with a form or a submission: codes, and their words in English.

The words are gettext message ids: `server` translates them. Codes are stable and machine-readable.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Translate = Callable[[str], str]

FindingKind = Literal[
    "constraint", "required", "relevant", "type", "choice", "structure", "unknown", "calculate", "attachment",
    "unverifiable",
]  # fmt: skip
Grade = Literal["error", "warning"]


def N_(message: str) -> str:  # noqa: N802 (gettext's own name for "extract, translate later")
    return message


class FormsError(Exception):
    """Something that this package refuses. `code` is stable; `params` fill the catalogue's sentence.

    Params may quote a form; they never quote an answer, so that an error can be logged.
    """

    messages: dict[str, str] = {}

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
