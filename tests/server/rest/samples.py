"""Forms and records for the tests of `/v1`: invented goods on an invented market."""

import io
from typing import Any

import openpyxl

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Sheets = dict[str, list[list[str]]]

MARKET: Sheets = {
    "settings": [["form_id", "form_title", "version"], ["market", "Market", "1"]],
    "survey": [
        ["type", "name", "label"],
        ["text", "fruit", "Fruit"],
        ["integer", "boxes", "Boxes"],
        ["decimal", "price", "Price"],
        ["date", "day", "Day"],
        ["geopoint", "place", "Place"],
        ["image", "photo", "Photo"],
        ["begin group", "seller", "Seller"],
        ["text", "stall", "Stall"],
        ["end group", "", ""],
        ["begin repeat", "crate", "Crate"],
        ["text", "mark", "Mark"],
        ["begin repeat", "layer", "Layer"],
        ["integer", "count", "Count"],
        ["end repeat", "", ""],
        ["end repeat", "", ""],
    ],
}


def workbook(sheets: Sheets) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def to_xlsx(sheets: Sheets, fallback: str = "") -> dict[str, Any]:
    headers = {"X-XlsForm-FormId-Fallback": fallback} if fallback else {}
    return {"data": workbook(sheets), "content_type": XLSX, "headers": headers}


def simple(form_id: str, version: str, *more: list[str]) -> Sheets:
    """A form of one question and what is added."""
    return {
        "settings": [["form_id", "version"], [form_id, version]],
        "survey": [["type", "name", "label"], ["text", "fruit", "Fruit"], *more],
    }


def record(instance: str, inner: str = "<fruit>mango</fruit>", **root: str) -> bytes:
    """A record of the market, or of the form that `form` and `version` name; `deprecated` makes it an edit."""
    form, version = root.get("form", "market"), root.get("version", "1")
    deprecated = f"<deprecatedID>{root['deprecated']}</deprecatedID>" if "deprecated" in root else ""
    meta = f"<meta><instanceID>{instance}</instanceID>{deprecated}</meta>"
    return f'<data id="{form}" version="{version}">{inner}{meta}</data>'.encode()
