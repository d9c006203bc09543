"""Tablets' logs in the zip of a form: all of them, in one table, and nothing in it is a formula."""

import csv
import io
import zipfile

import pytest

from server.rest.tablet_logs import write_logs
from tests.server.rest.program import Program, form_path
from tests.server.rest.samples import record, simple, to_xlsx
from tests.server.rest.test_submissions import send

NOTED = b"event,node,start,end\r\nform start,,1,2\r\nquestion,/data/fruit,3,4\r\n"


@pytest.mark.both_databases
def test_the_logs_of_all_records_are_one_table(program: Program) -> None:
    sheets = simple("market", "1", ["audit", "audit", ""])
    program.post("projects/1/forms?publish=true&ignoreWarnings=True", **to_xlsx(sheets))
    for name in ("a", "b"):
        meta = f"<meta><audit>audit.csv</audit><instanceID>{name}</instanceID></meta>"
        send(program, record(name).replace(f"<meta><instanceID>{name}</instanceID></meta>".encode(), meta.encode()))
        program.post(f"{form_path('market')}/submissions/{name}/attachments/audit.csv", data=NOTED + name.encode())
    with zipfile.ZipFile(io.BytesIO(program.get(f"{form_path('market')}/submissions.csv.zip").data)) as archive:
        assert archive.namelist() == ["market.csv", "market - audit.csv"]
        rows = list(csv.DictReader(io.StringIO(archive.read("market - audit.csv").decode())))
    told = [(one["instance ID"], one["event"], one["node"], one["end"]) for one in rows]
    assert told == [
        line
        for name in ("a", "b")
        for line in ((name, "form start", "", "2"), (name, "question", "/data/fruit", "4"), (name, name, "", ""))
    ]


@pytest.mark.parametrize(
    ("log", "noted"),
    [
        (b"event,new-value\nquestion,=1+1\n", ["i,question,,,,,,,,'=1+1,,"]),
        (b'\xef\xbb\xbfevent\n"open', ["i,open,,,,,,,,,,"]),
        (b"user,more\r\nAwa,and more,even more\r\n", ["i,,,,,,,,,,Awa,"]),
        (b"event\n\xff\x00\n" + b"x" * 200_000, ["i,\ufffd\0,,,,,,,,,,", f"i,{'x' * 200_000},,,,,,,,,,"]),
        (b"", []),
    ],
    ids=["formula", "open quote", "unknown columns", "no text and a long one", "blank"],
)
def test_whatever_a_log_holds_the_table_is_written(log: bytes, noted: list[str]) -> None:
    assert b"".join(write_logs([("i", log)])).decode().split("\r\n")[1:] == [*noted, ""]
