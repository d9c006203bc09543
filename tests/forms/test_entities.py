import pytest

from forms.entities import EntityChange, read_entity_changes, read_unread_changes
from forms.lists import HeldLists
from forms.validation import validate_submission
from tests.forms.samples import definition, sample_form, sample_submission, submission

UUID = "0d9d5d83-58c9-4a4b-9c0a-0a4b2f3c1d11"
BRANCH = "5b1c7c60-9a2f-4e0e-8a53-4c7b1a4b8a10"
FORM = definition(
    '<g><nom/></g><tel/><meta><entity dataset="gens" create="1" update="1" id="" baseVersion=""/></meta>',
    '<bind nodeset="/data/g/nom" entities:saveto="nom"/><bind nodeset="/data/tel" entities:saveto="tel"/>',
)


def changes(attributes: str, children: str = "", label: str = "") -> list[EntityChange]:
    entity = f"<meta><entity {attributes}>{label}</entity></meta>"
    return read_entity_changes(FORM, submission(children + entity))


def change(attributes: str, children: str = "", label: str = "") -> EntityChange:
    (found,) = changes(f'dataset="gens" id="{UUID}" {attributes}', children, label)
    return found


def test_each_repeat_instance_changes_its_own_entity() -> None:
    first, second = read_entity_changes(sample_form("accueil.md").definition, sample_submission("accueil.xml"))
    assert first == EntityChange(
        "gens", UUID, "create", "/data/personnes[1]", label="Awa", values={"prenom": "Awa", "nom": "Ndiaye"}
    )
    assert (second.path, second.values) == ("/data/personnes[2]", {"prenom": "Moussa", "nom": ""})


@pytest.mark.parametrize(
    ("attributes", "action"),
    [
        ('create="1"', "create"),
        ('create="true"', "create"),
        ('update="1"', "update"),
        ('create="false" update="true"', "update"),
        ('create="1" update="1"', "upsert"),
    ],
)
def test_only_1_and_true_ask_for_a_change(attributes: str, action: str) -> None:
    assert change(attributes).action == action


@pytest.mark.parametrize("attributes", ["", 'create=""', 'create="0"', 'create="True"', 'update="yes"'])
def test_nothing_else_does(attributes: str) -> None:
    assert changes(f'dataset="gens" id="{UUID}" {attributes}') == []


def test_record_without_entity_node_changes_nothing() -> None:
    assert read_entity_changes(FORM, submission("<g><nom>Awa</nom></g>")) == []


def test_form_without_declarations_changes_nothing() -> None:
    assert read_entity_changes(definition("<a/>"), submission("<a/>")) == []


def test_absent_property_is_untouched_and_empty_one_is_set_to_nothing() -> None:
    assert change('create="1"', "<g><nom/></g>").values == {"nom": ""}


def test_offline_branch_is_read() -> None:
    read = change(f'update="1" baseVersion="3" trunkVersion="2" branchId="{BRANCH}"')
    assert (read.base_version, read.trunk_version, read.branch_id, read.problems) == (3, 2, BRANCH, ())


def test_blank_branch_is_a_plain_online_update() -> None:
    read = change('update="1" baseVersion="1" trunkVersion="" branchId=""')
    assert (read.base_version, read.trunk_version, read.branch_id, read.problems) == (1, None, None, ())


def test_label_is_none_when_absent_and_blank_when_blank() -> None:
    assert change('create="1"').label is None
    assert change('create="1"', label="<label> </label>").label == ""


@pytest.mark.parametrize("written", [f"uuid:{UUID}", UUID.upper()])
def test_id_is_normalised(written: str) -> None:
    (read,) = changes(f'dataset="gens" id="{written}" create="1"')
    assert (read.id, read.problems) == (UUID, ())


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        pytest.param('dataset="gens" id="" create="1"', "entity_id", id="no id"),
        pytest.param(
            f'dataset="gens" id="{UUID.replace("-4a4b", "-1a4b")}" create="1"', "entity_id", id="version 1 UUID"
        ),
        pytest.param(f'dataset="autre" id="{UUID}" create="1"', "entity_list_differs", id="another list"),
        pytest.param(
            f'dataset="gens" id="{UUID}" update="1" baseVersion="-1"', "entity_base_version", id="base version"
        ),
        pytest.param(f'dataset="gens" id="{UUID}" update="1" trunkVersion="x"', "entity_trunk_version", id="trunk"),
        pytest.param(f'dataset="gens" id="{UUID}" update="1" branchId="x"', "entity_branch_id", id="branch"),
    ],
)
def test_malformed_change_names_its_problem(attributes: str, problem: str) -> None:
    (read,) = changes(attributes)
    assert read.problems == (problem,)


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        pytest.param(f'dataset="gens" id="{UUID}" update="1"', [], id="nothing wrong"),
        pytest.param('dataset="gens" id="12" update="1"', [("error", "entity_id")], id="no id at all"),
        pytest.param('dataset="gens" id="" create="1"', [("error", "entity_id")], id="a creation without an id"),
        pytest.param('dataset="gens" id="" update="1"', [("warning", "entity_unnamed")], id="an update of nothing"),
    ],
)
def test_what_cannot_be_applied_is_found_by_the_validator(attributes: str, found: list[tuple[str, str]]) -> None:
    record = submission(f"<g><nom/></g><meta><entity {attributes}/></meta>")
    findings = validate_submission(FORM, record, HeldLists())
    assert [(one.grade, one.code) for one in findings] == found


def unread(attributes: str) -> list[EntityChange]:
    return read_unread_changes(f'<data id="x"><g><meta><entity {attributes}/></meta></g><entity/></data>'.encode())


def test_without_its_form_a_record_tells_the_versions_that_its_tablet_holds() -> None:
    (found,) = unread(f'dataset="gens" id="{UUID}" update="1" baseVersion="3"')
    assert (found.list_name, found.id, found.base_version) == ("gens", UUID, 3)
    assert found.problems == ("entity_form_unknown",)


@pytest.mark.parametrize(
    "attributes",
    [f'dataset="gens" id="{UUID}"', f'dataset="a.b" id="{UUID}" update="1"', f'id="{UUID}" update="1"'],
    ids=["no action", "no list's name", "no list"],
)
def test_without_its_form_what_is_unclear_is_left_out(attributes: str) -> None:
    assert unread(attributes) == []


def test_what_is_no_record_says_nothing() -> None:
    assert read_unread_changes(b"<data") == []
