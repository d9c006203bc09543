"""The shipped forms: complete in both languages, equal to the vocabularies, classed field by field."""

import csv
import re
from functools import cache
from pathlib import Path

import openpyxl
import pytest

from forms.check import check_form
from forms.definition import ENCOUNTER_PROPERTIES, PERSON_PROPERTIES, Field
from forms.lists import HeldLists, parse_list
from forms.programme import LIBRARY, load_programme
from forms.records import read_person_records
from forms.validation import validate_submission
from forms.xlsform import ReadForm, read_form
from tests.forms.samples import sample_submission

FORM_IDS = sorted(path.stem for path in LIBRARY.glob("*.xlsx"))
LANGUAGES = ("Français (fr)", "English (en)")
PROGRAMME = load_programme()
# Lists that the server makes at each download; every other file of a form is shipped beside it.
SERVER_MADE = {"sites.csv", *(f"{name}.csv" for name in PROGRAMME.lists)}
each_form = pytest.mark.parametrize("form_id", FORM_IDS)


@cache
def shipped(form_id: str) -> ReadForm:
    path = LIBRARY / f"{form_id}.xlsx"
    return read_form(path.read_bytes(), path.name)


def answers_of(form_id: str) -> list[Field]:
    """Every node that can hold a text in a record."""
    fields = shipped(form_id).definition.fields
    parents = {one.path.rpartition("/")[0] for one in fields}
    return [one for one in fields if one.path not in parents]


def vocabulary(filename: str) -> list[dict[str, str]]:
    with (LIBRARY / "vocabularies" / filename).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_forms_of_the_programme_are_shipped() -> None:
    assert set(FORM_IDS) == set(PROGRAMME.forms)
    assert set(FORM_IDS) == {
        "f02_passage", "f03_evenement", "f04_arrivee", "f07_assistance", "f08_orientation", "f09_sortie",
    }  # fmt: skip


@each_form
def test_a_form_publishes_without_a_remark(form_id: str) -> None:
    form = shipped(form_id)
    assert (form.definition.form_id, form.problems, check_form(form.definition)) == (form_id, [], [])


@each_form
def test_a_form_opens_in_french_and_speaks_english(form_id: str) -> None:
    definition = shipped(form_id).definition
    assert (definition.default_language, definition.languages) == (LANGUAGES[0], LANGUAGES)


@each_form
def test_every_question_and_message_is_in_both_languages(form_id: str) -> None:
    def texts(one: Field) -> list[dict[str, str]]:
        asked = [one.label] if one.kind == "question" else []
        required = [one.required_message] if one.required else []
        constraint = [one.constraint_message] if one.constraint else []
        return [*asked, *required, *constraint, *([one.hint] if one.hint else [])]

    lacking = [
        (one.path, language)
        for one in shipped(form_id).definition.fields
        for text in texts(one)
        for language in LANGUAGES
        if not text.get(language)
    ]
    assert lacking == []


@each_form
def test_a_form_begins_with_the_common_block(form_id: str) -> None:
    names = [one.name for one in shipped(form_id).definition.fields]
    block = ["start", "end", "today", "deviceid", "username", "version_form", "seq"]
    assert names[: len(block)] == block
    assert {"/data/site", "/data/meta/audit"} <= {one.path for one in shipped(form_id).definition.fields}


@each_form
def test_the_version_inside_is_the_version_outside(form_id: str) -> None:
    definition = shipped(form_id).definition
    assert definition.by_path["/data/version_form"].calculate == f"'{definition.version}'"


@each_form
def test_the_audit_takes_no_location(form_id: str) -> None:
    assert b"location-priority" not in shipped(form_id).xml


@each_form
def test_choices_equal_their_vocabulary(form_id: str) -> None:
    selects = [one for one in shipped(form_id).definition.fields if one.itemset and one.itemset.choices]
    lists = {one.itemset.instance: one.itemset.choices for one in selects if one.itemset}
    for name, choices in lists.items():
        written = [(one.value, one.label[LANGUAGES[0]], one.label[LANGUAGES[1]]) for one in choices]
        rows = vocabulary(PROGRAMME.vocabularies[name or ""])
        assert written == [(row["name"], row["label_fr"], row["label_en"]) for row in rows], name


@pytest.mark.parametrize("path", sorted((LIBRARY / "vocabularies").glob("*.csv")), ids=lambda path: path.stem)
def test_a_vocabulary_is_whole(path: Path) -> None:
    rows = vocabulary(path.name)
    names = [row["name"] for row in rows]
    assert len(names) == len(set(names))
    assert all(value for row in rows for value in row.values())
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9_-]+", name)] == []


def test_every_kind_of_encounter_has_its_words() -> None:
    fields = [one for form_id in FORM_IDS for one in shipped(form_id).definition.fields]
    kinds = {str(one.calculate).strip("'") for one in fields if one.encounter == "kind"}
    assert kinds == {row["name"] for row in vocabulary("encounter_kinds.csv")}


def test_countries_are_iso_3166_and_the_specials_of_icao() -> None:
    usage = {row["name"]: row["usage"] for row in vocabulary("countries.csv")}
    countries = [name for name, kind in usage.items() if kind == "country"]
    # 249 of ISO 3166-1, and Kosovo's RKS of ICAO 9303 part 3.
    assert len(countries) == 250
    assert all(usage[special] == "status" for special in ("XXA", "XXB", "XXC", "XXX"))
    assert countries[:6] == ["SEN", "GMB", "GNB", "GIN", "MLI", "MRT"]


def test_every_vocabulary_that_a_list_names_is_there() -> None:
    there = {path.name for path in (LIBRARY / "vocabularies").glob("*.csv")}
    named = [PROGRAMME.vocabularies, *(one.vocabularies for one in PROGRAMME.lists.values())]
    assert {name for vocabularies in named for name in vocabularies.values()} <= there


@each_form
def test_every_answer_has_a_data_class(form_id: str) -> None:
    unclassed = [
        one.path
        for one in answers_of(form_id)
        # The entity's own nodes repeat answers; D3 is right for them all.
        if "/meta/entity/" not in one.path and PROGRAMME.find_data_class(form_id, one.path) is None
    ]
    assert unclassed == []


@pytest.mark.parametrize("form_id", sorted(PROGRAMME.forms))
def test_the_programme_names_only_what_a_form_has(form_id: str) -> None:
    fields = answers_of(form_id)
    known = {one.path for one in fields} | {one.name for one in fields}
    assert set(PROGRAMME.policy_for(form_id).data_classes) - known == set()


@each_form
def test_what_feeds_a_person_is_classed_as_identity(form_id: str) -> None:
    persons = [one.path for one in answers_of(form_id) if one.person]
    assert [path for path in persons if PROGRAMME.data_class(form_id, path) != "D3"] == []
    # Of the forms these two alone ask who somebody is; the others speak of a stay.
    assert bool(persons) == (form_id in ("f02_passage", "f04_arrivee"))


@each_form
def test_the_name_of_a_record_tells_nothing_of_a_person(form_id: str) -> None:
    naming = shipped(form_id).definition.by_path["/data/meta/instanceName"].calculate or ""
    classes = {PROGRAMME.data_class(form_id, path) for path in re.findall(r"/data/[\w/]+", naming)}
    assert classes == {"D1", "D2"}


@each_form
def test_the_files_of_a_form_are_shipped_or_made_by_the_server(form_id: str) -> None:
    needed = {one.name for one in shipped(form_id).definition.attachments}
    assert {name for name in needed - SERVER_MADE if not (LIBRARY / "media" / name).is_file()} == set()


def _claims(form_id: str) -> tuple[set[str], set[str]]:
    fields = shipped(form_id).definition.fields
    return {one.person for one in fields if one.person}, {one.encounter for one in fields if one.encounter}


def test_a_crossing_feeds_person_and_encounter() -> None:
    persons, encounters = _claims("f02_passage")
    assert persons >= {"given_names", "family_name", "sex", "birth_date", "nationality", "document_number", "mrz"}
    assert encounters == set(ENCOUNTER_PROPERTIES)


def test_an_arrival_asks_all_that_tells_people_apart() -> None:
    persons, encounters = _claims("f04_arrivee")
    assert persons == set(PERSON_PROPERTIES) - {"mrz"}
    assert {"kind", "at", "origin"} <= encounters


def test_what_tells_people_apart_is_never_demanded() -> None:
    fields = shipped("f04_arrivee").definition.fields
    demanded = {one.person for one in fields if one.person and one.required}
    assert demanded & {"given_names", "family_name", "mother_name", "birth_place", "phone", "document_number"} == set()


def saved(form_id: str) -> list[tuple[str, str, Field]]:
    """What a form saves to entity lists: list, property, and the field behind it."""
    definition = shipped(form_id).definition
    by_path = definition.by_path
    return [(one.list_name, name, by_path[path]) for one in definition.entities for name, path in one.save_to]


def test_a_tablets_lists_hold_what_the_programme_decided_and_nothing_else() -> None:
    given: dict[str, set[str]] = {}
    for form_id in FORM_IDS:
        for list_name, name, _field in saved(form_id):
            if name not in PROGRAMME.policy_for_list(list_name).server_only:
                given.setdefault(list_name, set()).add(name)
    assert given == {
        "dossiers": {
            "ref", "bracelet", "initiales", "sexe", "tranche", "site_id", "etat", "urgence", "alerte_suivi",
            "echeance", "maj",
        },
        "evenements": {"type", "date", "site_debarq", "n_vivants", "n_ailleurs", "n_refus", "etat"},
        "orientations": {"dossier_ref", "cible", "service", "echeance", "statut"},
    }  # fmt: skip


def test_the_lists_hold_for_the_server_what_it_alone_needs() -> None:
    names = {(list_name, name) for form_id in FORM_IDS for list_name, name, _field in saved(form_id)}
    kept = {(one.name, name) for one in PROGRAMME.lists.values() for name in one.server_only}
    assert kept == {
        ("dossiers", "evt"), ("evenements", "n_morts"), ("evenements", "n_disparus"), ("orientations", "site_id"),
        ("orientations", "dossier"),
    }  # fmt: skip
    assert kept <= names


@each_form
def test_nothing_that_names_or_judges_anybody_is_saved_to_a_list(form_id: str) -> None:
    """Whatever a form learns to save: no name, nationality or document, no victim or suspect, no result, no text."""
    fields = [field for _list, _name, field in saved(form_id)]
    assert {field.person for field in fields} <= {None, "sex", "age_band"}
    assert {PROGRAMME.data_class(form_id, field.path) for field in fields} & {"D5", "D6"} == set()
    assert [field.path for field in fields if field.type == "binary"] == []
    # What people choose or type reaches a list in these answers alone; all else is calculated.
    asked = {field.name for field in fields if field.kind == "question"}
    assert asked <= {
        "type_evt", "morts", "disparus", "site_debarq", "n_ailleurs", "n_refus", "sexe", "urgence_med", "vers",
    }  # fmt: skip


def test_no_tablet_learns_that_somebody_goes_to_the_anti_trafficking_unit_or_to_court() -> None:
    calculate = shipped("f08_orientation").definition.by_path["/data/liste_orientations/cible_liste"].calculate or ""
    assert calculate.count("'protection'") == 1
    assert all(f"= '{target}'" in calculate for target in ("cnltp", "dacg"))


@pytest.mark.parametrize(
    ("form_id", "list_name", "container", "creates", "updates"),
    [
        ("f03_evenement", "evenements", "/data", True, True),
        ("f04_arrivee", "dossiers", "/data/personnes", True, False),
        ("f07_assistance", "dossiers", "/data/beneficiaires", False, True),
        ("f08_orientation", "orientations", "/data/liste_orientations", True, True),
        ("f08_orientation", "dossiers", "/data/liste_dossiers", False, True),
        ("f09_sortie", "dossiers", "/data", False, True),
    ],
)
def test_a_form_creates_and_updates_its_lists(
    form_id: str, list_name: str, container: str, creates: bool, updates: bool
) -> None:
    declared = {
        (one.list_name, one.container, one.creates, one.updates) for one in shipped(form_id).definition.entities
    }
    assert (list_name, container, creates, updates) in declared


@each_form
def test_entities_are_of_a_version_for_which_tablets_keep_rows_offline(form_id: str) -> None:
    assert {one.spec_version for one in shipped(form_id).definition.entities} <= {"2024.1.0", "2025.1.0"}


def test_stays_and_referrals_go_to_centres_alone() -> None:
    assert [PROGRAMME.lists[name].site_kinds for name in ("dossiers", "orientations")] == [("centre",), ("centre",)]
    assert [PROGRAMME.lists[name].region_kinds for name in ("dossiers", "orientations")] == [(), ()]


@pytest.mark.parametrize("form_id", ["f04_arrivee", "f07_assistance", "f08_orientation", "f09_sortie"])
def test_what_is_about_stays_is_filled_at_centres_alone(form_id: str) -> None:
    assert PROGRAMME.policy_for(form_id).site_kinds == ("centre",)


def test_facts_for_the_judiciary_are_classed_as_such() -> None:
    classes = {
        form_id: {name for name, one in PROGRAMME.policy_for(form_id).data_classes.items() if one == "D5"}
        for form_id in FORM_IDS
    }
    assert {form_id: names for form_id, names in classes.items() if names} == {
        "f03_evenement": {"armes", "passeurs_suspectes"},
        "f08_orientation": {"cible", "champs"},
    }


@each_form
def test_the_programme_says_why_a_form_is_filled_and_how_long_it_is_kept(form_id: str) -> None:
    policy = PROGRAMME.policy_for(form_id)
    assert set(policy.legal_basis) == {"fr", "en"}
    assert policy.retention
    assert policy.record_class in ("D2", "D3", "D4")


@pytest.mark.parametrize(
    ("form_id", "name"),
    [("f07_assistance", "recit"), ("f07_assistance", "rappel_contact"), ("f07_assistance", "aide"),
     ("f08_orientation", "motif_refus"), ("f08_orientation", "resultat"), ("f09_sortie", "type_sortie")],
)  # fmt: skip
def test_needs_and_complaints_are_classed_as_such(form_id: str, name: str) -> None:
    assert PROGRAMME.policy_for(form_id).data_classes[name] == "D4"


@pytest.mark.parametrize("form_id", ["f07_assistance", "f08_orientation"])
def test_a_tablet_forgets_complaints_and_referrals_once_they_are_sent(form_id: str) -> None:
    assert b'orx:auto-delete="true"' in shipped(form_id).xml


@each_form
def test_a_workbook_opens_pleasantly(form_id: str) -> None:
    survey = openpyxl.load_workbook(LIBRARY / f"{form_id}.xlsx")["survey"]
    assert survey.freeze_panes == "C2"
    assert survey.column_dimensions["A"].width > 20


@pytest.mark.parametrize(
    ("form_id", "filename"),
    [
        ("f02_passage", "f02_groupe.xml"),
        ("f02_passage", "f02_comptage.xml"),
        ("f04_arrivee", "f04_deux_personnes.xml"),
    ],
)
def test_a_record_that_a_tablet_filled_is_found_right(form_id: str, filename: str) -> None:
    sites = parse_list("sites.csv", b"name,label,type\nROS,Rosso,border_post\nKLK,Kaolack,centre\n")
    events = parse_list("evenements.csv", b"name,label,n_vivants\n")
    lists = HeldLists({"sites.csv": sites, "evenements.csv": events})
    assert validate_submission(shipped(form_id).definition, sample_submission(filename), lists) == []


def test_a_zone_that_was_copied_makes_a_person() -> None:
    records = read_person_records(shipped("f02_passage").definition, sample_submission("f02_groupe.xml"))
    assert [(one.family_name, one.document_number, one.age) for one in records] == [
        ("ERIKSSON", "L898902C3", None),
        ("ERIKSSON", "D23145890", None),
        ("Sow", None, 12),
    ]
