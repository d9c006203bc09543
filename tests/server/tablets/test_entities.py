"""The tablet's entity lists follow Collect's own rules: its LocalEntityUseCases and their tests were the model."""

from collections.abc import Iterator
from itertools import count

import pytest
from lxml import etree

from forms.definition import FormDefinition
from forms.xform import parse_form
from forms.xlsform import read_form
from server.tablets.entities import EntityStore, ListUnreadable, LocalEntity, read_form_entities

ONE, TWO = "5f0c1f3e-1d2a-4b6c-8d3e-000000000001", "5f0c1f3e-1d2a-4b6c-8d3e-000000000002"
HEADER = "name,label,__version,etat"
FORM = """
| survey |
| | type | name | label | save_to |
| | text | etat | État | dossiers#etat |
| | begin_group | g | G | |
| | text | lit | Lit | dossiers#lit |
| | end_group | | | |
| | begin_repeat | r | R | |
| | text | nom | Nom | evenements#nom |
| | end_repeat | | | |
| entities |
| | list_name | label | entity_id | create_if | update_if |
| | dossiers | ${etat} | ${etat} | 1 | 1 |
| | evenements | ${nom} | | | |
| settings |
| | form_id | version |
| | forme | 1 |
"""
DEFINITION = parse_form(read_form(FORM.encode(), "forme.md").xml)


def in_version(version: str) -> FormDefinition:
    xml = read_form(FORM.partition("| | begin_repeat")[0].encode() + ONLY_STAYS, "forme.md").xml
    return parse_form(xml.replace(b'entities-version="2024.1.0"', f'entities-version="{version}"'.encode()))


ONLY_STAYS = b"""
| entities |
| | list_name | label |
| | dossiers | ${etat} |
| settings |
| | form_id | version |
| | forme | 1 |
"""


@pytest.fixture
def store() -> EntityStore:
    numbers: Iterator[int] = count(1)
    return EntityStore(lambda: f"branch {next(numbers)}")


def take(store: EntityStore, *rows: str, announced: str = "h1", header: str = HEADER) -> None:
    store.take_list("dossiers", "\n".join([header, *rows]).encode(), announced)


def say(store: EntityStore, id_: str, etat: str, *, create: str = "", update: str = "", label: str = "Dossier") -> None:
    store.take_record(DEFINITION, record(id_, etat, create, update, label))


def record(id_: str, etat: str, create: str = "", update: str = "", label: str = "", more: str = "") -> etree._Element:
    said = entity("dossiers", id_, f'create="{create}" update="{update}"', label)
    return etree.fromstring(f"<data><etat>{etat}</etat>{more}{said}</data>")


def entity(name: str, id_: str, action: str, label: str) -> str:
    return f'<meta><entity dataset="{name}" id="{id_}" {action}><label>{label}</label></entity></meta>'


def the(store: EntityStore, id_: str = ONE) -> LocalEntity:
    return store.lists["dossiers"].entities[id_]


def versions(store: EntityStore, id_: str = ONE) -> tuple[int, int | None, str]:
    one = the(store, id_)
    return one.version, one.trunk_version, one.branch_id


def test_downloaded_row_has_its_version_as_trunk_and_a_branch_of_its_own(store: EntityStore) -> None:
    take(store, f"{ONE},Dossier 1,3,arrive", f"{TWO},Dossier 2,1,clos")
    assert (versions(store), versions(store, TWO)) == ((3, 3, "branch 1"), (1, 1, "branch 2"))
    assert (the(store).properties, the(store).is_dirty) == ({"etat": "arrive"}, False)


def test_every_offline_update_adds_one_to_the_version_on_the_same_branch(store: EntityStore) -> None:
    take(store, f"{ONE},Dossier 1,3,arrive")
    for etat in ("transfere", "clos"):
        say(store, ONE, etat, update="1", label=" ")
    assert (versions(store), the(store).properties["etat"]) == ((5, 3, "branch 1"), "clos")
    assert the(store).label == "Dossier 1"


def test_entity_made_offline_begins_at_one_without_a_trunk(store: EntityStore) -> None:
    take(store)
    say(store, ONE, "arrive", create="1")
    say(store, ONE, "clos", update="1")
    assert (versions(store), the(store).online) == ((2, None, "branch 1"), False)


@pytest.mark.parametrize(
    ("id_", "label", "listed"),
    [
        pytest.param(ONE, " ", True, id="no label"),
        pytest.param(f"uuid:{ONE}", "Dossier", True, id="uuid: before the id"),
        pytest.param("5f0c1f3e-1d2a-1b6c-8d3e-000000000001", "Dossier", True, id="not a version 4"),
        pytest.param(f"{ONE} {TWO}", "Dossier", True, id="two ids of a select_multiple"),
        pytest.param(ONE, "Dossier", False, id="no form names the list"),
    ],
)
def test_some_creations_change_nothing_on_the_tablet(store: EntityStore, id_: str, label: str, listed: bool) -> None:
    if listed:
        take(store)
    say(store, id_, "arrive", create="1", label=label)
    assert not any(one.entities for one in store.lists.values())


def test_update_of_an_entity_that_is_not_on_board_changes_nothing(store: EntityStore) -> None:
    take(store)
    say(store, ONE, "arrive", update="1")
    assert store.lists["dossiers"].entities == {}


def test_upsert_makes_or_changes(store: EntityStore) -> None:
    take(store)
    for etat in ("arrive", "clos"):
        say(store, ONE, etat, create="true", update="true")
    assert (versions(store), the(store).properties["etat"]) == ((2, None, "branch 1"), "clos")


@pytest.mark.parametrize("word", ["0", "false", "yes", ""])
def test_action_that_is_not_true_is_none(store: EntityStore, word: str) -> None:
    take(store)
    say(store, ONE, "arrive", create=word)
    assert store.lists["dossiers"].entities == {}


@pytest.mark.parametrize(
    ("served", "etat", "expected"),
    [
        pytest.param(2, "transfere", (3, 1, "branch 1"), id="behind ours: ours is kept"),
        pytest.param(3, "arrive", (3, 3, "branch 2"), id="as new as ours, changed here: theirs"),
        pytest.param(4, "arrive", (4, 4, "branch 2"), id="newer: theirs"),
    ],
)
def test_of_two_versions_the_higher_counts(
    store: EntityStore, served: int, etat: str, expected: tuple[int, int, str]
) -> None:
    take(store, f"{ONE},Dossier 1,1,arrive")
    say(store, ONE, "clos", update="1")
    say(store, ONE, "transfere", update="1")
    take(store, f"{ONE},Dossier 1,{served},arrive", announced="h2")
    assert (versions(store), the(store).properties["etat"]) == (expected, etat)


def test_row_that_is_unchanged_keeps_its_branch(store: EntityStore) -> None:
    for announced in ("h1", "h2"):
        take(store, f"{ONE},Dossier 1,3,arrive", announced=announced)
    assert versions(store) == (3, 3, "branch 1")


def test_row_that_left_the_list_vanishes_though_it_was_changed_here(store: EntityStore) -> None:
    take(store, f"{ONE},Dossier 1,1,arrive", f"{TWO},Dossier 2,1,arrive")
    say(store, ONE, "clos", update="1")
    take(store, f"{TWO},Dossier 2,1,arrive", announced="h2")
    assert list(store.lists["dossiers"].entities) == [TWO]


def test_entity_made_offline_stays_until_it_was_seen_in_the_list_once(store: EntityStore) -> None:
    take(store)
    say(store, ONE, "arrive", create="1")
    say(store, ONE, "transfere", update="1")
    take(store, announced="h2")
    assert store.list_offline("dossiers") == [ONE]
    take(store, f"{ONE},Dossier,1,arrive", announced="h3")
    assert (store.list_offline("dossiers"), versions(store)) == ([], (2, None, "branch 1"))
    take(store, announced="h4")
    assert store.lists["dossiers"].entities == {}


def test_what_the_server_calls_deleted_goes(store: EntityStore) -> None:
    take(store)
    say(store, ONE, "arrive", create="1")
    store.drop("dossiers", [ONE, TWO])
    assert store.lists["dossiers"].entities == {}


@pytest.mark.parametrize(
    ("header", "row"),
    [
        pytest.param(HEADER, TWO, id="a row too short"),
        pytest.param(HEADER, f"{TWO},Dossier 2,,arrive", id="no version"),
        pytest.param(HEADER, f"{TWO},Dossier 2,un,arrive", id="a version that is no number"),
        pytest.param("name,__version,etat", f"{TWO},2,arrive", id="no label"),
        pytest.param("label,__version,etat", "Dossier 2,2,arrive", id="no name"),
        pytest.param(HEADER, f'{TWO},"Dossier 2,1,arrive', id="a quote that never ends"),
    ],
)
def test_one_bad_row_stops_the_whole_update(store: EntityStore, header: str, row: str) -> None:
    take(store, f"{ONE},Dossier 1,1,arrive")
    with pytest.raises(ListUnreadable):
        take(store, f"{ONE},Dossier 1,2,clos", row, announced="h2", header=header)
    assert (versions(store), store.is_current("dossiers", "h1")) == ((1, 1, "branch 1"), True)


def test_list_that_was_never_read_is_not_on_board(store: EntityStore) -> None:
    with pytest.raises(ListUnreadable):
        take(store, "", TWO)
    assert store.find_list("dossiers") is None


def test_columns_that_the_server_dropped_go_and_new_ones_come(store: EntityStore) -> None:
    take(store, f"{ONE},Dossier 1,1,arrive")
    say(store, ONE, "clos", update="1")
    take(store, f"{ONE},Dossier 1,1,7", announced="h2", header="name,label,__version,lit")
    assert (the(store).properties, store.lists["dossiers"].columns) == ({}, ["lit"])


def test_list_of_approved_entities_takes_no_creation(store: EntityStore) -> None:
    store.take_list("dossiers", HEADER.encode(), "h1", needs_approval=True)
    say(store, ONE, "arrive", create="1")
    assert store.lists["dossiers"].entities == {}


def test_creation_of_a_known_id_writes_over_it(store: EntityStore) -> None:
    take(store, f"{ONE},Dossier 1,3,arrive,7", header=f"{HEADER},lit")
    say(store, ONE, "clos", create="1", label="Autre")
    assert (versions(store), the(store).online) == ((1, None, "branch 2"), True)
    assert the(store).properties == {"etat": "clos", "lit": "7"}


def test_expressions_see_the_tablets_own_versions(store: EntityStore) -> None:
    take(store, f"{ONE},Dossier 1,3,arrive")
    say(store, ONE, "clos", update="1")
    document = store.find_list("dossiers")
    assert document is not None
    [row] = [row for root in document.children() for row in root.children()]
    assert {name: row.child_text(name) for name in ("name", "__version", "__trunkVersion", "__branchId", "etat")} == {
        "name": ONE, "__version": "4", "__trunkVersion": "3", "__branchId": "branch 1", "etat": "clos",
    }  # fmt: skip


def test_record_speaks_of_several_lists_and_of_each_instance_of_a_repeat() -> None:
    said = {nom: entity("evenements", id_, 'create="1"', nom) for nom, id_ in (("A", ONE), ("B", TWO))}
    repeats = "".join(f"<r><nom>{nom}</nom>{one}</r>" for nom, one in said.items())
    whole = record(ONE, "arrive", create="1", more=f"<g><lit>7</lit></g>{repeats}")
    read = read_form_entities(DEFINITION, whole)
    assert [(one.list_name, one.properties) for one in read] == [
        ("evenements", {"nom": "A"}), ("evenements", {"nom": "B"}), ("dossiers", {"etat": "arrive", "lit": "7"}),
    ]  # fmt: skip


def test_question_that_is_not_relevant_saves_nothing() -> None:
    [said] = read_form_entities(DEFINITION, record(ONE, "arrive", update="1", more="<g/>"))
    assert said.properties == {"etat": "arrive"}


@pytest.mark.parametrize(
    ("version", "known"), [("2022.1.0", False), ("2023.1.0", False), ("2024.1.0", True), ("2025.1.0", True)]
)
def test_only_forms_of_the_newer_versions_change_the_tablets_lists(version: str, known: bool) -> None:
    assert bool(list(read_form_entities(in_version(version), record(ONE, "arrive", create="1")))) is known


def test_answer_in_a_group_that_holds_another_entity_is_not_kept() -> None:
    """So it is in Collect; publishing such a form warns of it."""
    question = "| | text | salle | Salle | dossiers#salle |"
    form = FORM.replace("| | begin_repeat | r |", f"| | begin_group | h | H | |\n{question}\n| | begin_repeat | r |")
    form = form.replace("| | end_repeat | | | |", "| | end_repeat | | | |\n| | end_group | | | |")
    definition = parse_form(read_form(form.encode(), "forme.md").xml)
    [said] = read_form_entities(definition, record(ONE, "arrive", update="1", more="<h><salle>B</salle></h>"))
    assert said.properties == {"etat": "arrive"}
