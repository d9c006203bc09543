"""Lists of entities for people: whose rows, in which order, page by page, found by the beginning of a label."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from server.extensions import db
from sync import entity_browsing
from sync.entity_browsing import (
    EntityFilters,
    find_entity,
    list_entities,
    list_exportable_properties,
    list_names,
    list_properties,
    list_troubles,
    summarise_list,
)
from sync.entity_state import fold_label
from sync.models import Entity, Site
from sync.policy import Viewer, programme
from tests.plans import watched_plans
from tests.sync.entities import STAY, add_arrival, add_update, keep_words, publish_entity_forms
from tests.sync.factory import NOW, add_device, add_site
from tests.sync.test_processing import settle

STEWARD = Viewer(1, "data_steward")


def at(site: Site, role: str = "centre_staff") -> Viewer:
    return Viewer(1, role, site.id)


def add_stay(session: Session, number: int, label: str, **facts: object) -> None:
    row = Entity(
        list_name="dossiers", uuid=f"5f0c1f3e-1d2a-4b6c-8d3e-{number:012}", label=label, label_key=fold_label(label),
        properties={}, **{"exists": True, "is_open": True, "site_code": "KLK", "version": 1, **facts},
    )  # fmt: skip
    session.add(row)
    session.flush()
    keep_words(session, row)


def labels(session: Session, viewer: Viewer = STEWARD, after: int | None = None, **filters: str) -> list[str]:
    return [one.label for one in list_entities(session, viewer, "dossiers", EntityFilters(**filters), after).rows]


@pytest.fixture
def stays(session: Session) -> Session:
    add_stay(session, 1, "Éléphant")
    add_stay(session, 2, "abri", is_open=False)
    add_stay(session, 3, "Zèbre", site_code="ZIG")
    add_stay(session, 4, "Elan", exists=False, is_open=False)
    add_stay(session, 5, "eland", open_conflicts=2)
    return session


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({}, ["abri", "eland", "Éléphant", "Zèbre"], id="all that exist, without case and accents"),
        pytest.param({"state": "open"}, ["eland", "Éléphant", "Zèbre"], id="open"),
        pytest.param({"state": "closed"}, ["abri"], id="closed"),
        pytest.param({"state": "absent"}, ["Elan"], id="deleted"),
        pytest.param({"trouble": "conflict"}, ["eland"], id="with a conflict"),
        pytest.param({"trouble": "held"}, [], id="with an update on hold"),
        pytest.param({"site_code": "ZIG"}, ["Zèbre"], id="of one site"),
        pytest.param({"asked": "ÉLE"}, ["Éléphant"], id="by the beginning of a word"),
        pytest.param({"asked": "e"}, ["eland", "Éléphant"], id="by the first letter of the label"),
        pytest.param({"asked": "5f0c1f3e-1d2a-4b6c-8d3e-000000000002"}, ["abri"], id="by its id"),
        pytest.param({"asked": "phant"}, [], id="by the middle of a word: not found"),
        pytest.param({"asked": " "}, [], id="a blank finds nothing"),
    ],
)
def test_a_list_is_narrowed_and_sorted_alike_on_both_databases(
    stays: Session, filters: dict[str, str], expected: list[str]
) -> None:
    assert labels(stays, **filters) == expected


@pytest.mark.both_databases
def test_pages_follow_each_other_without_loss_or_repetition(stays: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entity_browsing, "PAGE_SIZE", 2)
    first = list_entities(stays, STEWARD, "dossiers", EntityFilters())
    last = list_entities(stays, STEWARD, "dossiers", EntityFilters(), first.after)
    assert [one.label for one in (*first.rows, *last.rows)] == ["abri", "eland", "Éléphant", "Zèbre"]
    assert last.after is None


def test_a_page_after_nothing_that_is_known_is_empty(stays: Session) -> None:
    assert labels(stays, after=4711) == []


def test_who_may_not_read_labels_finds_by_id_only(stays: Session) -> None:
    auditor = Viewer(1, "auditor")
    assert labels(stays, auditor, asked="ele") == []
    assert labels(stays, auditor, asked="5f0c1f3e-1d2a-4b6c-8d3e-000000000001") == ["Éléphant"]


def test_a_site_sees_its_own_rows_and_a_border_post_none(stays: Session) -> None:
    centre, post = add_site(stays, "KLK", kind="centre"), add_site(stays, "ZIG", kind="border_post")
    assert labels(stays, at(centre)) == ["abri", "eland", "Éléphant"]
    assert labels(stays, at(post, "site_supervisor")) == []
    assert "dossiers" in list_names(stays, at(centre))
    assert "dossiers" not in list_names(stays, at(post, "site_supervisor"))


def test_roles_without_a_right_to_the_class_have_no_list(session: Session) -> None:
    publish_entity_forms(session)
    assert [list_names(session, Viewer(1, role)) for role in ("administrator", "form_designer")] == [[], []]
    assert list_names(session, STEWARD) == ["dossiers", "evenements"]


@pytest.mark.both_databases
def test_a_list_is_summed_up_and_counting_stops_somewhere(stays: Session) -> None:
    summary = summarise_list(stays, STEWARD, "dossiers")
    assert (summary.entities, summary.open, summary.conflicts, summary.held) == (4, 3, 1, 0)
    assert summarise_list(stays, STEWARD, "dossiers", most=1).open == 2


@pytest.mark.both_databases
def test_an_update_without_its_entity_is_seen_where_it_was_made(session: Session) -> None:
    publish_entity_forms(session)
    here, there = add_site(session, "KLK", kind="centre"), add_site(session, "ZIG", kind="centre")
    add_update(session, "uuid:a", 1, on="A", values={"etat": "clos"}, device=add_device(session, here))
    settle(session)
    assert [find_entity(session, at(one), "dossiers", STAY) is not None for one in (here, there)] == [True, False]
    assert summarise_list(session, at(here), "dossiers").held == 1
    held = list_entities(session, at(here), "dossiers", EntityFilters(trouble="held"))
    assert [one.uuid for one in held.rows] == [STAY]


def test_a_list_has_the_properties_of_its_forms(session: Session) -> None:
    publish_entity_forms(session)
    add_arrival(session)
    assert list_properties(session, "evenements") == ["site_debarq", "date"]
    assert list_properties(session, "dossiers") == ["sexe", "urgence", "site_id", "etat"]


def test_rows_get_their_key_as_they_are_written(session: Session) -> None:
    publish_entity_forms(session)
    add_arrival(session)
    settle(session)
    assert [one.label_key for one in list_entities(session, STEWARD, "dossiers", EntityFilters()).rows] == ["dossier 1"]


@pytest.mark.both_databases
def test_what_waits_is_told_with_its_age_to_those_who_may_know(session: Session) -> None:
    publish_entity_forms(session)
    here, there = add_site(session, "KLK", kind="centre"), add_site(session, "ZIG", kind="centre")
    tablet = add_device(session, here)
    add_arrival(session, device=tablet)
    for letter, value in (("A", "2"), ("B", "9")):
        add_update(session, f"uuid:{letter}", 1, on=letter, values={"sexe": value}, device=tablet)
    add_update(session, "uuid:late", 4, on="C", device=tablet, received_at=NOW - timedelta(hours=3))
    settle(session)
    told = [(one.trouble, one.count) for one in list_troubles(session, at(here))]
    assert told == [("conflict", 1), ("held", 1)]
    assert list_troubles(session, None)[1].since == NOW - timedelta(hours=3)
    assert list_troubles(session, at(there)) == []


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        pytest.param({}, "ix_entities_listed", id="all"),
        pytest.param({"state": "open"}, "ix_entities_listed", id="open"),
        pytest.param({"asked": "e"}, "ix_entities_listed", id="search"),
        pytest.param({"site_code": "KLK"}, "ix_entities_listed_at_site", id="of one site"),
        pytest.param({"trouble": "conflict"}, "ix_entities_disputed", id="conflicts"),
    ],
)
def test_a_page_is_read_off_an_index_in_order(stays: Session, filters: dict[str, str], index: str) -> None:
    stays.commit()
    with watched_plans(db.engine, "entities") as steps:
        list_entities(stays, STEWARD, "dossiers", EntityFilters(**filters), after=1)
        stays.commit()
    pages = [detail for statement, detail in steps if "ORDER BY" in statement]
    assert pages
    assert [detail for detail in pages if f"USING INDEX {index} (" not in detail] == []


def test_a_property_leaves_the_server_by_its_own_class(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_entity_forms(session)
    events = replace(programme().lists["evenements"], data_classes={"date": "D3"})
    changed = replace(programme(), lists={**programme().lists, "evenements": events})
    monkeypatch.setattr(entity_browsing, "programme", lambda: changed)
    national = list_exportable_properties(session, Viewer(1, "national_supervisor"), "evenements")
    assert set(list_properties(session, "evenements")) - set(national) == {"date"}
    assert list_exportable_properties(session, Viewer(1, "protection_officer"), "evenements") == []
