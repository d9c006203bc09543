"""Forms and records that are handed in together: what is said about them, and what is remembered."""

import pytest

from forms.errors import FormsError
from server.validation import Recent, Validator, describe, open_form, read_answers, summarise
from tests.forms.samples import xform

AGE = '<bind nodeset="/data/age" type="int" required="true()" constraint=". &lt; 120" jr:constraintMsg="Trop vieux."/>'
FORM = xform("<age/>", AGE, '<input ref="/data/age"><label>Âge</label></input>')
LIST_FORM = xform(
    "<village/>",
    '<bind nodeset="/data/village"/><instance id="villages" src="jr://file-csv/villages.csv"/>',
    """<select1 ref="/data/village"><itemset nodeset="instance('villages')/root/item"><value ref="name"/>"""
    '<label ref="label"/></itemset></select1>',
)


def record(children: str) -> bytes:
    return f'<data id="essai" version="1">{children}</data>'.encode()


def judged(form: bytes, children: str, media: dict[str, bytes | str] | None = None) -> dict[str, object]:
    validator = Validator()
    given = validator.find_form("essai.xml", form)
    return summarise(validator.validate(given, record(children), validator.find_lists(given, media or {})))


def test_a_right_answer_is_valid() -> None:
    assert judged(FORM, "<age>12</age>") == {"valid": True, "errors": [], "warnings": []}


def test_a_wrong_answer_is_named_by_path_and_kind() -> None:
    said = judged(FORM, "<age>130</age>")
    assert said == {"valid": False, "errors": [{"path": "/data/age", "kind": "constraint"}], "warnings": []}


def test_a_record_that_tells_no_time_was_filled_today() -> None:
    rule = '<bind nodeset="/data/born" type="date" constraint=". &lt;= today()"/>'
    born = xform("<born/>", rule, '<input ref="/data/born"/>')
    assert judged(born, "<born>2999-01-01</born>")["errors"] == [{"path": "/data/born", "kind": "constraint"}]


def test_people_read_label_and_the_form_s_own_words() -> None:
    validator = Validator()
    given = validator.find_form("essai.xml", FORM)
    [error] = describe(
        validator.validate(given, record("<age>130</age>"), validator.find_lists(given, {})), given.definition
    )["errors"]
    assert (error["label"]["fr"], error["words"]["fr"], error["value"]) == ("Âge", "Trop vieux.", "130")


@pytest.mark.parametrize(
    ("media", "kinds"),
    [
        ({"villages.csv": "name,label\nrosso,Rosso\n"}, ["choice"]),
        ({"villages.csv": b"name,label\nkidira,Kidira\n"}, []),
        ({"autre.csv": "x"}, []),
    ],
    ids=["not in the list", "in the list", "list not at hand"],
)
def test_choices_are_held_against_the_lists_that_come_along(media: dict[str, bytes | str], kinds: list[str]) -> None:
    errors = judged(LIST_FORM, "<village>kidira</village>", media)["errors"]
    assert [one["kind"] for one in errors] == kinds  # type: ignore[attr-defined]


def test_an_encrypted_record_is_never_called_valid() -> None:
    validator = Validator()
    given = validator.find_form("essai.xml", FORM)
    with pytest.raises(FormsError, match="encrypted"):
        validator.validate(given, b'<data id="essai" encrypted="yes"/>', validator.find_lists(given, {}))


def test_an_xlsform_brings_its_own_list() -> None:
    sheet = "\n".join(
        [
            "| survey |\n| | type | name | label | choice_filter |",
            "| | text | region | Région | |",
            "| | select_one_external villes | ville | Ville | region=${region} |",
            "| external_choices |\n| | list_name | name | region |\n| | villes | rosso | nord |",
            "| settings |\n| | form_id |\n| | essai |",
        ]
    )
    assert b"rosso" in open_form("essai.md", sheet.encode()).files["itemsets.csv"]


def test_a_form_is_read_once() -> None:
    validator = Validator()
    assert validator.find_form("a.xml", FORM) is validator.find_form("b.xml", FORM)


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    recent: Recent[str] = Recent(budget=20)
    for key in ("a", "b", "a", "c"):
        recent.find(key, 10, lambda key=key: key)  # type: ignore[misc]
    assert (recent.find("a", 10, lambda: "again"), recent.find("b", 10, lambda: "again")) == ("a", "again")


TYPES = {"n": "int", "d": "decimal", "b": "boolean", "on": "date", "at": "dateTime", "p": "geopoint", "who": "string"}
TYPED_FORM = xform(
    f"{''.join(f'<{name}/>' for name in TYPES)}<r><one/></r>",
    "".join(f'<bind nodeset="/data/{name}" type="{kind}"/>' for name, kind in TYPES.items()),
    "".join(f'<input ref="/data/{name}"/>' for name in TYPES)
    + '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/one"/></repeat></group>',
)


def test_answers_are_told_as_values_in_their_groups() -> None:
    sent = (
        "<n>7</n><d>0.5</d><b>true</b><on>2026-11-25</on><at>2026-11-25T08:00:00.000+01:00</at>"
        "<p>14.5 -17.25 0 5</p><who/><r><one>A</one></r><r><one>B</one></r>"
    )
    assert read_answers(open_form("essai.xml", TYPED_FORM), record(sent)) == {
        "n": 7, "d": 0.5, "b": True, "on": "2026-11-25", "at": "2026-11-25T08:00:00+01:00",
        "p": {"latitude": 14.5, "longitude": -17.25, "altitude": 0.0, "accuracy": 5.0},
        "who": None, "r": [{"one": "A"}, {"one": "B"}],
    }  # fmt: skip
