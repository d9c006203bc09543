import pytest

from forms.definition import EntityDeclaration
from forms.errors import FormRefused
from forms.xform import parse_form
from tests.forms.samples import definition, sample_form, xform

ENTITY = '<meta><entity dataset="gens" create="1" id=""><label/></entity></meta>'
UPSERT = (
    """<a/><nom/><meta><entity dataset="gens" id="" create="1" update="1" baseVersion=""><label/></entity></meta>"""
)
BINDS = """<bind nodeset="/data/nom" entities:saveto="nom_complet"/>
  <bind nodeset="/data/meta/entity/@id" calculate=" /data/a "/>
  <bind nodeset="/data/meta/entity/@create" calculate="/data/a = ''"/>
  <bind nodeset="/data/meta/entity/@update" calculate="/data/a != ''"/>
  <bind nodeset="/data/meta/entity/label" calculate="/data/nom"/>"""
REPEAT = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/nom"/></repeat></group>'


def refusal(instance: str, model: str = "", body: str = "", version: str = "2025.1.0") -> str:
    with pytest.raises(FormRefused) as refused:
        parse_form(xform(instance, model, body).replace(b"2025.1.0", version.encode()))
    assert str(refused.value)
    return refused.value.code


def test_upsert_keeps_its_expressions() -> None:
    assert definition(UPSERT, BINDS).entities == (
        EntityDeclaration(
            list_name="gens", container="/data", spec_version="2025.1.0", creates=True, updates=True,
            save_to=(("nom_complet", "/data/nom"),), id_expression="/data/a", create_if="/data/a = ''",
            update_if="/data/a != ''", label_expression="/data/nom",
        ),
    )  # fmt: skip


def test_declaration_of_an_xlsform_in_a_repeat() -> None:
    (declared,) = sample_form("accueil.md").definition.entities
    assert (declared.container, declared.creates, declared.updates) == ("/data/personnes", True, False)
    assert declared.save_to == (("prenom", "/data/personnes/prenom"), ("nom", "/data/personnes/nom"))
    assert declared.id_expression == "uuid()"


def test_property_belongs_to_the_nearest_container_with_an_entity() -> None:
    instance = f"<nom/><r><nom/>{ENTITY.replace('gens', 'enfants')}</r>{ENTITY}"
    binds = '<bind nodeset="/data/nom" entities:saveto="nom"/><bind nodeset="/data/r/nom" entities:saveto="nom"/>'
    declared = {one.list_name: one.save_to for one in definition(instance, binds, REPEAT).entities}
    assert declared == {"gens": (("nom", "/data/nom"),), "enfants": (("nom", "/data/r/nom"),)}


@pytest.mark.parametrize("version", ["2022.1.0", "2023.1.0", "2024.1.1", "2025.1.0"])
def test_known_versions_of_the_spec_are_read(version: str) -> None:
    xml = xform(ENTITY).replace(b"2025.1.0", version.encode())
    assert parse_form(xml).entities[0].spec_version == version


@pytest.mark.parametrize(
    ("instance", "model", "body", "version", "code"),
    [
        pytest.param(ENTITY, "", "", "2026.1.0", "entities_version", id="newer version"),
        pytest.param(ENTITY, "", "", "", "entities_version", id="no version"),
        pytest.param(
            f"<r>{ENTITY}</r>" + ENTITY, "", "", "2024.1.0", "entities_need_version", id="two lists too early"
        ),
        pytest.param(f"<r><nom/>{ENTITY}</r>", "", REPEAT, "2024.1.0", "entities_need_version", id="repeat too early"),
        pytest.param(
            ENTITY.replace("gens", "__gens"), "", "", "2025.1.0", "entities_list_name", id="reserved list name"
        ),
        pytest.param(ENTITY.replace("gens", "a.b"), "", "", "2025.1.0", "entities_list_name", id="dot in a list name"),
        pytest.param("<nom/>", BINDS, "", "2025.1.0", "save_to_without_entity", id="property without any entity"),
        pytest.param(
            f"<nom/><g>{ENTITY}</g>",
            BINDS,
            "",
            "2025.1.0",
            "save_to_without_entity",
            id="property outside its container",
        ),
        pytest.param(
            "<nom/>" + ENTITY,
            BINDS.replace("nom_complet", "Label"),
            "",
            "2025.1.0",
            "entities_property",
            id="reserved name",
        ),
        pytest.param(
            "<nom/>" + ENTITY, BINDS.replace("nom_complet", "a b"), "", "2025.1.0", "entities_property", id="not a name"
        ),
        pytest.param(
            "<a/><b/>" + ENTITY,
            '<bind nodeset="/data/a" entities:saveto="x"/><bind nodeset="/data/b" entities:saveto="x"/>',
            "",
            "2025.1.0",
            "entities_property_twice",
            id="property twice",
        ),
    ],
)
def test_declaration_that_nobody_could_follow_is_refused(
    instance: str, model: str, body: str, version: str, code: str
) -> None:
    assert refusal(instance, model, body, version) == code


@pytest.mark.parametrize(
    ("instance", "model", "code"),
    [
        pytest.param(
            f"<r>{ENTITY.replace('gens', 'Gens')}</r>" + ENTITY, "", "entities_list_case", id="two lists of one name"
        ),
        pytest.param(
            "<a/><b/>" + ENTITY,
            '<bind nodeset="/data/a" entities:saveto="etat"/><bind nodeset="/data/b" entities:saveto="Etat"/>',
            "entities_property_case",
            id="two properties of one name",
        ),
        pytest.param(
            f"<a/><r><b/>{ENTITY}</r>{ENTITY}",
            '<bind nodeset="/data/a" entities:saveto="etat"/><bind nodeset="/data/r/b" entities:saveto="Etat"/>',
            "entities_property_case",
            id="in two declarations of one list",
        ),
        pytest.param(ENTITY.replace("gens", "g" * 252), "", "entities_list_name", id="too long for a file's name"),
    ],
)
def test_names_that_a_tablet_cannot_tell_apart_are_refused(instance: str, model: str, code: str) -> None:
    assert refusal(instance, model) == code


def test_two_entities_of_one_container_are_refused() -> None:
    entity = '<entity dataset="a"/><entity dataset="b"/>'
    assert refusal(f"<meta>{entity}</meta>") == "entities_one_per_container"
