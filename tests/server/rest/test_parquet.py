"""Tables as Parquet: typed for pandas, Arrow and DuckDB, and nothing that was said is left out."""

import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from server.processing import process_pending
from tests.server.rest.program import Program, form_path
from tests.server.rest.samples import MARKET, Sheets, record, simple, to_xlsx
from tests.server.rest.test_odata import FULL
from tests.server.rest.test_submissions import send

RECORDS = f"{form_path('market')}/submissions"
PLACE = ("place-Latitude", "place-Longitude", "place-Altitude", "place-Accuracy")
TYPED = {
    "boxes": pa.int64(), "price": pa.float64(), "day": pa.date32(), "opened": pa.timestamp("us", "UTC"),
    "fresh": pa.bool_(), **dict.fromkeys(PLACE, pa.float64()), "seller-stall": pa.string(),
    "SubmissionDate": pa.timestamp("ms", "UTC"), "Edits": pa.int64(),
}  # fmt: skip


@pytest.fixture
def typed(program: Program) -> Program:
    """A market whose form asks for a moment and a truth as well."""
    more = [["dateTime", "opened", "Opened", ""], ["text", "fresh", "Fresh", "boolean"]]
    survey = [[*MARKET["survey"][0], "bind::type"], *more, *([*one, ""] for one in MARKET["survey"][1:])]
    publish(program, {"settings": MARKET["settings"], "survey": survey})
    return program


def publish(program: Program, sheets: Sheets) -> None:
    answer = program.post("projects/1/forms?publish=true&ignoreWarnings=True", **to_xlsx(sheets))
    assert answer.status_code == 200, answer.text


def read(program: Program, more: str = "") -> pa.Table:
    return pq.read_table(io.BytesIO(program.get(f"{RECORDS}.parquet{more}").data))


def read_zip(program: Program, form: str = "market") -> dict[str, bytes]:
    data = program.get(f"{form_path(form)}/submissions.parquet.zip").data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.both_databases
def test_columns_are_those_of_csv_with_the_forms_types(typed: Program) -> None:
    opened = "<opened>2026-11-20T09:30:00.250+01:00</opened><fresh>1</fresh>"
    send(typed, record("full", FULL + opened))
    table = read(typed)
    assert {name: table.schema.field(name).type for name in TYPED} == TYPED
    head = typed.get(f"{RECORDS}.csv").data.decode("utf-8-sig").splitlines()[0].split(",")
    assert sorted(table.column_names) == sorted([*head, "AsWritten"])
    told: dict[str, Any] = {
        "KEY": "full", "boxes": 3, "price": 2.5, "day": date(2026, 11, 20), "fresh": True, "seller-stall": "B4",
        "opened": datetime(2026, 11, 20, 8, 30, 0, 250_000, UTC), "Edits": 0, "AsWritten": None,
        **dict(zip(PLACE, (14.7, -17.4, 5.0, 3.0), strict=True)),
    }  # fmt: skip
    (row,) = table.to_pylist()
    assert {name: row[name] for name in told} == told


def test_the_zip_holds_every_table_for_duckdb(typed: Program, tmp_path: Path) -> None:
    send(typed, record("full", FULL))
    tables = read_zip(typed)
    assert list(tables) == ["market.parquet", "market-crate.parquet", "market-layer.parquet"]
    for name, content in tables.items():
        (tmp_path / name).write_bytes(content)
    record_table, crate, layer = (f"'{tmp_path / name}'" for name in tables)
    joined = f"""
        SELECT r."KEY", r."place-Latitude", year(r.day), c.mark, l.count
        FROM {record_table} r JOIN {crate} c ON c."PARENT_KEY" = r."KEY" JOIN {layer} l ON l."PARENT_KEY" = c."KEY"
        ORDER BY l.count
    """
    with duckdb.connect() as connection:
        assert connection.sql(joined).fetchall() == [("full", 14.7, 2026, "A", 1), ("full", 14.7, 2026, "A", 2)]
        kinds = {name: kind for name, kind, *_ in connection.sql(f"DESCRIBE SELECT * FROM {record_table}").fetchall()}
    assert [kinds[name] for name in ("boxes", "day", "opened", "fresh", "place-Altitude")] == [
        "BIGINT", "DATE", "TIMESTAMP WITH TIME ZONE", "BOOLEAN", "DOUBLE",
    ]  # fmt: skip


ODD = {
    "boxes": "9" * 20, "price": "1e400", "day": "0000-01-01", "opened": "0001-01-01T00:00:00.000+01:00",
    "fresh": "maybe", "place": "the corner of the market, left",
}  # fmt: skip


def test_what_is_not_of_its_columns_type_is_told_as_it_was_written(typed: Program) -> None:
    send(typed, record("before", FULL))
    send(typed, record("odd", "".join(f"<{name}>{text}</{name}>" for name, text in ODD.items())))
    send(typed, record("after", "<boxes>12</boxes>"))
    after, odd, before = read(typed).to_pylist()
    assert (after["boxes"], after["AsWritten"], before["boxes"], before["place-Accuracy"]) == (12, None, 3, 3.0)
    assert [odd[name] for name in ("boxes", "price", "day", "opened", "fresh", *PLACE)] == [None] * 9
    assert orjson.loads(odd["AsWritten"]) == ODD


def test_a_moment_without_a_zone_is_senegals(typed: Program) -> None:
    send(typed, record("a", "<opened>2026-11-20T09:30:00</opened>"))
    send(typed, record("b", "<opened>2026-11-20T09:30:00.000+07</opened>"))
    table = read(typed)
    assert [one.as_py().hour for one in table["opened"]] == [2, 9]
    assert table["AsWritten"].null_count == 2


def test_an_answer_of_an_older_version_is_read_by_the_newest_ones_type(program: Program) -> None:
    for version, kind, answer in (("1", "text", "12"), ("2", "integer", "13"), ("3", "text", "some")):
        sheets = simple("market", version, [kind, "boxes", "Boxes"])
        if version == "1":
            publish(program, sheets)
        else:
            program.post(f"{form_path('market')}/draft?ignoreWarnings=true", **to_xlsx(sheets))
            program.post(f"{form_path('market')}/draft/publish")
        send(program, record(f"v{version}", f"<boxes>{answer}</boxes>", version=version))
        process_pending()
        assert read(program)["AsWritten"].null_count == int(version)
    assert read(program)["boxes"].to_pylist() == ["some", "13", "12"]


def test_columns_that_readers_take_for_one_are_numbered(program: Program) -> None:
    publish(program, simple("market", "1", ["text", "Fruit", "Fruit"], ["text", "key", "Key"]))
    send(program, record("a", "<fruit>mango</fruit><Fruit>lime</Fruit><key>of the shop</key>"))
    (row,) = read(program).to_pylist()
    assert [row[name] for name in ("KEY", "key~2", "fruit", "Fruit~2")] == ["a", "of the shop", "mango", "lime"]


def test_groups_are_left_out_and_records_are_filtered_as_in_csv(typed: Program) -> None:
    send(typed, record("full", FULL))
    send(typed, record("plain", "<boxes>-12</boxes>"))
    assert read(typed, "?$filter=boxes gt 0&groupPaths=false")["stall"].to_pylist() == ["B4"]


def test_several_groups_of_rows_leave_out_nothing(typed: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.records.FIRST_CHUNK", 1)
    monkeypatch.setattr("server.rest.parquet._ROWS", 2)
    for name in ("full", "plain", "third", "last"):
        send(typed, record(name, FULL))
    file = pq.ParquetFile(io.BytesIO(typed.get(f"{RECORDS}.parquet").data))
    assert [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)] == [3, 1]
    assert file.read(["KEY"]).to_pydict() == {"KEY": ["last", "third", "plain", "full"]}
    crates = pq.read_table(io.BytesIO(read_zip(typed)["market-crate.parquet"])).to_pylist()
    assert [(one["PARENT_KEY"], one["mark"]) for one in crates] == [
        (name, mark) for name in ("last", "third", "plain", "full") for mark in ("A", None)
    ]


def test_a_form_without_records_has_its_columns(typed: Program) -> None:
    assert read(typed).num_rows == 0
    assert pq.read_table(io.BytesIO(read_zip(typed)["market-layer.parquet"])).column_names == [
        "PARENT_KEY", "KEY", "count", "AsWritten",
    ]  # fmt: skip
