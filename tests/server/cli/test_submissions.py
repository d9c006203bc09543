"""`teral submissions`, `people`, `registry` and `status`: one record followed from outside."""

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.models import Submission
from sync.publishing import publish_form
from tests.seed import seed
from tests.sync.factory import NOW, add_device, add_site, add_submission, form_file

AWA = {"prenoms": "Awa", "nom": "Ndiaye", "sexe": "2", "age": "31"}


@pytest.fixture
def arrived(session: Session) -> list[int]:
    """A sound record and one without its direction, judged."""
    publish_form(session, form_file(), {}, None, NOW)
    device = add_device(session, add_site(session))
    good = add_submission(session, "uuid:1", [AWA], device=device)
    bad = add_submission(session, "uuid:2", [AWA], device=device, direction="")
    ids = [good.id, bad.id]
    session.commit()
    process_pending()
    return ids


def states(run: Any, *options: str) -> list[tuple[int, str]]:
    return [(one["id"], one["state"]) for one in json.loads(run("submissions", "list", *options, "--json").stdout)]


def test_list_can_be_narrowed(run: Any, arrived: list[int]) -> None:
    good, bad = arrived
    assert states(run) == [(bad, "quarantined"), (good, "merged")]
    assert states(run, "--state", "merged") == [(good, "merged")]
    assert states(run, "--form", "autre") == states(run, "--site", "DIA") == []
    assert len(states(run, "--site", "ROS")) == 2


@pytest.mark.parametrize(
    ("decision", "state"), [("accept", "merged"), ("reject", "rejected"), ("replay", "quarantined")]
)
def test_decisions_take_effect_when_the_record_is_judged(
    run: Any, arrived: list[int], decision: str, state: str
) -> None:
    assert run("submissions", decision, arrived[1], "--reason", "vu avec le poste").exit_code == 0
    process_pending()
    assert states(run)[0] == (arrived[1], state)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("accept", "999", "--reason", "vu avec le poste"), id="unknown record"),
        pytest.param(("reject", "1", "--reason", " "), id="no reason"),
        pytest.param(("reject", "1"), id="reason not given at all"),
    ],
)
def test_decision_that_cannot_be_taken_is_refused_in_one_line(
    run: Any, arrived: list[int], session: Session, arguments: tuple[str, ...]
) -> None:
    result = run("submissions", *arguments)
    assert (result.exit_code > 0, result.stdout) == (True, "")
    session.expire_all()
    assert session.get_one(Submission, arrived[0]).decision is None


def test_person_is_listed_with_a_reference(run: Any, arrived: list[int]) -> None:
    [awa] = json.loads(run("people", "list", "--json").stdout)
    assert (awa["given_names"], awa["age"], awa["site"]) == ("Awa", 31, "ROS")
    assert awa["reference"] in run("people", "list").stdout


def test_person_is_told_once_with_the_records_that_say_so(run: Any, arrived: list[int]) -> None:
    [awa] = json.loads(run("people", "known", "--json").stdout)
    assert awa["values"]["given_names"]["value"] == "Awa"
    assert awa["values"]["given_names"]["references"] == awa["records"] == [awa["reference"]]
    assert awa["reference"] in run("people", "known").stdout


def test_digest_changes_with_what_is_known(run: Any, arrived: list[int]) -> None:
    before = run("registry", "digest").stdout.strip()
    run("submissions", "accept", arrived[1], "--reason", "vu avec le poste")
    process_pending()
    after = run("registry", "digest").stdout.strip()
    assert (len(before), before != after) == (64, True)


def test_status_counts_by_state_and_names_tablets(run: Any, arrived: list[int]) -> None:
    status = json.loads(run("status", "--json").stdout)
    assert (status["submissions"]["merged"], status["submissions"]["quarantined"], status["pending"]) == (1, 1, 0)
    assert [one["device"] for one in status["devices"]] == ["ROS-1"]
    assert "ROS-1" in run("status").stdout


def test_status_counts_events_whose_people_are_not_all_accounted_for(run: Any, session: Session) -> None:
    seed(session)
    assert json.loads(run("status", "--json").stdout)["open_gaps"] == 1
    assert "open gaps    1" in run("status").stdout


def test_unlock_takes_up_nothing_where_nothing_is_locked(run: Any) -> None:
    assert run("submissions", "unlock", "--json").stdout.strip() == '{"released": 0}'
