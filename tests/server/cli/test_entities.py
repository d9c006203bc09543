"""`teral entities`: the lists, their rows, one row's history, and the whole list as CSV."""

import csv
import io
import json
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import AuditEvent
from tests.server.cli.conftest import Run
from tests.sync.entities import STAY, add_arrival, add_update, publish_entity_forms
from tests.sync.factory import add_device, add_site
from tests.sync.test_processing import settle


@pytest.fixture
def disputed(session: Session) -> Session:
    """A stay with a conflict, whose label looks like a formula, and an update on hold."""
    publish_entity_forms(session)
    tablet = add_device(session, add_site(session, "KLK", kind="centre"), "KLK-1")
    add_arrival(session, device=tablet)
    add_update(session, "uuid:a", 1, on="A", hour=1, values={"sexe": "=2"}, device=tablet)
    add_update(session, "uuid:b", 1, on="B", hour=2, values={"sexe": "=9"}, device=tablet)
    add_update(session, "uuid:late", 4, on="C", values={"etat": "clos"}, device=tablet)
    settle(session)
    return session


def told(run: Run, *words: str) -> Any:
    result = run("entities", *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_lists_are_counted(run: Run, disputed: Session) -> None:
    counts = {one["list"]: one for one in told(run, "list")}
    assert counts["dossiers"] == {"list": "dossiers", "entities": 1, "open": 1, "conflicts": 1, "held": 1}


def test_rows_are_listed_narrowed_and_limited(run: Run, disputed: Session) -> None:
    for number in range(2, 5):
        add_arrival(disputed, f"uuid:c{number}", stay=f"5f0c1f3e-1d2a-4b6c-8d3e-{number:012}")
    settle(disputed)
    assert [one["uuid"] for one in told(run, "list", "dossiers", "--trouble", "conflict")] == [STAY]
    assert len(told(run, "list", "dossiers", "--search", "dossier", "--limit", "3")) == 3
    assert run("entities", "list", "dossiers").output.count("\n") == 4


def test_one_row_is_shown_with_its_history(run: Run, disputed: Session) -> None:
    shown = told(run, "show", "dossiers", STAY)
    assert (shown["label"], shown["state"], shown["open_conflicts"]) == ("Dossier 1", "open", 1)
    [conflict] = shown["conflicts"]
    assert (conflict["base"], sorted(one["value"] for one in conflict["candidates"])) == ("1", ["=2", "=9"])
    assert [one["standing"] for one in shown["history"]] == ["applied", "applied", "applied", "held"]
    assert shown["history"][1]["fates"]["sexe"]["outcome"] == "open"
    assert "held\tKLK-1\t{'etat': 'clos'}" in run("entities", "show", "dossiers", STAY).output


def test_what_is_not_there_is_named(run: Run, disputed: Session) -> None:
    assert "There is no list rien." in run("entities", "list", "rien").output
    result = run("entities", "show", "dossiers", "rien")
    assert (result.exit_code, "no row rien" in result.output) == (1, True)


def test_a_list_is_exported_without_formulas_and_it_is_noted(run: Run, disputed: Session) -> None:
    result = run("entities", "export", "dossiers")
    [row] = csv.DictReader(io.StringIO(result.stdout))
    assert (row["__id"], row["sexe"], row["__version"]) == (STAY, "'=9", "5")
    disputed.rollback()
    acts = disputed.scalars(select(AuditEvent.action).where(AuditEvent.action == "entities.exported"))
    assert len(acts.all()) == 1
