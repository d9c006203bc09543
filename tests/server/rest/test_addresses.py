"""The whole of Central's API that pyodk, R and scripts use, address by address, and what each answers here.

What is absent on purpose says so (501); nothing that Central has is a wrong address (404).
"""

import pytest

from tests.server.rest.program import Program, problem
from tests.server.rest.samples import record
from tests.server.rest.test_entities import DAGANA
from tests.server.rest.test_submissions import send

FORM, LIST = "projects/1/forms/market", "projects/1/datasets/towns"
RECORD, TEST = f"{FORM}/submissions/uuid:a", f"{FORM}/draft/submissions/uuid:t"
ENTITY = f"{LIST}/entities/{DAGANA}"

READ = [
    "sessions/restore", "users/current", "projects", "projects/1", "roles", "projects/1/app-users",
    "projects/1/forms", FORM, f"{FORM}.xml", f"{FORM}.xlsx", f"{FORM}/versions", f"{FORM}/versions/1",
    f"{FORM}/versions/1.xml", f"{FORM}/fields", f"{FORM}/attachments", f"{FORM}/assignments", f"{FORM}/public-links",
    f"{FORM}/draft", f"{FORM}/draft.xml", f"{FORM}/draft/attachments", f"{FORM}/draft/submissions", TEST, f"{TEST}.xml",
    f"{TEST}/attachments",
    f"{FORM}/submissions", f"{FORM}/submissions/submitters", f"{FORM}/submissions/keys", RECORD, f"{RECORD}.xml",
    f"{RECORD}/attachments", f"{RECORD}/comments", f"{RECORD}/audits", f"{RECORD}/versions", f"{RECORD}/diffs",
    f"{RECORD}/versions/uuid:a", f"{RECORD}/versions/uuid:a.xml", f"{RECORD}/versions/uuid:a/attachments",
    f"{FORM}.svc", f"{FORM}.svc/$metadata", f"{FORM}.svc/Submissions", f"{FORM}.svc/Submissions('uuid:a')",
    f"{FORM}/submissions.csv", f"{FORM}/submissions.csv.zip", f"{FORM}/submissions.geojson",
    "projects/1/datasets", LIST, f"{LIST}/entities", f"{LIST}/entities.csv", ENTITY, f"{ENTITY}/versions",
    f"{ENTITY}/diffs", f"{ENTITY}/audits", f"{LIST}.svc", f"{LIST}.svc/$metadata", f"{LIST}.svc/Entities",
]  # fmt: skip
ABSENT = [
    ("POST", "users"), ("PATCH", "users/1"), ("DELETE", "users/1"), ("POST", "users/reset/initiate"),
    ("PUT", "users/1/password"), ("POST", "projects"), ("PATCH", "projects/1"), ("PUT", "projects/1"),
    ("DELETE", "projects/1"), ("POST", "projects/1/key"), ("POST", "projects/1/assignments/5/1"),
    ("DELETE", "projects/1/assignments/5/1"), ("DELETE", f"{FORM}/assignments/2/1"), ("POST", f"{FORM}/restore"),
    ("POST", f"{FORM}/public-links"), ("DELETE", f"{FORM}/public-links/1"),
    ("PATCH", f"{FORM}/draft/attachments/a.csv"), ("DELETE", RECORD), ("POST", f"{RECORD}/restore"),
    ("DELETE", f"{RECORD}/attachments/a.jpg"), ("PATCH", LIST), ("DELETE", LIST),
    ("DELETE", f"{LIST}/properties/region"),
]  # fmt: skip
# In this order: what is undone last was used before.
WRITTEN = [
    ("PATCH", FORM, {"json": {"state": "closing"}}, 200),
    ("PATCH", RECORD, {"json": {"reviewState": "hasIssues"}}, 200),
    ("POST", f"{RECORD}/comments", {"json": {"body": "seen"}}, 200),
    ("POST", f"{TEST}/attachments/photo.jpg", {"data": b"x"}, 404),
    ("PATCH", f"{ENTITY}?force=true", {"json": {"label": "D."}}, 200),
    ("DELETE", ENTITY, {}, 200),
    ("POST", f"{ENTITY}/restore", {}, 200),
    ("DELETE", f"{FORM}/draft", {}, 200),
    ("DELETE", FORM, {}, 409),
    ("DELETE", "projects/1/app-users/4711", {}, 404),
    ("DELETE", "sessions/current", {}, 200),
]


@pytest.fixture
def country(market: Program) -> Program:
    """One of everything."""
    send(market, record("uuid:a"))
    market.post(f"{FORM}/draft")
    market.post(f"{FORM}/draft/submissions", data=record("uuid:t"), content_type="application/xml")
    market.post("projects/1/datasets", json={"name": "towns"})
    market.post(f"{LIST}/properties", json={"name": "region"})
    market.post(f"{LIST}/entities", json={"uuid": DAGANA, "label": "Dagana", "data": {"region": "SL"}})
    return market


def test_every_address_that_is_read_answers(country: Program) -> None:
    answers = {path: country.get(path).status_code for path in READ}
    assert {path: status for path, status in answers.items() if status != 200} == {}


def test_a_slash_at_the_end_leads_to_the_same(country: Program) -> None:
    answers = {path: country.get(f"{path}/").status_code for path in READ}
    assert {path: status for path, status in answers.items() if status != 200} == {}
    made = country.post(f"{LIST}/entities/", json={"label": "Podor", "data": {"region": "SL"}})
    assert made.json["currentVersion"]["label"] == "Podor"  # type: ignore[index]


def test_what_is_absent_on_purpose_says_so(country: Program) -> None:
    answers = {(method, path): problem(country.call(method, path)) for method, path in ABSENT}
    assert {one: told for one, told in answers.items() if told != (501, 501.1)} == {}


def test_every_address_that_is_written_answers(country: Program) -> None:
    answers = [country.call(method, path, **given).status_code for method, path, given, _ in WRITTEN]
    assert answers == [status for *_, status in WRITTEN]


def test_an_address_that_central_does_not_know_is_none(country: Program) -> None:
    assert problem(country.get("projects/1/forms/market/nonsense")) == (404, 404.1)
    assert problem(country.get("projects/2")) == (404, 404.1)
    assert problem(country.get("projects/2/of%0Amany%0A")) == (404, 404.1)
