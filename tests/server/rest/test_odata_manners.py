"""What OData clients may ask for before they ask for rows: a version, a format, options of the system."""

import pytest

from tests.server.rest.program import Program, form_path, problem

SVC = f"{form_path('market')}.svc"
TABLE = f"{SVC}/Submissions"


@pytest.mark.parametrize("path", [SVC, TABLE, f"{SVC}/$metadata", f"{SVC}/nowhere", f"{TABLE}?$apply=x"])
def test_every_answer_says_its_version(market: Program, path: str) -> None:
    assert market.get(path).headers["OData-Version"] == "4.0"


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        (f"{TABLE}?$format=xml", {}, (406, 406.1)),
        (SVC, {"Accept": "application/atomsvc+xml"}, (406, 406.1)),
        (f"{SVC}/$metadata?$format=json", {}, (406, 406.1)),
        (TABLE, {"OData-MaxVersion": "3.0"}, (404, 404.1)),
        (f"{TABLE}?$expand=crate", {}, (501, 501.6)),
        (f"{TABLE}?$expand=*&$select=fruit", {}, (501, 501.11)),
    ],
)
def test_what_is_not_to_be_had_is_refused(
    market: Program, path: str, headers: dict[str, str], expected: tuple[int, float]
) -> None:
    assert problem(market.get(path, headers=headers)) == expected


@pytest.mark.parametrize("accept", ["*/*", "application/json;odata.metadata=minimal", "application/xml, */json"])
def test_who_takes_json_gets_it(market: Program, accept: str) -> None:
    assert market.get(f"{TABLE}?$format=JSON", headers={"Accept": accept}).status_code == 200
    assert market.get(TABLE, headers={"Accept": accept, "OData-MaxVersion": "4.01"}).mimetype == "application/json"
