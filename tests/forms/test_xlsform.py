import logging
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from forms.errors import FormProblem, FormRefused
from forms.xlsform import XlsFormRefused, convert_xlsform, read_form
from tests.forms.samples import SAMPLES, xform

SETTINGS = "\n| settings |\n| | form_id |\n| | essai |\n"


def survey(*rows: str, header: str = "type | name | label", more: str = "") -> bytes:
    lines = [f"| survey |\n| | {header} |", *(f"| | {row} |" for row in rows)]
    return ("\n".join(lines) + more + SETTINGS).encode()


def problem(data: bytes, filename: str = "form.md") -> FormProblem:
    with pytest.raises(FormRefused) as refused:
        read_form(data, filename)
    (found,) = refused.value.problems
    assert found.word()
    return found


def workbook(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "survey"
    for row in rows:
        book.active.append(row)
    book.create_sheet("settings").append(["form_id"])
    book["settings"].append(["essai"])
    made = BytesIO()
    book.save(made)
    return made.getvalue()


CHOICES = "\n| choices |\n| | list_name | name | label |\n| | l | a b | A |\n| | l | b | B |\n| | l | b | C |"


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        pytest.param(survey("texte | a | A"), "unknown_type", ("survey", 2, "type"), id="unknown type"),
        pytest.param(
            survey("text | a | A", "text | a | A"), "duplicate_name", ("survey", 3, "name"), id="duplicate name"
        ),
        pytest.param(survey("text | 1a | A"), "bad_name", ("survey", 2, "name"), id="bad name"),
        pytest.param(survey("text | | A"), "missing_name", ("survey", 2, "name"), id="missing name"),
        pytest.param(survey(" | a | A"), "missing_type", ("survey", 2, "type"), id="missing type"),
        pytest.param(survey("text | a | "), "missing_label", ("survey", 2, "label"), id="missing label"),
        pytest.param(
            survey("calculate | a | "), "missing_calculation", ("survey", 2, "calculation"), id="no calculation"
        ),
        pytest.param(survey("text | a | ${x}"), "unknown_reference", ("survey", 2, "label"), id="reference to nothing"),
        pytest.param(survey("text | a | ${x"), "malformed_reference", ("survey", 2, "label"), id="broken reference"),
        pytest.param(survey("begin_group | a | A"), "unmatched_begin", ("survey", 2, "type"), id="group never ended"),
        pytest.param(
            survey("text | a | A", "end_repeat | |"),
            "unmatched_end",
            ("survey", 3, "type"),
            id="end of a repeat never begun",
        ),
        pytest.param(
            survey("select_one l | a | A"), "missing_choices_sheet", ("choices", None, None), id="no choices sheet"
        ),
        pytest.param(
            survey("select_one x | a | A", more=CHOICES.replace("| b | C", "| c | C")),
            "missing_choices",
            ("survey", 2, "type"),
            id="no list",
        ),
        pytest.param(
            survey("select_one l | a | A", more=CHOICES), "duplicate_choice", ("choices", 4, "name"), id="choice twice"
        ),
        pytest.param(
            survey("select_multiple l | a | A", more=CHOICES.replace("| b | C", "| c | C")),
            "choice_with_space",
            ("choices", 2, "name"),
            id="space in a choice",
        ),
        pytest.param(
            survey("text | a | A | n", header="type | name | label | save_to"),
            "save_to_invalid",
            ("survey", 2, "save_to"),
            id="save_to without entities",
        ),
        pytest.param(
            survey("text | a | A", more="\n| entities |\n| | list_name | update_if |\n| | l | 1 |"),
            "entities_invalid",
            ("entities", 2, None),
            id="entities sheet",
        ),
        pytest.param(
            survey("text | a | A | nada", header="type | name | label | bind::teral:person"),
            "registry_property",
            ("survey", 2, None),
            id="unknown registry property",
        ),
        pytest.param(
            b"| choices |\n| | list_name |\n| | l |" + SETTINGS.encode(),
            "missing_survey",
            ("survey", None, None),
            id="no survey sheet",
        ),
    ],
)
def test_error_is_named_where_the_designer_finds_it(
    data: bytes, code: str, place: tuple[str, int | None, str | None]
) -> None:
    found = problem(data)
    assert (found.code, (found.sheet, found.row, found.column)) == (code, place)


@pytest.mark.parametrize(
    ("data", "code", "quoted"),
    [
        pytest.param(
            survey("text | a | A", more="\n| entities |\n| | list_name | label::fr |\n| | l | ${a} |"),
            "pyxform_error",
            "TypeError: unhashable type: 'dict'",
            id="entities in languages",
        ),
        pytest.param(
            survey("text | a | A | 1", header="type | name | label | bind::x:y"), "converted_not_xml", None, id="prefix"
        ),
    ],
)
def test_what_pyxform_stumbles_over_is_refused(data: bytes, code: str, quoted: str | None) -> None:
    found = problem(data)
    assert (found.code, found.quoted) == (code, quoted)


def test_pyxforms_own_words_are_quoted() -> None:
    assert problem(survey("texte | a | A")).quoted == "Unknown question type 'texte'."


def test_column_that_stands_twice_is_named() -> None:
    found = problem(workbook([["type", "name", "label", "label"], ["text", "a", "A", "B"]]), "form.xlsx")
    assert (found.code, found.params) == ("duplicate_header", {"header": "label"})


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        pytest.param(b"PK\x03\x04 no", "form.xlsx", id="xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0 no", "form.xls", id="xls"),
        pytest.param(b"\xff\xfe\x00", "form.csv", id="csv in no encoding"),
        pytest.param(b"name,label\n1,Un\n", "form.csv", id="csv that is a list"),
        pytest.param(b"hello", "form.md", id="md without a table"),
    ],
)
def test_file_that_is_no_form_is_refused(data: bytes, filename: str) -> None:
    found = problem(data, filename)
    assert found.code == "form_file_unreadable"
    assert "Error: " not in (found.quoted or "")  # what a library says of its inside helps no designer


def test_form_without_id_takes_the_fallback_or_is_refused() -> None:
    data = b"| survey |\n| | type | name | label |\n| | text | a | A |"
    assert problem(data).code == "missing_form_id"
    assert read_form(data, "form.md", "repli").definition.form_id == "repli"


def test_xlsx_is_read_and_openpyxl_stays_quiet(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        read = read_form(workbook([["type", "name", "label"], ["text", "a", "A"]]), "form.xlsx")
    assert (read.source_kind, read.definition.form_id, read.problems) == ("xlsx", "essai", [])
    assert caplog.records == []


def test_xform_is_taken_as_it_is() -> None:
    data = xform("<a/>")
    read = read_form(data, "form.xml")
    assert (read.xml, read.source_kind, read.definition.form_id) == (data, "xml", "essai")


@pytest.mark.parametrize(("data", "code"), [(b"<a", "not_xml"), (b"<!DOCTYPE a><a/>", "xml_doctype")])
def test_xform_that_cannot_be_read_is_refused_as_a_form(data: bytes, code: str) -> None:
    assert problem(data, "form.xml").code == code


def test_warnings_are_kept_with_their_row() -> None:
    read = read_form(survey("image | photo | Photo"), "form.md")
    assert [(one.grade, one.sheet, one.row) for one in read.problems] == [("warning", "survey", 2)]


def test_registry_columns_bring_their_namespace_and_keep_the_designers() -> None:
    data = survey("text | a | A | sex", header="type | name | label | bind::teral:person")
    with_own = data.replace(b"| | form_id |\n| | essai |", b'| | form_id | namespaces |\n| | essai | ex="urn:ex" |')
    read = read_form(with_own, "form.md")
    assert b'xmlns:teral="urn:teral:xforms"' in read.xml
    assert b'xmlns:ex="urn:ex"' in read.xml
    assert read.definition.by_path["/data/a"].person == "sex"


@pytest.mark.parametrize(("uri", "code"), [("urn:teral:xforms", None), ("urn:other", "teral_namespace")])
def test_namespace_that_the_designer_declared_must_be_ours(uri: str, code: str | None) -> None:
    data = survey("text | a | A | sex", header="type | name | label | bind::teral:person")
    data = data.replace(
        b"| | form_id |\n| | essai |", f'| | form_id | namespaces |\n| | essai | teral="{uri}" |'.encode()
    )
    if code is None:
        assert read_form(data, "form.md").definition.by_path["/data/a"].person == "sex"
    else:
        assert problem(data).code == code


def test_without_registry_columns_the_namespace_is_not_declared() -> None:
    assert b"teral" not in read_form(survey("text | a | A"), "form.md").xml


def test_external_choices_become_a_file() -> None:
    sheet = "\n| external_choices |\n| | list_name | name | label | r |\n| | v | rosso | Rosso | sl |"
    rows = survey(
        "text | r | R |",
        "select_one_external v | a | A | r=${r}",
        header="type | name | label | choice_filter",
        more=sheet,
    )
    made = convert_xlsform(rows, "form.md")
    assert made.itemsets is not None
    assert b"rosso" in made.itemsets
    assert [one.name for one in made.definition.attachments] == ["itemsets.csv"]


def test_refusal_of_an_xlsform_counts_its_problems() -> None:
    with pytest.raises(XlsFormRefused, match="XLSForm: 1"):
        convert_xlsform(survey("texte | a | A"), "form.md")


def test_nothing_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read_form((SAMPLES / "accueil.md").read_bytes(), "accueil.md")
    assert list(tmp_path.iterdir()) == []
