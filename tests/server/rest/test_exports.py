"""Whole forms as files."""

import csv
import io
import zipfile

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from forms.xlsform import read_form
from server.processing import process_pending
from sync.models import AnswerRow
from tests.server.rest.program import Program, form_path, log_in_program, problem
from tests.server.rest.samples import MARKET, record, simple, to_xlsx, workbook
from tests.server.rest.test_odata import FULL
from tests.server.rest.test_submission_files import NAME, PHOTO
from tests.server.rest.test_submissions import at, send
from tests.server.test_file_removal import disk

RECORDS = f"{form_path('market')}/submissions"


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


@pytest.fixture
def filled(market: Program) -> Program:
    send(market, record("full", FULL + PHOTO))
    market.post(at("full", NAME), data=b"jpeg")
    send(market, record("plain", "<fruit>=HYPERLINK(1)</fruit><boxes>-12</boxes>"))
    return market


def test_csv_has_centrals_columns(filled: Program) -> None:
    plain, full = read_csv(filled.get(f"{RECORDS}.csv").data)
    expected = {
        "fruit": "mango", "boxes": "3", "seller-stall": "B4", "place-Latitude": "14.7", "place-Accuracy": "3",
        "meta-instanceID": "full", "KEY": "full", "AttachmentsPresent": "1", "FormVersion": "1", "Edits": "0",
    }  # fmt: skip
    assert {name: full[name] for name in expected} == expected
    assert next(iter(full)) == "SubmissionDate"
    assert (plain["fruit"], plain["boxes"]) == ("'=HYPERLINK(1)", "-12")


def test_csv_can_be_filtered_and_its_groups_left_out(filled: Program) -> None:
    (one,) = read_csv(filled.get(f"{RECORDS}.csv?$filter=boxes gt 0&groupPaths=false").data)
    assert one["stall"] == "B4"
    assert problem(filled.get(f"{RECORDS}.csv?splitSelectMultiples=true")) == (501, 501.1)


def test_the_zip_holds_every_table_and_the_files(filled: Program) -> None:
    with zipfile.ZipFile(io.BytesIO(filled.get(f"{RECORDS}.csv.zip").data)) as archive:
        assert archive.testzip() is None
        names = ["market.csv", "market-crate.csv", "market-layer.csv", "media/mango ✅.jpg"]
        assert archive.namelist() == names
        crates, layers = (read_csv(archive.read(name)) for name in names[1:3])
        assert archive.read(names[3]) == b"jpeg"
    assert next((one["mark"], one["KEY"], one["PARENT_KEY"]) for one in crates) == ("A", "full/crate[1]", "full")
    assert {one["PARENT_KEY"] for one in layers} == {"full/crate[1]"}


def test_a_file_that_went_while_the_zip_was_read_ends_no_export(
    filled: Program, caplog: pytest.LogCaptureFixture
) -> None:
    next(iter(disk().values())).unlink()
    with zipfile.ZipFile(io.BytesIO(filled.get(f"{RECORDS}.csv.zip").data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["market.csv", "market-crate.csv", "market-layer.csv"]
    assert "not on the disk" in caplog.text


def test_the_zip_can_do_without_files(filled: Program) -> None:
    answer = filled.post(f"{RECORDS}.csv.zip?attachments=False")
    assert 'filename="market.csv.zip"' in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert not [one for one in archive.namelist() if one.startswith("media/")]


def test_repeats_of_one_name_are_numbered_in_the_zip(program: Program) -> None:
    sheet = simple("twins", "1")
    for group, repeat in (("left", "bag"), ("right", "bagg")):
        sheet["survey"] += [["begin group", group, ""], ["begin repeat", repeat, "Bag"], ["text", "inside", "In"]]
        sheet["survey"] += [["end repeat", "", ""], ["end group", "", ""]]
    # pyxform makes no such form, but others do.
    xml = read_form(workbook(sheet), "twins.xlsx").xml.replace(b"bagg", b"bag")
    program.post("projects/1/forms?publish=true", data=xml, content_type="application/xml")
    with zipfile.ZipFile(io.BytesIO(program.get(f"{form_path('twins')}/submissions.csv.zip").data)) as archive:
        assert archive.namelist() == ["twins.csv", "twins-bag~1.csv", "twins-bag~2.csv"]


@pytest.mark.both_databases
def test_a_number_that_is_none_spoils_no_export(market: Program) -> None:
    for number, price in enumerate(("NaN", "1e400", "-Infinity", "2.5")):
        send(market, record(f"huge{number}", f"<boxes>{'9' * (15 + 5 * number)}</boxes><price>{price}</price>"))
    for kind in ("csv", "csv.zip", "xlsx", "geojson", "parquet", "parquet.zip"):
        assert market.get(f"{RECORDS}.{kind}").status_code == 200, kind
    rows = market.json(f"{form_path('market')}.svc/Submissions?$orderby=__system/submissionDate asc")["value"]
    assert [(one["boxes"], one["price"]) for one in rows] == [
        (10**15 - 1, "NaN"), ("9" * 20, "1e400"), ("9" * 25, "-Infinity"), ("9" * 30, 2.5),
    ]  # fmt: skip


def test_a_text_in_the_place_of_a_group_spoils_no_export(market: Program) -> None:
    send(market, record("first", "<seller>loose</seller><seller><stall>B4</stall></seller>"))
    send(market, record("last", "<seller><stall>B5</stall></seller><seller>loose</seller>"))
    send(market, record("alone", "<crate>loose</crate><crate><mark>A</mark></crate>"))
    rows = {one["KEY"]: one["seller-stall"] for one in read_csv(market.get(f"{RECORDS}.csv").data)}
    assert rows == {"first": "B4", "last": "B5", "alone": ""}
    assert "loose" not in market.get(f"{form_path('market')}.svc/Submissions?$expand=*").text


def test_places_are_features(filled: Program) -> None:
    (feature,) = filled.json(f"{RECORDS}.geojson")["features"]
    assert (feature["id"], feature["geometry"]) == ("full", {"type": "Point", "coordinates": [-17.4, 14.7, 5.0]})
    assert feature["properties"] == {"fieldpath": "/place", "accuracy": 3.0}


def test_a_broken_export_is_taken_up_again_from_the_same_snapshot(filled: Program) -> None:
    first = filled.get(f"{RECORDS}.csv")
    whole, etag = first.data, first.headers["ETag"]
    send(filled, record("later"))
    rest = filled.get(f"{RECORDS}.csv", headers={"Range": "bytes=100-", "If-Range": etag})
    assert (rest.status_code, rest.data) == (206, whole[100:])
    assert rest.headers["Content-Range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    rest.close()
    fresh = filled.get(f"{RECORDS}.csv", headers={"Range": "bytes=100-", "If-Range": '"another"'})
    assert (fresh.status_code, b"later" in fresh.data) == (200, True)


def test_a_snapshot_is_nobody_elses(filled: Program, client: FlaskClient, session: Session) -> None:
    etag = filled.get(f"{RECORDS}.csv").headers["ETag"]
    other = log_in_program(client, session, "national_supervisor")
    answer = other.get(f"{RECORDS}.csv", headers={"Range": "bytes=0-", "If-Range": etag})
    assert (answer.status_code, b"mango" in answer.data) == (200, False)
    elsewhere = filled.get(f"{RECORDS}.csv?$filter=boxes gt 0", headers={"Range": "bytes=0-", "If-Range": etag})
    assert elsewhere.status_code == 200


@pytest.mark.both_databases
def test_lines_that_are_kept_ready_are_those_that_are_written_from_answers(filled: Program, session: Session) -> None:
    send(filled, record("odd", '<fruit>a "b", c</fruit><boxes>many</boxes><place>14 -17.5</place><crate/>'))
    process_pending()
    ready = read_tables(filled)
    session.execute(update(AnswerRow).values(layout_id=None, cells=None))
    session.commit()
    assert read_tables(filled) == ready


def read_tables(program: Program) -> list[bytes]:
    whole, *others = [program.get(f"{RECORDS}.csv{more}").data for more in ("", "?$filter=boxes gt 0&groupPaths=false")]
    with zipfile.ZipFile(io.BytesIO(program.get(f"{RECORDS}.csv.zip").data)) as archive:
        return [whole, *others, *(archive.read(name) for name in archive.namelist())]


def test_records_of_an_older_version_stand_below_the_columns_of_the_newest(filled: Program) -> None:
    process_pending()
    publish_second(filled)
    send(filled, record("new", "<colour>red</colour><place>the corner</place>", version="2"))
    process_pending()
    rows = {one["KEY"]: one for one in read_csv(filled.get(f"{RECORDS}.csv").data)}
    told = {key: tuple(one[name] for name in ("colour", "fruit", "place", "FormVersion")) for key, one in rows.items()}
    assert told["full"] == ("", "mango", "14.7 -17.4 5 3", "1")
    assert told["new"] == ("red", "", "the corner", "2")
    assert "day" not in rows["new"]


def publish_second(program: Program) -> None:
    """A version of the market with one question more, one less, and one that is of another type now."""
    survey = [["text", *one[1:]] if one[1] == "place" else one for one in MARKET["survey"] if one[1] != "day"]
    survey.insert(1, ["text", "colour", "Colour"])
    second = to_xlsx({"settings": [["form_id", "version"], ["market", "2"]], "survey": survey})
    assert program.post(f"{form_path('market')}/draft?ignoreWarnings=true", **second).json == {"success": True}
    assert program.post(f"{form_path('market')}/draft/publish").json == {"success": True}


def test_numbers_of_json_stay_numbers(filled: Program) -> None:
    assert orjson.loads(filled.get(f"{RECORDS}.geojson").data)["type"] == "FeatureCollection"
