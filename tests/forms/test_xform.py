import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.definition import Attachment, Field, SecondaryInstance
from forms.errors import FormRefused, FormsError
from forms.xform import parse_form
from tests.forms.samples import definition, sample_form, xform

REPEAT = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/nom"/></repeat></group>'


def sample_field(path: str) -> Field:
    return sample_form("accueil.md").definition.by_path[path]


def refusal(xml: bytes) -> FormRefused:
    with pytest.raises(FormRefused) as refused:
        parse_form(xml)
    assert str(refused.value)
    return refused.value


def test_form_says_its_name_version_title_and_languages() -> None:
    form = sample_form("accueil.md").definition
    assert (form.form_id, form.version, form.title, form.root) == ("accueil", "2026-01", "Accueil", "data")
    assert (form.languages, form.default_language) == (("Français (fr)", "English (en)"), "Français (fr)")


@pytest.mark.parametrize(
    ("path", "kind", "type_"),
    [
        ("/data/start", "meta", "dateTime"),
        ("/data/sens", "question", "string"),
        ("/data/nombre", "question", "int"),
        ("/data/ordre", "question", "rank"),
        ("/data/taux", "calculate", "string"),
        ("/data/personnes", "repeat", "string"),
        ("/data/personnes/etat", "group", "string"),
        ("/data/personnes/meta/entity/@id", "meta", "string"),
        ("/data/meta/instanceID", "meta", "string"),
    ],
)
def test_every_node_has_its_kind_and_type(path: str, kind: str, type_: str) -> None:
    field = sample_field(path)
    assert (field.kind, field.type) == (kind, type_)


def test_question_carries_its_texts_and_rules() -> None:
    assert sample_field("/data/site").required_message == {"Français (fr)": "Choisir un site."}
    assert sample_field("/data/besoins").hint == {"Français (fr)": "Plusieurs réponses"}
    nombre = sample_field("/data/nombre")
    assert (nombre.constraint, nombre.constraint_message["English (en)"]) == (". < 60", "Too many people.")
    assert sample_field("/data/origine").relevant == "/data/sens  = 'entree'"


def test_repeats_claims_defaults_and_preloads_are_kept() -> None:
    assert sample_field("/data/personnes").repeat_count == "/data/nombre"
    nom = sample_field("/data/personnes/nom")
    assert (nom.repeat, nom.person, nom.save_to) == ("/data/personnes", "family_name", "nom")
    assert (sample_field("/data/sens").encounter, sample_field("/data/sens").default) == ("direction", "entree")
    assert [sample_field(f"/data/{name}").preload for name in ("start", "today", "deviceid", "meta/instanceID")] == [
        "start", "today", "deviceid", "uid",
    ]  # fmt: skip


def test_fields_come_in_document_order_parents_first() -> None:
    paths = [one.path for one in sample_form("accueil.md").definition.fields]
    assert (
        paths.index("/data/personnes") < paths.index("/data/personnes/etat") < paths.index("/data/personnes/etat/age")
    )
    assert len(set(paths)) == len(paths)


def test_files_beside_the_form_are_named() -> None:
    assert sample_form("accueil.md").definition.attachments == (
        Attachment("besoins.png", "image"),
        Attachment("sites.csv", "list"),
        Attachment("taux.csv", "list"),
    )


def test_defaults_and_other_media_are_files_too() -> None:
    instances = """<bind nodeset="/data/a" calculate="pulldata('prix.csv', 'a', 'b', 1) + pulldata('v', 'a', 'b', 1)"/>
      <instance id="v" src="jr://file/v.geojson"/><instance id="last" src="jr://instance/last-saved"/>"""
    form = definition("<a>jr://audio/son.mp3</a><b>jr://file/x/plan.pdf</b><c>jr://autre/x</c>", instances)
    assert [(one.name, one.type) for one in form.attachments] == [
        ("son.mp3", "audio"), ("plan.pdf", "file"), ("v.geojson", "list"), ("prix.csv", "list"),
    ]  # fmt: skip
    assert [one.filename for one in form.instances] == ["v.geojson", None]


def test_lists_in_the_form_become_rows() -> None:
    rows = "<root><item><name>1</name><label>Un</label></item></root>"
    form = definition("<a/>", f'<bind nodeset="/data/a"/><instance id="n">{rows}</instance><instance id="vide"/>')
    assert form.instances == (SecondaryInstance("n", None, ({"name": "1", "label": "Un"},)), SecondaryInstance("vide"))


@pytest.mark.parametrize(
    ("written", "type_"),
    [("xsd:integer", "int"), ("xsd:datetime", "dateTime"), ("double", "decimal"), ("", "string"), ("odk:rank", "rank")],
)
def test_old_spellings_of_types_are_understood(written: str, type_: str) -> None:
    assert definition("<a/>", f'<bind nodeset="/data/a" type="{written}"/>').by_path["/data/a"].type == type_


@pytest.mark.parametrize(
    ("attributes", "form_id", "version"),
    [
        ('id="f"', "f", ""),
        ('id="f" uiVersion="9"', "f", "9"),
        ('xmlns="urn:form:1" version="2"', "urn:form:1", "2"),
    ],
)
def test_old_spellings_of_id_and_version_are_understood(attributes: str, form_id: str, version: str) -> None:
    form = parse_form(xform("<a/>", attributes=attributes))
    assert (form.form_id, form.version) == (form_id, version)


def test_nodes_set_by_an_action_hold_an_answer() -> None:
    form = definition("<a/><b/>", '<bind nodeset="/data/a"/><setvalue ref="/data/a" event="odk-instance-first-load"/>')
    assert [one.kind for one in form.fields] == ["calculate", "structure"]


def test_containers_without_questions_are_structure() -> None:
    form = definition("<g><a/></g><h><b/></h>", body='<input ref="/data/g/a"/>')
    assert [form.by_path[path].kind for path in ("/data/g", "/data/h", "/data/h/b")] == [
        "group",
        "structure",
        "structure",
    ]


def test_template_and_first_instance_of_a_repeat_are_one_field() -> None:
    form = definition('<r jr:template=""><nom>x</nom></r><r><nom/></r>', body=REPEAT)
    assert [(one.path, one.default) for one in form.fields] == [("/data/r", ""), ("/data/r/nom", "x")]


@pytest.mark.parametrize(
    ("submission", "encrypted", "url"),
    [
        (
            '<submission base64RsaPublicKey="MIIB" action="https://example.org/s" method="post"/>',
            True,
            "https://example.org/s",
        ),
        ('<submission action=""/>', False, None),
        ("", False, None),
    ],
)
def test_submission_element_tells_key_and_address(submission: str, encrypted: bool, url: str | None) -> None:
    form = definition("<a/>", f'<bind nodeset="/data/a"/>{submission}')
    assert (form.encrypted, form.public_key, form.submission_url) == (encrypted, "MIIB" if encrypted else None, url)


def test_title_falls_back_on_the_form_id() -> None:
    xml = xform("<a/>").replace(b"<h:title>Essai</h:title>", b"")
    assert parse_form(xml).title == "essai"
    bare = b'<model><instance><data id="nu"/></instance></model>'
    assert parse_form(bare).title == "nu"


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        pytest.param(b"<html/>", "form_without_model", id="no model"),
        pytest.param(b"<html><model/></html>", "form_without_instance", id="no instance"),
        pytest.param(b"<html><model><instance/></model></html>", "form_without_instance", id="empty instance"),
        pytest.param(xform("<a/>", attributes=""), "form_without_id", id="no id"),
        pytest.param(xform("<a/>", body='<input ref="/data/b"/>'), "control_without_node", id="question without node"),
        pytest.param(
            xform("<a/>", '<bind nodeset="/data/a" teral:person="surname"/>'),
            "registry_property",
            id="unknown property",
        ),
        pytest.param(
            xform("<a/>", '<bind nodeset="/data/a" teral:encounter="when"/>'),
            "registry_property",
            id="unknown of encounter",
        ),
        pytest.param(
            xform(
                "<a/><b/>",
                '<bind nodeset="/data/a" teral:person="sex"/><bind nodeset="/data/b" teral:person="sex"/>',
            ),
            "registry_property_twice",
            id="property claimed twice",
        ),
    ],
)
def test_form_that_cannot_be_published_says_why(xml: bytes, code: str) -> None:
    assert refusal(xml).code == code


def test_the_same_property_inside_and_outside_a_repeat_is_two_people() -> None:
    binds = '<bind nodeset="/data/nom" teral:person="sex"/><bind nodeset="/data/r/nom" teral:person="sex"/>'
    assert len(definition("<nom/><r><nom/></r>", binds, REPEAT).fields) == 3


MUTATED = sample_form("accueil.md").xml


@given(st.integers(0, len(MUTATED)), st.integers(0, 80), st.binary(max_size=8))
def test_no_damaged_form_does_more_than_be_refused(start: int, length: int, put: bytes) -> None:
    with contextlib.suppress(FormsError):
        parse_form(MUTATED[:start] + put + MUTATED[start + length :])


def test_an_action_without_a_target_fills_nothing() -> None:
    form = definition("<a/>", '<bind nodeset="/data/a"/><setvalue event="odk-instance-first-load" value="1"/>')
    assert form.by_path["/data/a"].kind == "structure"
