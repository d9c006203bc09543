"""Tables of a form in OData: rows as Central writes them, filters also where Central has none."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy.orm import Session

from server.processing import process_pending
from tests.server.rest.program import Program, form_path, log_in_program, problem
from tests.server.rest.samples import record
from tests.server.rest.test_submissions import at, send

SVC = f"{form_path('market')}.svc"
CRATES = (
    "<crate><mark>A</mark><layer><count>1</count></layer><layer><count>2</count></layer></crate><crate><mark/></crate>"
)
FULL = (
    "<fruit>mango</fruit><boxes>3</boxes><price>2.5</price><day>2026-11-20</day><place>14.7 -17.4 5 3</place>"
    f"<seller><stall>B4</stall></seller>{CRATES}"
)


def rows(program: Program, table: str = "Submissions", **query: Any) -> list[dict[str, Any]]:
    return program.json(f"{SVC}/{table}", query_string={f"${name}": value for name, value in query.items()})["value"]  # type: ignore[no-any-return]


def ids(program: Program, **query: Any) -> list[str]:
    return [one["__id"] for one in rows(program, **query)]


@pytest.fixture
def filled(market: Program) -> Program:
    """Three records: a full one, judged; a plain one, judged; one that nobody judged yet."""
    send(market, record("full", FULL))
    send(market, record("plain", "<fruit>papaya</fruit><boxes>12</boxes>"))
    process_pending()
    send(market, record("fresh", "<fruit>ananas</fruit>"))
    return market


def test_a_record_is_a_row_of_nested_groups_with_every_column(filled: Program) -> None:
    row = rows(filled)[2]
    assert row["__id"] == "full"
    assert (row["fruit"], row["boxes"], row["price"], row["day"]) == ("mango", 3, 2.5, "2026-11-20")
    assert row["place"] == {"type": "Point", "coordinates": [-17.4, 14.7, 5.0], "properties": {"accuracy": 3.0}}
    assert (row["seller"], row["photo"]) == ({"stall": "B4"}, None)
    assert row["meta"]["instanceID"] == "full"
    assert row["crate@odata.navigationLink"] == "Submissions('full')/crate"
    assert rows(filled)[1]["seller"] == {"stall": None}


def test_the_metadata_of_a_row_is_centrals(filled: Program) -> None:
    system = rows(filled)[2]["__system"]
    assert (system["submitterId"], system["edits"], system["formVersion"]) == (str(filled.actor_id), 0, "1")
    assert (system["attachmentsExpected"], system["reviewState"], system["deletedAt"]) == (0, None, None)
    assert system["submissionDate"].endswith("Z")


def test_a_record_that_nobody_judged_yet_is_there_and_stays_the_same_once_it_is(filled: Program) -> None:
    before = rows(filled)
    assert before[0]["fruit"] == "ananas"
    process_pending()
    assert rows(filled) == before


def test_repeats_are_tables_of_their_own(filled: Program) -> None:
    crates, layers = rows(filled, "Submissions.crate"), rows(filled, "Submissions.crate.layer")
    assert [(one["__Submissions-id"], one["mark"]) for one in crates] == [("full", "A"), ("full", None)]
    assert [one["count"] for one in layers] == [1, 2]
    assert {one["__Submissions-crate-id"] for one in layers} == {crates[0]["__id"]}


def test_links_lead_from_a_record_to_its_repeats(filled: Program) -> None:
    send(filled, record("another/one", CRATES))
    (link,) = [one["crate@odata.navigationLink"] for one in rows(filled) if one["__id"] == "full"]
    crates = filled.json(f"{SVC}/{link}?$count=true")
    assert ([one["mark"] for one in crates["value"]], crates["@odata.count"]) == (["A", None], 2)
    inner = [filled.json(f"{SVC}/{one['layer@odata.navigationLink']}?$count=true") for one in crates["value"]]
    assert [[one["count"] for one in layers["value"]] for layers in inner] == [[1, 2], []]
    assert [layers["@odata.count"] for layers in inner] == [2, 0]
    page = filled.json(f"{SVC}/{link}?$top=1")
    assert [one["mark"] for one in filled.json(page["@odata.nextLink"].partition("/v1/")[2])["value"]] == [None]
    (slashed,) = [one["crate@odata.navigationLink"] for one in rows(filled) if one["__id"] == "another/one"]
    assert len(filled.json(f"{SVC}/{slashed.replace('/one', '%2Fone')}")["value"]) == 2


def test_no_link_leads_on_from_what_is_not_there(filled: Program) -> None:
    for path in ("Submissions('none')/crate", "Submissions('full')/none", "Submissions('none')"):
        assert problem(filled.get(f"{SVC}/{path}")) == (404, 404.1)


def test_a_page_that_ends_with_the_table_leads_nowhere(filled: Program) -> None:
    for table, whole in (("Submissions", 3), ("Submissions.crate", 2)):
        told = [filled.json(f"{SVC}/{table}?$top={top}") for top in (whole - 1, whole, whole + 1)]
        assert ["@odata.nextLink" in one for one in told] == [True, False, False]


def test_ids_of_a_repeat_are_there_if_they_are_asked_for(filled: Program) -> None:
    asked = [set(rows(filled, "Submissions.crate", select=names)[0]) for names in ("mark", "__id", "__Submissions-id")]
    assert asked == [{"mark"}, {"__id"}, {"__Submissions-id"}]
    assert set(rows(filled, select="crate")[0]) == {"crate@odata.navigationLink"}


def test_expand_puts_repeats_into_their_record(filled: Program) -> None:
    crates = rows(filled, expand="*")[2]["crate"]
    assert [(one["mark"], [layer["count"] for layer in one.get("layer", [])]) for one in crates] == [
        ("A", [1, 2]),
        (None, []),
    ]
    assert [one["__id"] for one in crates] == [one["__id"] for one in rows(filled, "Submissions.crate")]


def test_select_keeps_what_is_named(filled: Program) -> None:
    row = rows(filled, select="__id,meta/instanceID,__system/formVersion,fruit,seller")[2]
    assert row == {
        "__id": "full", "__system": {"formVersion": "1"}, "meta": {"instanceID": "full"}, "fruit": "mango",
        "seller": {"stall": "B4"},
    }  # fmt: skip
    assert problem(filled.get(f"{SVC}/Submissions?$select=nothing")) == (400, 400.23)


FILTERS = [
    ("fruit eq 'mango'", ["full"]),
    ("fruit ne 'mango'", ["fresh", "plain"]),
    ("boxes gt 3", ["plain"]),
    ("3 le boxes", ["plain", "full"]),
    ("boxes eq null", ["fresh"]),
    ("not (boxes eq null) and seller/stall eq 'B4'", ["full"]),
    ("day ge 2026-11-20 or fruit eq 'papaya'", ["plain", "full"]),
    ("fruit in ('papaya', 'ananas')", ["fresh", "plain"]),
    ("contains(fruit, 'a_a')", []),
    ("startswith(fruit, 'pa') or contains(fruit, 'nana')", ["fresh", "plain"]),
    ("price lt 2.6", ["full"]),
    ("__id eq 'plain'", ["plain"]),
    ("__system/submissionDate le now()", ["fresh", "plain", "full"]),
    ("year(__system/submissionDate) lt 2000", []),
    ("__system/submissionDate lt 2020-01-01T00:00:00.000Z", []),
    ("__system/reviewState eq null", ["fresh", "plain", "full"]),
    ("__system/reviewState ne 'approved' and __system/deletedAt eq null", ["fresh", "plain", "full"]),
    ("fruit eq 'o''clock; DROP TABLE submissions'", []),
]


@pytest.mark.both_databases
def test_filters_reach_metadata_and_answers(filled: Program) -> None:
    assert {expression: ids(filled, filter=expression) for expression, _found in FILTERS} == dict(FILTERS)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("$filter=fruit eq", (400, 400.18)),
        ("$filter=boxes gt 'many'", (400, 400.18)),
        ("$filter=nothing eq 1", (501, 501.5)),
        ("$filter=crate/mark eq 'A'", (501, 501.5)),
        ("$filter=length(fruit) eq 1", (501, 501.5)),
        ("$filter=fruit eq boxes", (501, 501.4)),
        (f"$filter={'not (' * 200}fruit eq 'a'{')' * 200}", (501, 501.4)),
        (f"$filter=fruit eq '{'a' * 5000}'", (400, 400.18)),
        ("$orderby=fruit", (501, 501.5)),
        ("$expand=crate", (501, 501.6)),
        ('$search=""', (400, 400.18)),
        ("$search=\u0301", (400, 400.18)),
        (f"$search={' '.join('abcdefghijk')}", (400, 400.18)),
        (f"$search={'a' * 5000}", (400, 400.18)),
        ("$apply=x", (501, 501.1)),
        ("$skiptoken=01nonsense", (400, 400.35)),
        ("$top=-1", (400, 400.8)),
    ],
)
def test_what_is_not_understood_is_refused_in_centrals_codes(
    filled: Program, query: str, expected: tuple[int, float]
) -> None:
    assert problem(filled.get(f"{SVC}/Submissions?{quote(query, safe='=$')}")) == expected


@pytest.mark.parametrize("table", ["Submissions", "Submissions.crate.layer"])
def test_pages_follow_one_another_without_gap_or_twin(filled: Program, table: str) -> None:
    for name in ("x", "y"):
        send(filled, record(name, FULL))
    whole, paged, url = rows(filled, table), [], f"{SVC}/{table}?$top=2&$count=true"
    while url:
        page = json.loads(filled.get(url).data)
        assert page["@odata.count"] == len(whole)
        paged += page["value"]
        url = page.get("@odata.nextLink", "").partition("/v1/")[2]
    assert paged == whole


@pytest.mark.both_databases
@pytest.mark.parametrize("edited", ["full", "plain", "fresh"])
def test_a_reader_meets_each_record_once_though_one_is_edited_meanwhile(filled: Program, edited: str) -> None:
    first = filled.json(f"{SVC}/Submissions?$top=1&$count=true")
    filled.call("PUT", at(edited), data=record("later", "<fruit>kiwi</fruit>", deprecated=edited))
    send(filled, record("newer"))
    second = filled.json(first["@odata.nextLink"].partition("/v1/")[2])
    third = filled.json(second["@odata.nextLink"].partition("/v1/")[2])
    read = [one for page in (first, second, third) for one in page["value"]]
    assert [one["__id"] for one in read] == ["fresh", "plain", "full"]
    assert ("kiwi" in {one["fruit"] for one in read}, third["@odata.count"]) == (False, 3)
    assert set(ids(filled)) == {"newer", "fresh", "plain", "full"}


def test_a_token_of_centrals_shape_is_followed(filled: Program) -> None:
    told = base64.urlsafe_b64encode(json.dumps({"instanceId": "plain"}).encode()).decode().rstrip("=")
    assert ids(filled, skiptoken=f"01{told}") == ["full"]


@pytest.mark.both_databases
def test_a_search_finds_words_in_answers(filled: Program) -> None:
    assert ids(filled, search="MANG") == ["full"]
    assert ids(filled, search='"papa" 12') == ["plain"]
    assert ids(filled, search="an") == ["fresh", "full"]
    assert ids(filled, search="plain") == ["plain"]
    assert (ids(filled, search="nobody"), ids(filled, search="a_a")) == ([], [])


@pytest.mark.both_databases
def test_a_search_knows_neither_case_nor_accents(filled: Program) -> None:
    send(filled, record("named", "<fruit>de la part d'Élise et d'أحمد, œufs</fruit>"))
    for asked in ("élise", "ELISE", "Élise", "e\u0301lise", "أحمد", "احمد", "Œ", "Élise " * 300):
        assert ids(filled, search=asked) == ["named"], asked


@pytest.mark.both_databases
def test_the_most_words_are_looked_for_all_together(filled: Program) -> None:
    send(filled, record("named", "<fruit>a1 b2 c3 d4 e5 f6 g7 h8 i9 j10</fruit>"))
    assert ids(filled, search="a1 b2 c3 d4 e5 f6 g7 h8 i9 j10", count="true") == ["named"]
    assert ids(filled, search="a1 b2 c3 d4 e5 f6 g7 h8 i9 j11") == []


def test_count_skip_and_order(filled: Program) -> None:
    assert filled.json(f"{SVC}/Submissions?$top=0&$count=True") == {
        "value": [], "@odata.context": f"http://localhost/v1/{SVC}/$metadata#Submissions", "@odata.count": 3,
    }  # fmt: skip
    assert ids(filled, skip=1, top=1) == ["plain"]
    assert ids(filled, orderby="__system/submissionDate asc") == ["full", "plain", "fresh"]


def test_an_edited_record_is_one_row_under_its_first_name(filled: Program) -> None:
    filled.call("PUT", at("plain"), data=record("plain-2", "<fruit>kiwi</fruit>", deprecated="plain"))
    row = next(one for one in rows(filled) if one["__id"] == "plain")
    assert (row["fruit"], row["__system"]["edits"], row["__system"]["reviewState"]) == ("kiwi", 1, "edited")
    assert row["__system"]["updatedAt"]
    assert len(rows(filled)) == 3


def test_one_record_is_read_by_its_id(filled: Program) -> None:
    (row,) = filled.json(f"{SVC}/Submissions(%27full%27)")["value"]
    assert row["fruit"] == "mango"
    assert problem(filled.get(f"{SVC}/Submissions(%27nobody%27)")) == (404, 404.1)


def test_places_can_be_written_as_wkt(filled: Program) -> None:
    assert rows(filled, wkt="true")[2]["place"] == "POINT (-17.4 14.7 5)"


def test_the_service_describes_itself(filled: Program) -> None:
    names = [one["name"] for one in filled.json(SVC)["value"]]
    assert names == ["Submissions", "Submissions.crate", "Submissions.crate.layer"]
    told = etree.fromstring(filled.get(f"{SVC}/$metadata").data)
    types = {one.get("Name"): one for one in told.iter("{*}EntityType", "{*}ComplexType")}
    assert {"Submissions", "seller", "meta", "Submissions.crate", "Submissions.crate.layer"} <= types.keys()
    columns = {
        one.get("Name"): one.get("Type") for one in types["Submissions"].iter("{*}Property", "{*}NavigationProperty")
    }
    assert (columns["boxes"], columns["place"]) == ("Edm.Int64", "Edm.GeographyPoint")
    assert columns["crate"] == "Collection(org.opendatakit.user.market.Submissions.crate)"
    assert problem(filled.get(f"{SVC}/Submissions.nothing")) == (404, 404.1)


def test_what_a_role_may_not_take_out_is_no_column_and_no_filter(
    filled: Program, client: FlaskClient, session: Session
) -> None:
    """Nobody classed the answers of this form, so they are D3: a national supervisor exports D1 and D2 only."""
    reader = log_in_program(client, session, "national_supervisor")
    assert rows(reader) == []
    assert b"fruit" not in reader.get(f"{SVC}/$metadata").data
    assert problem(reader.get(f"{SVC}/Submissions?$filter=fruit eq 'mango'")) == (501, 501.5)
    assert rows(reader, search="mango") == []
