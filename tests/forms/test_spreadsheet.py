import zipfile
from io import BytesIO

import pytest

from forms import spreadsheet
from forms.errors import FormRefused
from forms.spreadsheet import SourceKind, find_source_kind, refuse_unsafe


def archive(members: dict[str, bytes]) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return made.getvalue()


def refusal(data: bytes, kind: SourceKind = "xlsx") -> str:
    with pytest.raises(FormRefused) as refused:
        refuse_unsafe(data, kind)
    assert str(refused.value)
    return refused.value.code


@pytest.mark.parametrize(
    ("data", "filename", "kind"),
    [
        (b"PK\x03\x04", "form.xls", "xlsx"),
        (b"\xd0\xcf\x11\xe0", "form.xlsx", "xls"),
        (b"survey,type", "form.CSV", "csv"),
        (b"| survey |", "form.md", "md"),
        (b"\xef\xbb\xbf\n<h:html/>", "form.xhtml", "xml"),
        (b"", "form.xml", "xml"),
    ],
)
def test_content_tells_the_kind_before_the_name(data: bytes, filename: str, kind: str) -> None:
    assert find_source_kind(data, filename) == kind


def test_other_files_are_no_forms() -> None:
    with pytest.raises(FormRefused, match="xlsx"):
        find_source_kind(b"%PDF", "form.pdf")


def test_ordinary_workbook_is_safe() -> None:
    refuse_unsafe(archive({"xl/workbook.xml": b"<workbook/>", "xl/media.bin": b"\0" * 500_000}), "xlsx")


def test_text_needs_no_unpacking() -> None:
    refuse_unsafe(b"| survey |", "md")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        pytest.param(
            {"a.xml": b"\0" * 5_000_000}, "form_file_bomb", id="member that unpacks to a thousand times its size"
        ),
        pytest.param({f"{n}.xml": b"" for n in range(501)}, "form_file_bomb", id="too many members"),
        pytest.param({"a.xml": b'<?xml version="1.0"?><!DOCTYPE a []><a/>'}, "xml_doctype", id="doctype inside"),
        pytest.param({"a.xml": "<!doctype a><a/>".encode("utf-16")}, "xml_doctype", id="doctype inside, in UTF-16"),
    ],
)
def test_dangerous_workbook_is_not_opened(members: dict[str, bytes], code: str) -> None:
    assert refusal(archive(members)) == code


def test_workbook_larger_than_any_form_is_not_opened() -> None:
    assert refusal(b"x" * (16 * 1024 * 1024 + 1), "xls") == "form_file_too_large"


def test_workbook_that_unpacks_to_too_much_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "_MAX_UNPACKED", 10)
    assert refusal(archive({"a.xml": b"x" * 11})) == "form_file_bomb"


@pytest.mark.parametrize("data", [b"PK", b"PK\x05\x06" + b"\xff" * 18], ids=["cut", "nonsense"])
def test_damaged_workbook_is_refused(data: bytes) -> None:
    assert refusal(data) == "form_file_unreadable"


def test_encrypted_workbook_is_refused() -> None:
    data = bytearray(archive({"a.xml": b"<a/>"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(data)) == "form_file_unreadable"
