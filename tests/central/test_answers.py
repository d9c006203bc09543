"""Our `/v1` beside Central's own: the same requests, the same answers, but for the differences that we mean."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from server import create_app
from server.cli.setup import set_up
from server.extensions import db
from tests.accounts import PASSWORD as OURS
from tests.accounts import add_account, add_site
from tests.central.backend import EMAIL, Central
from tests.central.pair import Pair, Side
from tests.live import demo_settings, serving
from tests.server.rest.samples import MARKET, XLSX, Sheets, record, workbook

pytestmark = pytest.mark.central
LISTED = tomllib.loads(Path(__file__).with_name("differences.toml").read_text())["difference"]
P = "projects/{project}"
F, D = f"{P}/forms/market", f"{P}/datasets"
S, O, L = f"{F}/submissions", f"{F}.svc", f"{D}/{{list}}"  # noqa: E741 (as short as the addresses that it begins)
SHEET = {"Content-Type": XLSX, "X-XlsForm-FormId-Fallback": "unnamed"}
XML = {"Content-Type": "application/xml"}
EXTENDED = {"X-Extended-Metadata": "true"}
GOODS: Sheets = {
    **MARKET,
    "survey": [*MARKET["survey"], ["dateTime", "at", "At"], ["select_multiple kind", "kinds", "Kinds"]],
    "choices": [["list_name", "name", "label"], ["kind", "a", "A"], ["kind", "b", "B"]],
}
FILES: Sheets = {
    "settings": [["form_id", "version"], ["files", "1"]],
    "survey": [["type", "name", "label"], ["select_one_from_file villages.csv", "v", "V"], ["text", "fruit", "Fruit"]],
}
FULL = (
    "<fruit>mango</fruit><boxes>3</boxes><price>1.5</price><day>2026-03-02</day><place>14.5 -17.4 3 5.5</place>"
    "<photo>a.jpg</photo><seller><stall>B4</stall></seller><crate><mark>x</mark><layer><count>1</count></layer>"
    "<layer><count>2</count></layer></crate><crate><mark>y</mark><layer><count>3</count></layer></crate>"
    "<at>2026-03-02T10:00:00.000+00:00</at><kinds>a b</kinds>"
)
_met: set[int] = set()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = demo_settings(tmp_path_factory.mktemp("ours"))
    set_up(settings, demo=False)
    with create_app(settings).app_context():
        add_account(db.session(), "exchange", add_site(db.session(), "SIEGE", "headquarters"), email=EMAIL)
        db.session.remove()
        db.engine.dispose()
    with serving(settings):
        yield settings.base_url


@pytest.fixture(scope="module")
def pair(central: Central, ours: str) -> Pair:
    """Both servers with one form, which has two records, and an entity list."""
    project, session = central.add_project("Answers"), requests.Session()
    token = session.post(f"{ours}/v1/sessions", json={"email": EMAIL, "password": OURS}, timeout=30).json()["token"]
    session.headers["Authorization"] = f"Bearer {token}"
    pair = Pair(Side(central.url, project.session, {"project": project.id}), Side(ours, session, {"project": 1}))
    for name, value in (("list", f"boats{uuid4().hex[:6]}"), ("u", str(uuid4())[:-1]), ("none", str(uuid4()))):
        pair.name(name, value, value)
    publish, goods = f"{P}/forms?publish=true&ignoreWarnings=true", workbook(GOODS)
    for side in (pair.central, pair.ours):
        for method, path, given in (
            ("POST", publish, {"data": goods, "headers": SHEET}),
            ("POST", f"{S}?deviceID=tab-1", {"data": record("uuid:a", FULL), "headers": XML}),
            ("POST", S, {"data": record("uuid:b"), "headers": XML}),
        ):
            assert side.ask(method, path, given).ok
    return pair


@pytest.fixture(autouse=True)
def compared(pair: Pair) -> Iterator[None]:
    """After each test: every difference that came up is one that we mean."""
    pair.found.clear()
    yield
    unmeant = [one for one in dict.fromkeys(pair.found) if not _is_meant(one)]
    assert not unmeant, "\n".join(unmeant)


def _is_meant(found: str) -> bool:
    matches = [number for number, one in enumerate(LISTED) if re.search(one["said"], found)]
    _met.update(matches)
    return bool(matches)


def pick(form_id: str) -> Any:
    """Of a list of forms this one: ours has those that are shipped."""
    return lambda forms: [one for one in forms if one["xmlFormId"] == form_id]


def test_forms_are_told_alike(pair: Pair) -> None:
    pair.get(f"{P}/forms", only=pick("market"))
    pair.get(F, f"{F}.xml", f"{F}.xlsx", f"{F}.xls", f"{F}/fields", f"{F}/fields?odata=true", f"{F}/attachments")
    pair.get(f"{F}/versions", *(f"{F}/versions/1{more}" for more in ("", ".xml", ".xlsx", "/fields", "/attachments")))
    pair.get(f"{F}/", f"{F}/versions/")
    pair.get(f"{F}/versions/2", f"{F}/attachments/none.csv", f"{F}/draft", f"{P}/forms/nowhere")
    pair.get(*(f"{P}/forms/nowhere{more}" for more in (".xml", "/versions", "/submissions", ".svc/Submissions")))
    pair.get(f"{F}/public-links", f"{F}/assignments", f"{F}/submissions/keys")
    pair.get(F, f"{F}/versions", f"{F}/versions/1", headers=EXTENDED)
    pair.get(f"{P}/forms", only=pick("market"), headers=EXTENDED)


def test_forms_are_made_alike(pair: Pair) -> None:
    pair.ask("POST", f"{P}/forms", data=workbook(FILES), headers=SHEET)
    pair.ask("POST", f"{P}/forms?publish=false&ignoreWarnings=True", data=workbook(FILES), headers=SHEET)
    pair.ask("POST", f"{P}/forms?publish=false&ignoreWarnings=True", data=workbook(FILES), headers=SHEET)
    files, draft = f"{P}/forms/files", f"{P}/forms/files/draft"
    pair.get(files, draft, f"{draft}.xml", f"{draft}.xlsx", f"{draft}/fields", f"{draft}/attachments")
    pair.get(f"{files}.xml", f"{files}/versions")
    text = {"Content-Type": "text/csv"}
    pair.ask("POST", f"{draft}/attachments/villages.csv", data=b"name,label\na,A\n", headers=text)
    pair.ask("POST", f"{draft}/attachments/other.csv", data=b"x", headers=text)
    pair.get(f"{draft}/attachments", f"{draft}/attachments/villages.csv")
    pair.ask("DELETE", f"{draft}/attachments/villages.csv")
    pair.get(f"{draft}/attachments", f"{draft}/attachments/villages.csv")
    pair.ask("POST", f"{draft}/attachments/villages.csv", data=b"name,label\na,A\n", headers=text)
    pair.ask("DELETE", draft)
    pair.ask("POST", f"{draft}/publish")
    pair.ask("POST", f"{draft}/publish")
    pair.get(f"{files}/attachments", f"{files}/attachments/villages.csv", f"{files}/versions/1/attachments")
    pair.ask("POST", draft)
    pair.ask("POST", f"{draft}/publish")
    pair.ask("POST", f"{draft}/publish?version=2")
    pair.get(f"{files}/versions", f"{files}.xml")
    pair.ask("POST", f"{draft}?ignoreWarnings=true", data=workbook(GOODS), headers=SHEET)
    pair.ask("DELETE", draft)
    for state in ({"state": "closing"}, {"state": "nonsense"}, {}, {"state": "open"}):
        pair.ask("PATCH", files, json=state)
    pair.ask("DELETE", files)
    pair.get(files)


def test_forms_are_refused_alike(pair: Pair) -> None:
    wrong = workbook({"survey": [["type", "name", "label"], ["texxt", "fruit", "Fruit"]]})
    for body, headers in ((b"<nonsense", XML), (b"<a/>", XML), (b"nonsense", SHEET), (wrong, SHEET)):
        pair.ask("POST", f"{P}/forms", data=body, headers=headers)
    for method, path in (("POST", "/draft"), ("PATCH", ""), ("DELETE", ""), ("POST", "/draft/publish")):
        pair.ask(method, f"{P}/forms/nowhere{path}", json={"state": "open"} if method == "PATCH" else None)


def test_records_are_sent_alike(pair: Pair) -> None:
    for body in (
        record("uuid:a", FULL),
        record("uuid:a"),
        record("uuid:z", version="9"),
        record("uuid:z", form="other"),
    ):
        pair.ask("POST", S, data=body, headers=XML)
    for body in (b"<data", b"", b'<data version="1"><fruit/></data>'):
        pair.ask("POST", S, data=body, headers=XML)
    pair.ask("POST", f"{S}?deviceID=tab-2", data=record("uuid:c", FULL), headers=XML)
    for old in ("uuid:zz", "uuid:c", "uuid:c"):
        pair.ask("PUT", f"{S}/uuid:c", data=record("uuid:c2", FULL, deprecated=old), headers=XML)
    for path, body in (
        ("uuid:c", record("uuid:c2", FULL)),
        ("none", record("uuid:c3", FULL, deprecated="uuid:c2")),
        ("uuid:c", record("uuid:b", FULL, deprecated="uuid:c2")),
    ):
        pair.ask("PUT", f"{S}/{path}", data=body, headers=XML)


def test_records_are_told_alike(pair: Pair) -> None:
    pair.get(S, f"{S}?limit=1", f"{S}?limit=1&offset=1", f"{S}?deleted=true", f"{S}/submitters")
    for one in ("uuid:a", "uuid:c", "uuid:c2", "none"):
        pair.get(*(f"{S}/{one}{more}" for more in ("", ".xml", "/attachments", "/versions", "/diffs", "/comments")))
    for version in ("uuid:c", "uuid:c2", "none"):
        pair.get(*(f"{S}/uuid:c/versions/{version}{more}" for more in ("", ".xml", "/attachments")))
    pair.get(S, f"{S}/uuid:a", f"{S}/uuid:c/versions", headers=EXTENDED)


def test_files_of_records_are_alike(pair: Pair) -> None:
    image = {"Content-Type": "image/jpeg"}
    pair.get(f"{S}/uuid:a/attachments/a.jpg")
    for name in ("a.jpg", "a.jpg", "other.jpg"):
        pair.ask("POST", f"{S}/uuid:a/attachments/{name}", data=b"jpeg", headers=image)
    pair.get(
        f"{S}/uuid:a/attachments", f"{S}/uuid:a/attachments/a.jpg", f"{S}/uuid:a/versions/uuid:a/attachments/a.jpg"
    )


def test_reviews_and_comments_are_alike(pair: Pair) -> None:
    for state in ("approved", "nonsense", None, "hasIssues"):
        pair.ask("PATCH", f"{S}/uuid:a", json={"reviewState": state})
    pair.ask("PATCH", f"{S}/none", json={"reviewState": "approved"})
    for said in ({"body": "hello"}, {}, {"body": ""}, {"body": 5}):
        pair.ask("POST", f"{S}/uuid:b/comments", json=said)
    pair.ask("POST", f"{S}/uuid:b/comments", data=b"nonsense", headers={"Content-Type": "application/json"})
    pair.ask("POST", f"{S}/none/comments", json={"body": "hello"})
    pair.get(f"{S}/uuid:a/comments")
    pair.get(f"{S}/uuid:a/audits", only=lambda told: [sorted(one) for one in told][:1])


@pytest.mark.parametrize(
    "path",
    [
        f"{S}.csv", f"{S}.csv?groupPaths=false", f"{S}.csv?deletedFields=true", f"{S}.csv.zip",
        f"{S}.csv.zip?attachments=false", f"{S}.csv?$filter=__system/reviewState eq 'hasIssues'",
        f"{S}.csv?splitSelectMultiples=true",
    ],
)  # fmt: skip
def test_exports_are_alike(pair: Pair, path: str) -> None:
    pair.get(path)
    pair.ask("POST", path)


ROWS = f"{O}/Submissions"
CRATES = f"{O}/Submissions.crate"


@pytest.mark.parametrize("path", [O, f"{O}/$metadata", f"{P}/forms/nowhere.svc", f"{O}/nowhere", ROWS, CRATES])
def test_odata_is_alike(pair: Pair, path: str) -> None:
    pair.get(path)


def test_pages_of_odata_are_alike(pair: Pair) -> None:
    for asked in (
        "$top=2",
        "$top=3",
        "$top=2&$skip=1",
        "$count=true&$top=1",
        "$top=0&$count=true",
        "$skip=30",
        "$top=x",
    ):
        pair.get(f"{ROWS}?{asked}")
    for path in (f"{ROWS}?$top=1", f"{CRATES}?$top=1&$count=true", f"{O}/Submissions.crate.layer?$top=2"):
        told = pair.ask("GET", path)
        pair.name("next", *(one.json()["@odata.nextLink"].partition("skiptoken=")[2] for one in told))
        pair.get(f"{path}&$skiptoken={{next}}")
    pair.get(f"{ROWS}?$skiptoken=01x", f"{ROWS}?$skiptoken=zz")


def test_rows_of_odata_are_alike(pair: Pair) -> None:
    for asked in ("$expand=*", "$expand=crate", "$expand=*&$select=fruit", "$wkt=true", "$nonsense=1", "$format=json"):
        pair.get(f"{ROWS}?{asked}")
    for names in ("fruit", "__id", "__system", "__system/submissionDate", "seller", "seller/stall", "nowhere", "crate",
                  "meta", "__id,meta/instanceID,__system/formVersion,fruit"):  # fmt: skip
        pair.get(f"{ROWS}?$select={names}")
    for names in ("mark", "__id", "__Submissions-id", "__id,mark", "layer"):
        pair.get(f"{CRATES}?$select={names}")
    pair.get(*(f"{O}/Submissions('uuid:a'){more}" for more in ("", "/crate", "?$expand=*", "?$select=fruit", "/fruit")))
    pair.get(f"{O}/Submissions('none')", f"{O}/Submissions('none')/crate")
    told = pair.ask("GET", f"{O}/Submissions('uuid:a')/crate?$top=1&$count=true")
    pair.name("link", *(one.json()["value"][0]["layer@odata.navigationLink"] for one in told))
    pair.get(f"{O}/{{link}}", f"{O}/{{link}}?$count=true")


def test_formats_of_odata_are_alike(pair: Pair) -> None:
    pair.get(f"{ROWS}?$format=xml")
    pair.get(O, headers={"Accept": "application/xml"})
    pair.get(ROWS, headers={"OData-MaxVersion": "3.0"})
    pair.get(ROWS, headers={"Accept": "application/xml,application/json;q=0.5"})


@pytest.mark.parametrize(
    "said",
    [
        "__system/reviewState eq 'hasIssues'", "__system/reviewState eq null", "nonsense", "__system/nowhere eq 1",
        "__system/submissionDate gt 2020-01-01T00:00:00.000Z", "year(__system/submissionDate) eq 2026",
        "not (__system/reviewState eq 'approved')", "__system/updatedAt eq null", "__system/deletedAt eq null",
        "__system/deletedAt ne null", "__id eq 'uuid:a'", "__system/reviewState in ('approved')",
        "__system/reviewState eq 'hasIssues' or __system/reviewState eq null", "fruit eq 'mango'",
    ],
)  # fmt: skip
def test_filters_are_alike(pair: Pair, said: str) -> None:
    pair.get(f"{ROWS}?$filter={said}&$select=__id")


def test_order_is_alike(pair: Pair) -> None:
    for said in ("__system/submissionDate", "__system/submissionDate desc", "nowhere", "fruit"):
        pair.get(f"{ROWS}?$orderby={said}&$select=__id")
    pair.get(f"{CRATES}?$filter=$root/Submissions/__system/reviewState eq 'hasIssues'&$select=mark")


def test_entity_lists_are_alike(pair: Pair) -> None:
    name = pair.ours.names["list"]
    for body in ({"name": name}, {"name": name}, {"name": name.upper()}, {"name": "__x"}, {"name": "a.b"}, {}):
        pair.ask("POST", D, json=body)
    for body in ({"name": "port"}, {"name": "port"}, {"name": "label"}, {"name": "__x"}, {"name": "port.2"}):
        pair.ask("POST", f"{L}/properties", json=body)
    pair.ask("POST", f"{D}/none/properties", json={"name": "x"})
    pair.get(L, f"{D}/none", f"{D}/none/entities", f"{D}/none.svc")
    pair.get(D, only=lambda told: [one for one in told if one["name"] == name])


def test_entities_are_made_alike(pair: Pair) -> None:
    u = pair.ours.names["u"]
    for body in (
        {"uuid": f"{u}1", "label": "Awa", "data": {"port": "Mbour"}},
        {"uuid": f"{u}1", "label": "Awa"},
        {"uuid": "zz", "label": "Awa"},
        {"uuid": f"{u}2"},
        {"uuid": f"{u}2", "label": ""},
        {"uuid": f"{u}2", "label": 5},
        {"uuid": f"{u}2", "label": "x", "data": {"nowhere": "x"}},
        {"uuid": f"{u}2", "label": "x", "data": {"port": 5}},
        {"uuid": f"{u}2", "label": "Binta", "extra": 1},
        {"uuid": f"uuid:{u}3", "label": "Coumba"},
        {"entities": [{"uuid": f"{u}4", "label": "D", "data": {"port": "Joal"}}, {"uuid": f"{u}5", "label": "E"}],
         "source": {"name": "file.csv", "size": 2}},
        {"entities": [], "source": {"name": "x"}},
        {"entities": [{"uuid": f"{u}6", "label": "F"}, {"uuid": f"{u}4", "label": "D"}], "source": {"name": "x"}},
        {"entities": [{"uuid": f"{u}6", "label": "F"}, {"uuid": f"{u}6", "label": "F"}], "source": {"name": "x"}},
        {},
    ):  # fmt: skip
        pair.ask("POST", f"{L}/entities", json=body)


def test_entities_are_changed_alike(pair: Pair) -> None:
    one, gone = f"{L}/entities/{{u}}1", f"{L}/entities/{{none}}"
    for asked, body in (
        ("", {"data": {"port": "Kayar"}}),
        ("?baseVersion=1", {"data": {"port": "Kayar"}}),
        ("?baseVersion=1", {"data": {"port": "Joal"}}),
        ("?force=True", {"label": "Awa II"}),
        ("?force=true", {"label": ""}),
        ("?force=true", {"data": {"nowhere": "1"}}),
        ("?force=true", {"data": {"port": 5}}),
        ("?force=true&resolve=true", {}),
        ("?force=true", {"data": {"port": ""}}),
    ):
        pair.ask("PATCH", f"{one}{asked}", json=body)
    pair.ask("PATCH", f"{gone}?force=true", json={"label": "x"})
    pair.get(one, f"{one}/versions", f"{one}/diffs", f"{L}/entities/uuid:{{u}}1", f"{L}/entities/zz")
    pair.get(f"{one}/audits", only=lambda told: [(one["action"], sorted(one)) for one in told])
    pair.get(gone, f"{gone}/versions", f"{gone}/diffs", f"{gone}/audits")
    pair.get(one, f"{one}/versions", headers=EXTENDED)
    pair.get(f"{one}/audits", only=lambda told: [(one["action"], sorted(one)) for one in told], headers=EXTENDED)


def test_entities_are_deleted_and_restored_alike(pair: Pair) -> None:
    one, u = f"{L}/entities/{{u}}5", pair.ours.names["u"]
    for method, path in (("DELETE", ""), ("DELETE", ""), ("GET", "")):
        pair.ask(method, f"{one}{path}")
    pair.ask("POST", f"{L}/entities", json={"uuid": f"{u}5", "label": "E"})
    pair.get(f"{L}/entities?deleted=true")
    for _ in range(2):
        pair.ask("POST", f"{one}/restore")
    for act in ("bulk-delete", "bulk-restore"):
        pair.ask("POST", f"{L}/entities/{act}", json={"ids": [f"{u}5", pair.ours.names["none"]]})


def test_tables_of_entities_are_alike(pair: Pair) -> None:
    table = f"{L}.svc/Entities"
    pair.get(f"{L}/entities", f"{L}/entities?limit=1", f"{L}/entities?limit=1&offset=1", f"{L}/entities/creators")
    pair.get(
        f"{L}/entities.csv", f"{L}/entities.csv?$filter=__system/conflict eq null", f"{L}.svc", f"{L}.svc/$metadata"
    )
    for asked in ("$top=2&$count=true", "$select=__id,port", "$select=nowhere", "$orderby=__system/createdAt desc",
                  "$filter=__system/conflict eq null", "$filter=port eq 'Joal'", "$search=awa", "$skip=1&$top=1",
                  "$filter=__system/deletedAt ne null", "$nonsense=1"):  # fmt: skip
        pair.get(f"{table}?{asked}")
    pair.get(table, f"{L}.svc/nowhere")
    pair.get(L, f"{L}/entities", headers=EXTENDED)


def test_accounts_are_told_alike(pair: Pair) -> None:
    pair.get(
        "users/current", "roles", P, "projects/999999", "projects/999999/forms", "nowhere", "users", "users/999999"
    )
    pair.get(f"{P}/assignments", "audits", only=lambda told: [sorted(one) for one in told][:1])
    pair.get("projects", only=lambda told: [sorted(one) for one in told][:1])
    pair.get("sessions/restore")
    pair.get(P, headers=EXTENDED, only=lambda told: sorted(told))
    pair.get("users/current", headers=EXTENDED)


def test_app_users_are_alike(pair: Pair) -> None:
    pair.get(f"{P}/app-users")
    told = pair.ask("POST", f"{P}/app-users", json={"displayName": "Tablet 1"})
    pair.name("user", *(one.json()["id"] for one in told))
    pair.ask("POST", f"{P}/app-users", json={})
    pair.get(f"{P}/app-users")
    pair.get(f"{P}/app-users", headers=EXTENDED)
    pair.ask("POST", f"{F}/assignments/2/{{user}}")
    pair.ask("POST", f"{F}/assignments/2/999999")
    for _ in range(2):
        pair.ask("DELETE", f"{P}/app-users/{{user}}")


def test_logins_are_alike(pair: Pair) -> None:
    for body in ({"email": EMAIL, "password": "wrong-wrong"}, {"email": EMAIL}, {}, {"email": 5, "password": 5}):
        pair.ask("POST", "sessions", json=body)
    for token in ("Bearer nonsense", "Basic bm86bm8=", "Nonsense x"):
        pair.get(f"{P}/forms", headers={"Authorization": token})
    pair.get("users/current", headers={"Authorization": ""})


def test_closed_forms_refuse_alike(pair: Pair) -> None:
    pair.ask("PATCH", F, json={"state": "closed"})
    pair.ask("POST", S, data=record("uuid:late"), headers=XML)
    pair.ask("PUT", f"{S}/uuid:c", data=record("uuid:late", FULL, deprecated="uuid:c2"), headers=XML)
    pair.ask("PATCH", F, json={"state": "open"})


def test_every_difference_that_is_listed_is_still_there() -> None:
    assert [one["said"] for number, one in enumerate(LISTED) if number not in _met] == []
