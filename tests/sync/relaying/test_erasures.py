"""Erasures as a post takes them, and what the centre holds it to owe. The way between is told in tests/journeys."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import EntityGround, Erasure, IssuedVersion, Relay
from sync.numbering import FIRST_SHARED
from sync.relaying.down import list_down, take_down
from sync.relaying.erasures import count_unerased
from sync.relaying.lines import EntityLine, ErasureLine, of_kind, receipt_for
from sync.relaying.up import take_up
from tests.sync.factory import NOW, add_submission
from tests.sync.relaying.test_words import ERASED, RETAINED, add_own, record

LATER = NOW + timedelta(hours=1)
GIVEN = EntityLine("dossiers", "x", 3, "Awa", {"ref": "Awa", "lit": "1"}, [], None)


def test_of_a_record_that_is_not_here_nothing_is_left_to_do(session: Session) -> None:
    line = ErasureLine("passage", "uuid:9", "0" * 64, RETAINED, "durée", NOW)
    assert take_down(session, [line], {}, NOW) == ([receipt_for(line)], [])


def test_what_cannot_be_read_of_an_erasure_stops_no_other(session: Session) -> None:
    good, bad = (add_submission(session, name) for name in ("uuid:1", "uuid:2"))
    lines = [ErasureLine("passage", one.instance_id, one.xml_sha256, RETAINED, "durée", NOW) for one in (good, bad)]
    lines[1] = replace(lines[1], retained={"persons": 1})
    assert take_down(session, lines, {}, NOW) == ([receipt_for(lines[0])], ["erasure_retained"])
    assert [session.get(Erasure, one.id) is not None for one in (good, bad)] == [True, False]


@pytest.mark.both_databases
def test_what_was_served_is_forgotten_once_for_each_erasure(session: Session) -> None:
    take_down(session, [GIVEN], {}, NOW)
    before, since = serve(session, FIRST_SHARED + 1), replace(GIVEN, number=4, erased=(1, ["lit"]))
    take_down(session, [since], {}, LATER)
    session.refresh(before)
    assert (before.label, before.properties) == ("", {"lit": "1"})
    after = serve(session, FIRST_SHARED + 2)
    take_down(session, [replace(since, number=5)], {}, LATER)
    session.refresh(after)
    assert after.label == "Awa"


def serve(session: Session, number: int) -> IssuedVersion:
    ground = session.scalars(select(EntityGround)).one()
    given = {"label": "Awa", "properties": {"ref": "Awa", "lit": "1"}, "issued_at": NOW}
    issued = IssuedVersion(entity_id=ground.entity_id, number=number, added=[], removed=[], **given)
    session.add(issued)
    session.flush()
    return issued


@pytest.mark.both_databases
def test_a_post_owes_an_erasure_until_it_confirms_or_told_of_it_itself(session: Session, relay: Relay) -> None:
    row = add_own(session, relay)
    take_up(session, relay, [record(row)], NOW)
    session.add(Erasure(submission_id=row.id, retained=RETAINED, reason="durée", erased_at=NOW))
    session.flush()
    assert count_unerased(session)[relay.site_id].since == NOW
    take_up(session, relay, [record(row, erased=ERASED)], NOW)
    assert count_unerased(session) == {}
    take_up(session, relay, [record(row)], NOW)
    assert count_unerased(session)[relay.site_id].count == 1
    assert of_kind(list(list_down(session, relay, NOW)), ErasureLine) == []
    relay.told = {"erases": True}
    [line] = of_kind(list(list_down(session, relay, NOW)), ErasureLine)
    assert line.instance_id == row.instance_id
