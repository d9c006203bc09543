"""What linkage left out, as sentences for whoever gave the records: what it did not understand, and what is too common.

None quotes a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from forms.errors import N_, Translate
from sync.linkage.spreadsheet import Spreadsheet

MESSAGES = {
    "unknown": N_("The column “%(column)s” is not known and is not read."),
    "meant": N_("The column “%(column)s” is not known and is not read. Do you mean “%(meant)s”?"),
    "numbered": N_("There is no column record_id: records are called by their place in the file."),
    "missing": N_("Columns that would help and are not there: %(columns)s."),
    "unread": N_("Column “%(column)s”: values that cannot be read and count as not known: %(count)s."),
    "countries": N_("Column “%(column)s”: values that are no known country and are compared as written: %(count)s."),
    "undated": N_("Ages that count as not known, as there is no recorded_on to reckon them from: %(count)s."),
    "left_out": N_(
        "Keys that more than %(most)s records share are not looked up: %(count)s. Records alike in nothing else were"
        " not compared."
    ),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was left out."""

    code: str
    params: dict[str, object] = field(default_factory=dict)

    def word(self, translate: Translate = str) -> str:
        """The sentence for the reader."""
        return translate(MESSAGES[self.code]) % self.params


def list_remarks(sheet: Spreadsheet) -> list[Remark]:
    """All that should be said about a file before its result is relied on."""
    return [*_list_columns(sheet), *_list_values(sheet)]


def remark_left_out(keys: int, most: int) -> list[Remark]:
    """That keys were too common to be looked up, where some were."""
    return [Remark("left_out", {"count": keys, "most": most})] if keys else []


def _list_columns(sheet: Spreadsheet) -> Iterator[Remark]:
    for column, meant in sheet.unknown.items():
        yield Remark("meant" if meant else "unknown", {"column": column, "meant": meant})
    if "record_id" in sheet.missing:
        yield Remark("numbered")
    if helpful := [name for name in sheet.missing if name != "record_id"]:
        yield Remark("missing", {"columns": ", ".join(helpful)})


def _list_values(sheet: Spreadsheet) -> Iterator[Remark]:
    for column, count in sorted(sheet.unread.items()):
        yield Remark("countries" if column == "nationality" else "unread", {"column": column, "count": count})
    if sheet.undated:
        yield Remark("undated", {"count": sheet.undated})
