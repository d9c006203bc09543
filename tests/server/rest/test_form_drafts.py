"""Forms on their way in, as pyodk and Central's own tools send them."""

import pytest
from sqlalchemy.orm import Session

from sync.publishing import find_draft
from tests.server.rest.program import Program, form_path, problem
from tests.server.rest.samples import MARKET, simple, to_xlsx

PULLS = ["calculate", "price", "", "pulldata('prices', 'price', 'name', 'mango')"]


def with_file(form_id: str, version: str = "1") -> dict[str, list[list[str]]]:
    sheets = simple(form_id, version)
    head, *rows = sheets["survey"]
    return {**sheets, "survey": [[*head, "calculation"], *([*row, ""] for row in rows), PULLS]}


def test_a_form_comes_as_a_draft_and_is_published(program: Program, session: Session) -> None:
    made = program.post("projects/1/forms?publish=False&ignoreWarnings=True", **to_xlsx(MARKET)).json
    assert (made["publishedAt"], made["state"]) == (None, "open")
    draft = f"{form_path('market')}/draft"
    assert program.json(draft)["draftToken"] == made["draftToken"]
    assert program.json(f"{draft}/fields")[0]["path"] == "/fruit"
    assert program.get(f"{draft}.xlsx").data.startswith(b"PK")
    assert problem(program.get(f"{draft}.xls")) == (404, 404.1)
    assert program.post(f"{form_path('market')}/draft/publish").json == {"success": True}
    assert find_draft(session, "market") is None
    assert program.json(form_path("market"))["publishedAt"]


def test_a_workbook_without_an_id_takes_the_fallback(program: Program) -> None:
    sheets = {"survey": MARKET["survey"]}
    made = program.post("projects/1/forms?ignoreWarnings=True", **to_xlsx(sheets, "%E2%9C%85%2F1")).json
    assert made["xmlFormId"] == "✅/1"


def test_an_xform_is_taken_as_it_is(market: Program) -> None:
    xml = market.get(f"{form_path('market')}.xml").data.replace(b'id="market"', b'id="other"')
    made = market.post("projects/1/forms?publish=true", data=xml, content_type="application/xml")
    assert made.status_code == 200, made.text
    assert market.get(f"{form_path('other')}.xml").data == xml


def test_a_form_id_is_taken_once(market: Program) -> None:
    assert problem(market.post("projects/1/forms?ignoreWarnings=True", **to_xlsx(MARKET))) == (409, 409.3)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"data": b"<not-a-form/>", "content_type": "application/xml"}, 400.1),
        ({"data": b"no xml", "content_type": "application/xml"}, 400.1),
        (to_xlsx({"survey": [["type", "name", "label"], ["nonsense", "x", "X"]]}, "wrong"), 400.15),
        (to_xlsx(simple("market.xlsx", "1")), 400.8),
    ],
    ids=["no form", "no XML", "broken workbook", "a name that reads as a file"],
)
def test_what_cannot_be_a_form_is_refused_with_its_problems(
    program: Program, given: dict[str, object], code: float
) -> None:
    assert problem(program.post("projects/1/forms?ignoreWarnings=true", **given)) == (400, code)
    assert program.json("projects/1/forms") == []


def test_warnings_must_be_accepted(program: Program) -> None:
    sheets = {"survey": [["type", "name", "label"], ["image", "photo", "A photo of any size"]]}
    refused = program.post("projects/1/forms", **to_xlsx(sheets, "large"))
    assert problem(refused) == (400, 400.16)
    assert refused.json["details"]["warnings"]["xlsFormWarnings"]  # type: ignore[index]
    assert program.post("projects/1/forms?ignoreWarnings=TRUE", **to_xlsx(sheets, "large")).status_code == 200


def test_an_empty_body_copies_the_published_version_and_a_name_publishes_it_anew(market: Program) -> None:
    assert market.post(f"{form_path('market')}/draft").json == {"success": True}
    assert problem(market.post(f"{form_path('market')}/draft/publish")) == (409, 409.6)
    assert market.post(f"{form_path('market')}/draft/publish?version=2%2Fé").json == {"success": True}
    assert market.json(form_path("market"))["version"] == "2/é"
    assert market.json(f"{form_path('market')}/versions/2%2F%C3%A9")["version"] == "2/é"


def test_a_draft_of_another_form_is_refused(market: Program) -> None:
    answer = market.post(f"{form_path('market')}/draft?ignoreWarnings=true", **to_xlsx(simple("other", "2")))
    assert problem(answer) == (400, 400.8)


def test_files_of_a_draft_come_with_it(program: Program) -> None:
    program.post("projects/1/forms?ignoreWarnings=true", **to_xlsx(with_file("pulls")))
    path = f"{form_path('pulls')}/draft/attachments"
    assert [(one["name"], one["exists"]) for one in program.json(path)] == [("prices.csv", False)]
    sent = program.post(f"{path}/prices.csv", data=b"name,price\nmango,3\n", content_type="text/csv")
    assert (sent.json["exists"], sent.json["blobExists"], sent.json["datasetExists"]) == (True, True, False)  # type: ignore[index]
    assert problem(program.post(f"{path}/other.csv", data=b"x")) == (404, 404.1)
    program.post(f"{form_path('pulls')}/draft/publish")
    assert program.get(f"{form_path('pulls')}/attachments/prices.csv").data == b"name,price\nmango,3\n"


def test_a_new_draft_keeps_the_files_of_the_version_that_it_copies(program: Program) -> None:
    test_files_of_a_draft_come_with_it(program)
    program.post(f"{form_path('pulls')}/draft")
    (kept,) = program.json(f"{form_path('pulls')}/draft/attachments")
    assert kept["blobExists"]
    assert program.call("DELETE", f"{form_path('pulls')}/draft/attachments/prices.csv").json == {"success": True}
    assert problem(program.get(f"{form_path('pulls')}/draft/attachments/prices.csv")) == (404, 404.1)


def test_a_draft_is_dropped_where_there_is_a_published_version(market: Program) -> None:
    market.post(f"{form_path('market')}/draft")
    assert market.call("DELETE", f"{form_path('market')}/draft").json == {"success": True}
    assert problem(market.get(f"{form_path('market')}/draft")) == (404, 404.1)
    market.post("projects/1/forms?ignoreWarnings=true", **to_xlsx(simple("fresh", "1")))
    assert problem(market.call("DELETE", f"{form_path('fresh')}/draft")) == (409, 409.7)


def test_publishing_without_a_draft_finds_nothing(market: Program) -> None:
    assert problem(market.post(f"{form_path('market')}/draft/publish")) == (404, 404.1)
