"""Exchanges with a second Teral over HTTP: nothing is lost and nothing comes twice, wherever the line breaks."""

import random
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.processing import process_pending
from sync.central.bridge import Bridge
from sync.central.run import exchange, plan
from sync.entity_acts import NewEntity, add_entities, add_entity_list, add_property, change_entity, delete_entity
from sync.models import Entity, Form, FormVersion, Submission, SubmissionComment
from sync.publishing import publish_form
from tests.sync.central.conftest import Connect
from tests.sync.central.second_server import CutLine, SecondServer, count_heads, cut_line, records
from tests.sync.central.test_answers import states
from tests.sync.factory import form_file

WRONG, RIGHT = [{"prenoms": "Awa", "age": "douze"}], [{"prenoms": "Awa", "nom": "Ba", "sexe": "2", "age": "12"}]


def fill(there: SecondServer, number: int, rng: random.Random) -> None:
    """So many records, every fifth with a photograph, every seventh edited, some twice."""
    there.publish("1")
    with there.at_once():
        _send(there, number, rng)


def _send(there: SecondServer, number: int, rng: random.Random) -> None:
    for one in range(number):
        photo = rng.randbytes(rng.randrange(1, 40_000)) if one % 5 == 0 else b""
        there.send(f"uuid:r{one}", photo)
        if one % 7 == 0:
            there.edit(f"uuid:r{one}", f"uuid:r{one}-b", direction="sortie")
        if one % 21 == 0:
            there.edit(f"uuid:r{one}-b", f"uuid:r{one}-c")


def theirs(there: SecondServer) -> object:
    return there.inside(lambda session: records(session, attachment_store()))


def test_a_line_that_breaks_loses_nothing_and_brings_nothing_twice(
    there: SecondServer, session: Session, connect: Connect
) -> None:
    rng = random.Random(7)
    fill(there, 24, rng)
    with cut_line(there.url, [rng.randrange(0, 12_000) for _ in range(10)]) as line:
        bridge, runs = connect(line.url), 1
        while exchange(bridge).word != "done":
            runs += 1
            assert runs < 30
        assert line.cut == 10
        assert records(session, attachment_store()) == theirs(there)
        assert count_heads(session) == 24
        again = exchange(bridge)
    assert (again.word, dict(again.counts), again.problems) == ("done", {}, [])


def judge_here(there: SecondServer, session: Session, bridge: Bridge, number: int) -> list[str]:
    """Records came from there, a third of them wrong; a form and a list are here, whose rows are answered."""
    there.publish("1")
    with there.at_once():
        for one in range(number):
            there.send(f"uuid:r{one}", people=RIGHT if one % 3 else WRONG)
    assert exchange(bridge).counts["records_in"] == number
    process_pending()
    now = datetime.now(UTC)
    publish_form(session, form_file("1", "arrivee"), {}, None, now)
    add_entity_list(session, "bateaux", None, now)
    add_property(session, "bateaux", "port", None, now)
    new = [NewEntity(f"Awa {one}", {"port": "Kayar"}) for one in range(number)]
    rows = add_entities(session, "bateaux", new, None, now)
    session.commit()
    return rows


def change_both(there: SecondServer, session: Session, rows: list[str]) -> None:
    """A record is mended there and another becomes wrong; here rows change and go, and the form has a new version."""
    there.edit("uuid:r0", "uuid:r0-b", people=RIGHT)
    there.edit("uuid:r1", "uuid:r1-b", people=WRONG)
    now = datetime.now(UTC)
    for one in rows[:2]:
        change_entity(session, "bateaux", one, "Binta", {"port": "Mbour"}, None, None, now)
    for one in rows[2:4]:
        delete_entity(session, "bateaux", one, None, now)
    publish_form(session, form_file("2", "arrivee"), {}, None, now)
    session.commit()


def settle(bridge: Bridge, line: CutLine) -> None:
    """Exchange, and judge what came, until nobody has anything to tell and the line broke as often as it was to."""
    for _ in range(100):
        outcome = exchange(bridge)
        process_pending()
        if (outcome.word, outcome.problems, outcome.counts, line.cuts) == ("done", [], {}, []):
            return
    raise AssertionError("they never come to an end")


def comments(there: SecondServer) -> list[str]:
    """Which records were commented on, once for each comment."""
    query = select(Submission.instance_id).join(SubmissionComment).order_by(Submission.instance_id)
    return there.inside(lambda session: list(session.scalars(query)))


def entities(session: Session) -> dict[str, tuple[str | None, str, int]]:
    """The rows that there are, what they say, and how often they changed."""
    rows = session.scalars(select(Entity).filter_by(list_name="bateaux").where(Entity.exists))
    return {one.uuid: (one.label, one.properties.get("port", ""), one.version) for one in rows}


def forms(session: Session) -> list[tuple[str, str]]:
    query = select(Form.form_id, FormVersion.version).join(FormVersion).order_by(FormVersion.id)
    return [(form_id, version) for form_id, version in session.execute(query)]


@pytest.mark.parametrize(
    ("seed", "number", "cuts"), [(1, 4, 4), *(pytest.param(seed, 30, 20, marks=pytest.mark.slow) for seed in (2, 3, 4))]
)
def test_a_line_that_breaks_tells_the_peer_all_of_it_once(
    there: SecondServer, session: Session, connect: Connect, seed: int, number: int, cuts: int
) -> None:
    """Findings, verdicts, a list and a form, and edits that come from there; whichever byte is the last, either way."""
    rng = random.Random(seed)
    with cut_line(there.url, [], both_ways=True) as line:
        bridge = connect(line.url, direction="both", pulls="passage", publishes="arrivee", lists="bateaux")
        rows = judge_here(there, session, bridge, number)
        line.cuts += [rng.randrange(16_000) for _ in range(cuts)]
        settle(bridge, line)
        told = {f"uuid:r{one}": "approved" if one % 3 else "hasIssues" for one in range(number)}
        said = sorted(name for name, state in told.items() if state == "hasIssues")
        assert (states(bridge), comments(there)) == (told, said)
        assert there.inside(entities) == entities(session)
        change_both(there, session, rows)
        line.cuts += [rng.randrange(16_000) for _ in range(cuts)]
        settle(bridge, line)
        assert states(bridge) == told | {"uuid:r0": "approved", "uuid:r1": "hasIssues"}
    assert line.cut == 2 * cuts
    session.rollback()
    assert comments(there) == sorted([*said, "uuid:r1"])
    assert there.inside(entities) == entities(session)
    assert there.inside(forms) == [("passage", "1"), ("arrivee", "1"), ("arrivee", "2")]
    assert records(session, attachment_store()) == theirs(there)


def test_a_dry_run_counts_and_moves_nothing(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1", "2")
    there.send("uuid:a")
    bridge = connect()
    assert dict(plan(bridge).counts) == {"forms_in": 2, "records_in": 1}
    assert records(session, attachment_store()) == {}
    assert dict(exchange(bridge).counts) == dict(plan(connect(name="another")).counts) | {"forms_in": 2}


def test_what_is_asked_to_stop_goes_on_later(there: SecondServer, session: Session, connect: Connect) -> None:
    there.publish("1")
    for one in "abc":
        there.send(f"uuid:{one}")
    bridge, left = connect(), [True, True, False]
    assert exchange(bridge, lambda: left.pop(0)).word == "stopped"
    session.rollback()
    assert len(records(session, attachment_store())) == 1
    assert exchange(bridge).word == "done"
    session.rollback()
    assert len(records(session, attachment_store())) == 3


def test_lists_go_before_the_forms_that_ask_about_them(there: SecondServer, session: Session, connect: Connect) -> None:
    now = datetime.now(UTC)
    publish_form(session, form_file("1"), {}, None, now)
    add_entity_list(session, "bateaux", None, now)
    add_entities(session, "bateaux", [NewEntity("Awa")], None, now)
    session.commit()
    outcome = exchange(connect(direction="push", publishes="passage", lists="bateaux"))
    assert list(outcome.counts) == ["lists_out", "entities_out", "forms_out"]


def test_a_dead_line_and_a_wrong_password_are_told(app: Flask, there: SecondServer, connect: Connect) -> None:
    bridge = connect("http://127.0.0.1:9")
    outcome = exchange(bridge)
    assert (outcome.word, outcome.problems[0]["message"]) == (
        "failed", "The server cannot be reached, or the connection broke.",
    )  # fmt: skip
