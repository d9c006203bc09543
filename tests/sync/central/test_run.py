"""Exchanges with a second Teral over HTTP: nothing is lost and nothing comes twice, wherever the line breaks."""

import random
from datetime import UTC, datetime

from flask import Flask
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from sync.central.run import exchange, plan
from sync.entity_acts import NewEntity, add_entities, add_entity_list
from sync.publishing import publish_form
from tests.sync.central.conftest import Connect
from tests.sync.central.second_server import SecondServer, count_heads, cut_line, records
from tests.sync.factory import form_file


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
