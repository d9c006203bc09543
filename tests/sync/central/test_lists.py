"""Entity lists at a peer become equal to ours, and what only the peer knows stays."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from sync.central.bridge import Bridge
from sync.central.run import exchange, plan
from sync.entity_acts import NewEntity, add_entities, add_entity_list, add_property, change_entity, delete_entity
from sync.models import Entity, PeerList
from tests.sync.central.conftest import Connect
from tests.sync.central.second_server import SecondServer

LIST = "bateaux"


def now() -> datetime:
    return datetime.now(UTC)


def act(session: Session, work: Callable[[], Any]) -> Any:
    result = work()
    session.commit()
    return result


@pytest.fixture
def boats(session: Session) -> list[str]:
    add_entity_list(session, LIST, None, now())
    add_property(session, LIST, "port", None, now())
    new = [NewEntity("Awa", {"port": "Mbour"}), NewEntity("Binta", {"port": "Kayar"}), NewEntity("Coumba")]
    return act(session, lambda: add_entities(session, LIST, new, None, now()))  # type: ignore[no-any-return]


@pytest.fixture
def bridge(there: SecondServer, connect: Connect) -> Bridge:
    return connect(direction="push", lists=f"{LIST}\nunknown")


def listed(there: SecondServer) -> dict[str, tuple[str, dict[str, Any]]]:
    rows = select(Entity).where(Entity.list_name == LIST, Entity.exists)
    return there.inside(
        lambda inner: {
            one.uuid: (one.label, {name: value for name, value in one.properties.items() if value})
            for one in inner.scalars(rows)
        }
    )


def test_a_list_is_made_filled_changed_and_thinned_out(
    boats: list[str], there: SecondServer, session: Session, bridge: Bridge
) -> None:
    assert dict(exchange(bridge).counts) == {"lists_out": 1, "entities_out": 3}
    assert dict(exchange(bridge).counts) == {}
    act(session, lambda: change_entity(session, LIST, boats[0], "Awa II", {"port": "Joal"}, None, None, now()))
    act(session, lambda: delete_entity(session, LIST, boats[1], None, now()))
    act(session, lambda: add_property(session, LIST, "etat", None, now()))
    assert dict(plan(bridge).counts) == {"entities_out": 2}
    assert dict(exchange(bridge).counts) == {"entities_out": 2}
    assert listed(there) == {boats[0]: ("Awa II", {"port": "Joal"}), boats[2]: ("Coumba", {})}


def test_what_only_the_peer_knows_stays(boats: list[str], there: SecondServer, bridge: Bridge) -> None:
    exchange(bridge)
    mine = there.inside(lambda inner: add_entities(inner, LIST, [NewEntity("Dieynaba")], None, now()))
    bridge.ours.write(lambda inner: inner.execute(PeerList.__table__.delete()))
    assert dict(exchange(bridge).counts) == {}
    assert mine[0] in listed(there)


def test_one_row_that_is_refused_stops_no_other(
    boats: list[str], there: SecondServer, session: Session, bridge: Bridge
) -> None:
    exchange(bridge)
    there.inside(lambda inner: delete_entity(inner, LIST, boats[0], None, now()))
    # As where the bin was emptied since.
    there.says[f"/{boats[0]}/restore"] = Response(b'{"code": 404.1}', 404, mimetype="application/json")
    fresh = act(session, lambda: add_entities(session, LIST, [NewEntity("Eli", {}, str(uuid4()))], None, now()))
    outcome = exchange(bridge)
    assert (outcome.word, len(outcome.problems)) == ("done", 1)
    assert set(listed(there)) == {*boats[1:], *fresh}
    # It is not noted as equal, so that the next exchange looks again.
    assert len(exchange(bridge).problems) == 1


def test_what_was_deleted_there_and_is_ours_comes_back(
    boats: list[str], there: SecondServer, session: Session, bridge: Bridge
) -> None:
    exchange(bridge)
    there.inside(lambda inner: delete_entity(inner, LIST, boats[0], None, now()))
    act(session, lambda: change_entity(session, LIST, boats[0], "Awa", {"port": "Joal"}, None, None, now()))
    fresh = act(session, lambda: add_entities(session, LIST, [NewEntity("Eli", {}, str(uuid4()))], None, now()))
    outcome = exchange(bridge)
    assert (outcome.word, outcome.problems) == ("done", [])
    assert (set(listed(there)), listed(there)[boats[0]]) == ({*boats, *fresh}, ("Awa", {"port": "Joal"}))


def test_a_list_that_cannot_be_read_stops_no_other(
    boats: list[str], there: SecondServer, session: Session, connect: Connect
) -> None:
    add_entity_list(session, "ports", None, now())
    session.commit()
    there.says[f"/datasets/{LIST}"] = b'{"properties": [1]}'
    outcome = exchange(connect(direction="push", lists=f"{LIST}, ports"))
    assert (outcome.word, dict(outcome.counts), [one["what"] for one in outcome.problems]) == (
        "done", {"lists_out": 1}, [LIST],
    )  # fmt: skip
