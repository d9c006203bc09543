"""What `bind::teral:entity` may say, and what records then update."""

import pytest

from forms.check import check_form
from forms.definition import FormDefinition
from forms.entities import EntityChange
from forms.entity_claims import read_entity_claims
from forms.xform import parse_form
from forms.xlsform import read_form
from tests.forms.samples import definition, submission, xform

ID = "1f3a8c5e-1d2b-4c3d-8e4f-5a6b7c8d9e0f"
BODY = '<input ref="/data/id"/><input ref="/data/a"/><input ref="/data/b"/>'
KEY = '<submission base64RsaPublicKey="TUlJQg=="/>'


def claiming(id_: str = "suivi#name", a: str = "suivi#etat", b: str = "") -> FormDefinition:
    claims = {"id": id_, "a": a, "b": b}
    binds = "".join(f'<bind nodeset="/data/{name}" teral:entity="{one}"/>' for name, one in claims.items() if one)
    return definition("<id/><a/><b/>", binds, BODY)


@pytest.mark.parametrize(
    ("checked", "codes"),
    [
        (claiming(), []),
        (claiming(b="suivi#label"), []),
        (claiming(a="etat"), ["entity_claim_shape"]),
        (claiming(a="suivi#__etat"), ["entity_claim_shape"]),
        (claiming(b="suivi#etat"), ["entity_claim_twice"]),
        (claiming(id_=""), ["entity_claim_without_id"]),
        (claiming(b="autre#etat"), ["entity_claim_without_id"]),
    ],
    ids=["well written", "with a label", "no list", "the server's own prefix", "twice", "no id", "no id in that list"],
)
def test_claims_are_checked_at_publishing(checked: FormDefinition, codes: list[str]) -> None:
    assert [one.code for one in check_form(checked)] == codes


def test_an_answered_id_says_which_entity_is_updated() -> None:
    said = read_entity_claims(claiming(b="suivi#label"), submission(f"<id>{ID}</id><a>sorti</a><b>Dossier 4</b>"))
    assert said == [EntityChange("suivi", ID, "update", "/data", "Dossier 4", {"etat": "sorti"})]


def test_without_an_id_nothing_is_updated() -> None:
    assert read_entity_claims(claiming(), submission("<id/><a>sorti</a>")) == []


def test_an_id_that_is_no_uuid_is_a_problem() -> None:
    [change] = read_entity_claims(claiming(), submission("<id>4</id><a/>"))
    assert (change.id, change.problems) == ("", ("entity_id",))


def test_each_turn_of_a_repeat_is_an_entity_of_its_own() -> None:
    binds = (
        '<bind nodeset="/data/r/id" teral:entity="suivi#name"/><bind nodeset="/data/r/a" teral:entity="suivi#etat"/>'
    )
    body = '<group><repeat nodeset="/data/r"><input ref="/data/r/id"/><input ref="/data/r/a"/></repeat></group>'
    form = definition("<r><id/><a/></r>", binds, body)
    turns = "".join(f"<r><id>{ID}</id><a>{state}</a></r>" for state in ("entre", "sorti"))
    said = read_entity_claims(form, submission(turns))
    assert [(one.path, one.values) for one in said] == [
        ("/data/r[1]", {"etat": "entre"}),
        ("/data/r[2]", {"etat": "sorti"}),
    ]


def test_a_sheet_writes_it_as_a_column() -> None:
    rows = "| | text | id | Id | suivi#name |\n| | text | a | A | suivi#etat |\n"
    sheet = f"| survey |\n| | type | name | label | bind::teral:entity |\n{rows}| settings |\n| | form_id |\n| | f |\n"
    fields = read_form(sheet.encode(), "f.md").definition.by_path
    assert (fields["/data/id"].entity, fields["/data/a"].entity) == ("suivi#name", "suivi#etat")


@pytest.mark.parametrize(("key", "codes"), [(KEY, ["entities_in_encrypted_form"]), ("", [])], ids=["sealed", "open"])
def test_odk_entities_are_refused_in_an_encrypted_form_only(key: str, codes: list[str]) -> None:
    entity = '<meta><entity dataset="suivi" id="" create="1"><label/></entity></meta>'
    form = parse_form(xform(f"<a/>{entity}", f'<bind nodeset="/data/a"/>{key}', '<input ref="/data/a"/>'))
    assert [one.code for one in check_form(form)] == codes
