"""Records held against forms that are handed in with them: for the command, the API and the page.

No database and no Flask; records that came from tablets are judged by sync/processing.py.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Generic, TypeVar

from forms.definition import FormDefinition
from forms.errors import N_, Finding, FormsError, word_finding
from forms.lists import HeldLists, ListRows, parse_list
from forms.schema import load_answers
from forms.spreadsheet import find_source_kind
from forms.submission import parse_submission
from forms.validation import validate_submission
from forms.values import GeoPoint
from forms.xform import parse_form
from server.words import LANGUAGES, label_path, translator

EXTERNAL_CHOICES = "itemsets.csv"
# What one process keeps of the forms and lists that it was shown, in bytes of their sources: memory stays flat.
KEPT_BYTES = 32 * 1024 * 1024

Value = TypeVar("Value")


class RecordRefused(FormsError):
    """A record about which nothing can be said, although it is a record."""

    messages = {
        "record_encrypted": N_("The record is encrypted. Only a server that holds its key can judge it."),
        "form_not_given": N_("Choose a published form or a form file."),
    }


@dataclass(frozen=True, slots=True)
class GivenForm:
    """A form as it was handed in, with the files that it makes itself."""

    definition: FormDefinition
    files: Mapping[str, bytes] = field(default_factory=dict)


class Recent(Generic[Value]):
    """What was read last, by its content, within a budget of bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held: OrderedDict[Hashable, tuple[int, Value]] = OrderedDict()
        self._size = 0

    def find(self, key: Hashable, size: int, read: Callable[[], Value]) -> Value:
        """The value of a key, read if it is not held; what is refused is not held."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key][1]
        value = read()
        self._held[key] = (size, value)
        self._size += size
        while self._size > self._budget:
            self._size -= self._held.popitem(last=False)[1][0]
        return value


class Validator:
    """Validates record after record and remembers the forms and lists that it has seen."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._forms: Recent[GivenForm] = Recent(kept_bytes)
        self._lists: Recent[ListRows] = Recent(kept_bytes)

    def find_form(self, name: str, content: bytes | str) -> GivenForm:
        """The form, read once for each content; raises FormsError."""
        key = (PurePath(name).suffix, content)
        return self._forms.find(key, len(content), lambda: open_form(name, _encode(content)))

    def find_lists(self, form: GivenForm, media: Mapping[str, bytes | str]) -> HeldLists:
        """The lists that the form names, of those that are handed in; raises ListRefused."""
        wanted = [one.name for one in form.definition.attachments if one.type == "list"]
        given = {**form.files, **media}
        return HeldLists({name: self._find_list(name, given[name]) for name in wanted if name in given})

    def validate(self, form: GivenForm, record: bytes, lists: HeldLists, language: str = "fr") -> list[Finding]:
        """Everything that is wrong or doubtful with a record; raises FormsError where there is no judging it."""
        submission = parse_submission(record)
        if submission.envelope is not None:
            raise RecordRefused("record_encrypted")
        now = datetime.now(UTC)
        return validate_submission(form.definition, submission, lists, received_at=now, language=language)

    def _find_list(self, name: str, content: bytes | str) -> ListRows:
        return self._lists.find((name, content), len(content), lambda: parse_list(name, _encode(content)))


def open_form(name: str, content: bytes) -> GivenForm:
    """Read an XLSForm or an XForm; raises FormsError."""
    if find_source_kind(content, name) == "xml":
        return GivenForm(parse_form(content))
    # pyxform takes half a second to import, and XForms do without it.
    from forms.xlsform import read_form

    read = read_form(content, name, PurePath(name).stem)
    return GivenForm(read.definition, {EXTERNAL_CHOICES: read.itemsets} if read.itemsets is not None else {})


def read_answers(form: GivenForm, record: bytes) -> dict[str, Any]:
    """A record's answers as JSON can hold them: groups as objects, repeats as arrays, blank as null.

    Where a text is not of its question's type there is no answer; the verdict says so.
    """
    answers: dict[str, Any] = _spell(load_answers(form.definition, parse_submission(record)).values)
    return answers


def _spell(value: Any) -> Any:
    match value:
        case dict():
            return {name: _spell(one) for name, one in value.items()}
        case list():
            return [_spell(one) for one in value]
        case GeoPoint():
            return {name: _spell(one) for name, one in asdict(value).items()}
        case Decimal():
            return float(value)
        case date() | time():
            return value.isoformat()
    return value


def summarise(findings: list[Finding]) -> dict[str, Any]:
    """The verdict as machines compare it: where and which kind, nothing else."""
    return _verdict(findings, lambda one: {"path": one.path, "kind": one.kind})


def describe(findings: list[Finding], definition: FormDefinition) -> dict[str, Any]:
    """The verdict as people read it: labels and sentences in both languages, rule and value as well."""
    return _verdict(findings, lambda one: describe_finding(one, definition))


def describe_finding(finding: Finding, definition: FormDefinition) -> dict[str, Any]:
    return {
        "path": finding.path,
        "kind": finding.kind,
        "code": finding.code,
        "label": {one: label_path(finding.path, definition, one) for one in LANGUAGES},
        "words": {one: word_finding(finding, translator(one), one) for one in LANGUAGES},
        "rule": finding.rule,
        "value": finding.value,
    }


def _verdict(findings: list[Finding], show: Callable[[Finding], dict[str, Any]]) -> dict[str, Any]:
    errors = [show(one) for one in findings if one.grade == "error"]
    return {"valid": not errors, "errors": errors, "warnings": [show(one) for one in findings if one.grade != "error"]}


def _encode(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content
