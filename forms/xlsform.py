"""XLSForm → XForm through pyxform, which only this module imports. No Java, no network, no temporary file.

Recognising pyxform's messages is xlsform_problems.py's work; refusing dangerous workbooks spreadsheet.py's.
"""

import dataclasses
import re
import warnings
from dataclasses import dataclass, field
from pathlib import PurePath

from pyxform.errors import PyXFormError
from pyxform.xls2json_backends import DefinitionData, get_xlsform
from pyxform.xls2xform import ConvertResult, convert

from forms.definition import FormDefinition
from forms.errors import FormProblem, FormRefused
from forms.spreadsheet import SourceKind, find_source_kind, refuse_unsafe
from forms.xform import TERAL_NAMESPACE, parse_form
from forms.xlsform_problems import Sheets, problem_of
from forms.xml import XmlRefused

_TERAL_COLUMN = re.compile(r"^bind\s*::\s*teral:", re.IGNORECASE)
_DECLARED_TERAL = re.compile(r"""(?:^|\s)teral\s*=\s*["']([^"']*)["']""")
_FORM_ID_HEADERS = {"form_id", "id_string", "form id"}


class XlsFormRefused(FormRefused):
    """An XLSForm that cannot be published. `problems` says why, where it can be found."""

    def __init__(self, problems: list[FormProblem]) -> None:
        super().__init__("xlsform_refused", count=len(problems))
        self._problems = problems

    @property
    def problems(self) -> list[FormProblem]:
        return self._problems


@dataclass(frozen=True, slots=True)
class Converted:
    """What pyxform made: the XForm, and `itemsets.csv` for an external_choices sheet."""

    xml: bytes
    warnings: list[FormProblem]
    definition: FormDefinition
    itemsets: bytes | None = None
    sheets: Sheets = field(default_factory=Sheets)


@dataclass(frozen=True, slots=True)
class ReadForm:
    """A form ready to publish. `problems` are warnings: what is an error was raised."""

    xml: bytes
    definition: FormDefinition
    problems: list[FormProblem]
    source_kind: SourceKind
    itemsets: bytes | None = None
    # What the designer wrote, to find the row of a problem; empty for an XForm.
    sheets: Sheets = field(default_factory=Sheets)


def read_form(data: bytes, filename: str, form_id_fallback: str | None = None) -> ReadForm:
    """Read an XLSForm or an XForm; raise FormRefused, whose `problems` say why, for what cannot be published."""
    kind = find_source_kind(data, filename)
    if kind == "xml":
        return ReadForm(data, _parse(data), [], kind)
    made = convert_xlsform(data, filename, form_id_fallback)
    return ReadForm(made.xml, made.definition, made.warnings, kind, made.itemsets, made.sheets)


def convert_xlsform(data: bytes, filename: str, form_id_fallback: str | None = None) -> Converted:
    """Convert an XLSForm (.xlsx, .xls, .csv, .md) and read the result again, or raise FormRefused.

    The registry's namespace is declared where a column `bind::teral:…` needs it.
    """
    kind = find_source_kind(data, filename)
    refuse_unsafe(data, kind)
    book = _read_book(data, kind)
    sheets = Sheets({"survey": book.survey or (), "choices": book.choices or ()})
    _complete_settings(book, form_id_fallback)
    said: list[str] = []
    result = _convert(book, said, sheets)
    xml = result.xform.encode("utf-8")
    return Converted(
        xml=xml,
        warnings=[problem_of(one, sheets, "warning") for one in said],
        definition=_parse_made(xml, sheets),
        itemsets=result.itemsets.encode("utf-8") if result.itemsets is not None else None,
        sheets=sheets,
    )


def _parse(xml: bytes) -> FormDefinition:
    try:
        return parse_form(xml)
    except XmlRefused as refused:
        raise FormRefused(refused.code, **refused.params) from None


def _parse_made(xml: bytes, sheets: Sheets) -> FormDefinition:
    try:
        return parse_form(xml)
    except XmlRefused:
        # A column header `bind::x:y` goes into the XML as it stands, whatever x is.
        raise XlsFormRefused([FormProblem("converted_not_xml", sheet="settings", column="namespaces")]) from None
    except FormRefused as refused:
        raise XlsFormRefused([_place(refused, sheets)]) from None


def _place(refused: FormRefused, sheets: Sheets) -> FormProblem:
    """The row of the survey whose name the refused path ends in."""
    name = PurePath(str(refused.params.get("path", ""))).name
    row = sheets.find_row("survey", "name", name) if name else None
    return FormProblem(refused.code, refused.params, sheet="survey" if row else None, row=row)


def _read_book(data: bytes, kind: SourceKind) -> DefinitionData:
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions that do not matter to a form.
            warnings.simplefilter("ignore")
            return get_xlsform(data, file_type=f".{kind}")
    except PyXFormError as error:
        said = problem_of(str(error), Sheets())
        # Whatever stops the reading itself, but a column that stands twice, is about the file.
        known = said.code != "pyxform_error"
        raise XlsFormRefused([said if known else dataclasses.replace(said, code="form_file_unreadable")]) from None
    except Exception:  # noqa: BLE001 (openpyxl, xlrd and pyxform raise whatever a damaged file leads them to)
        raise XlsFormRefused([FormProblem("form_file_unreadable")]) from None


def _convert(book: DefinitionData, said: list[str], sheets: Sheets) -> ConvertResult:
    fields = {one.name: getattr(book, one.name) for one in dataclasses.fields(book)}
    try:
        return convert(fields, warnings=said)
    except PyXFormError as error:
        raise XlsFormRefused([problem_of(str(error), sheets)]) from None
    except Exception as error:  # noqa: BLE001 (pyxform raises whatever sheets that its authors never saw lead it to)
        said_by_itself = f"{type(error).__name__}: {error}"[:500]
        raise XlsFormRefused([FormProblem("pyxform_error", quoted=said_by_itself)]) from None


def _complete_settings(book: DefinitionData, form_id_fallback: str | None) -> None:
    settings = dict(book.settings[0]) if book.settings else {}
    if not any(name.strip().lower() in _FORM_ID_HEADERS and str(value).strip() for name, value in settings.items()):
        if not form_id_fallback:
            raise XlsFormRefused([FormProblem("missing_form_id", sheet="settings", row=2, column="form_id")])
        settings["form_id"] = form_id_fallback
    if _claims_registry(book):
        _declare_teral(settings)
    book.settings = [settings]
    book.settings_header = [dict.fromkeys(settings)]


def _claims_registry(book: DefinitionData) -> bool:
    headers = {name for row in (*(book.survey_header or ()), *(book.survey or ())) for name in row}
    return any(_TERAL_COLUMN.match(name) for name in headers)


def _declare_teral(settings: dict[str, str]) -> None:
    """Without the declaration pyxform writes XML that does not parse; the designer's own namespaces stay."""
    header = next((name for name in settings if name.strip().lower() == "namespaces"), "namespaces")
    written = settings.get(header) or ""
    declared = _DECLARED_TERAL.search(written)
    if declared is None:
        settings[header] = f'{written} teral="{TERAL_NAMESPACE}"'.strip()
    elif declared.group(1) != TERAL_NAMESPACE:
        problem = FormProblem("teral_namespace", {"needed": TERAL_NAMESPACE}, sheet="settings", row=2, column=header)
        raise XlsFormRefused([problem])
