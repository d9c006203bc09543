"""Entity lists at a peer, kept equal to ours: what is missing there is made, what differs written, what went deleted.

What only the peer knows is left alone: nothing is deleted there of which nobody here ever heard.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forms.tables import odata_name
from sync.central.bridge import Bridge, Step
from sync.entity_browsing import list_properties
from sync.models import Entity, EntityList, PeerList
from sync.peer_answers import PeerError, check_rows
from sync.policy import programme

# Somebody may change the list there, so it is compared once a day though nothing happened here.
_LOOK_AGAIN = timedelta(days=1)
_AT_ONCE = 500
# Central's code for identifiers of entities that lie in its bin.
_DELETED = 409.19


@dataclass(frozen=True, slots=True)
class _Row:
    """An entity as a peer is to have it."""

    uuid: str
    label: str
    values: Mapping[str, str]

    def digest(self) -> bytes:
        return _digest(self.label, self.values)


@dataclass(slots=True)
class _Comparison:
    """One list being made equal; `open` counts what was found to do and is not done."""

    bridge: Bridge
    name: str
    properties: list[str]
    state: str
    open: int = 0

    def step(self, kind: str, what: str, do: Callable[[], object], count: int = 1) -> Step:
        self.open += 1

        def close() -> None:
            do()
            self.open -= 1

        return Step(kind, what, close, count)

    def path(self, more: str = "", **names: str) -> str:
        return self.bridge.client.path(f"datasets/{{name}}{more}", name=self.name, **names)


def find_differences(bridge: Bridge, name: str) -> Iterator[Step]:
    """A step for whatever the peer's list lacks, says otherwise, or still has; none where nothing changed here."""
    state = bridge.ours.read(partial(_read_state, name=name))
    if state is None or _was_equal(bridge, name, state):
        return
    properties = bridge.ours.read(partial(_list_pushed, name=name))
    comparison = _Comparison(bridge, name, properties, state)
    yield from _find_columns(comparison)
    yield from _find_rows(comparison)
    yield Step("", name, partial(_note_equal, comparison))


def _read_state(session: Session, name: str) -> str | None:
    """What changes with every change of the list here; None where there is no such list."""
    if session.scalar(select(EntityList.id).where(EntityList.name == name)) is None:
        return None
    counted = select(func.count(), func.sum(Entity.version)).where(Entity.list_name == name, Entity.exists)
    count, versions = session.execute(counted).one()
    columns = ",".join(_list_pushed(session, name))
    return hashlib.sha256(f"{count} {versions} {columns}".encode()).hexdigest()


def _was_equal(bridge: Bridge, name: str, state: str) -> bool:
    kept = bridge.ours.read(lambda session: session.get(PeerList, (bridge.peer.id, name)))
    return kept is not None and kept.state == state and bridge.clock() - kept.equal_at < _LOOK_AGAIN


def _list_pushed(session: Session, name: str) -> list[str]:
    """The list's properties but for those that no tablet is given either."""
    hidden = programme().policy_for_list(name).server_only
    return [one for one in list_properties(session, name) if one not in hidden]


def _find_columns(comparison: _Comparison) -> Iterator[Step]:
    client = comparison.bridge.client
    try:
        (told,) = check_rows([client.ask(comparison.path())])
        theirs = {one["name"] for one in check_rows(told.get("properties"), "name")}
    except PeerError as error:
        if error.code != "peer_missing":
            raise
        theirs = set()
        made = {"name": comparison.name, "approvalRequired": False}
        make = partial(client.call, "POST", client.path("datasets"), json=made)
        yield comparison.step("lists_out", comparison.name, make)
    for name in [one for one in comparison.properties if one not in theirs]:
        add = partial(client.call, "POST", comparison.path("/properties"), json={"name": name})
        yield comparison.step("", f"{comparison.name}#{name}", add)


def _find_rows(comparison: _Comparison) -> Iterator[Step]:
    theirs = _read_theirs(comparison)
    for rows in _read_ours(comparison):
        missing = [one for one in rows if one.uuid not in theirs]
        if missing:
            make = partial(_create, comparison, missing)
            yield comparison.step("entities_out", comparison.name, make, len(missing))
        for one in rows:
            if theirs.pop(one.uuid, one.digest()) != one.digest():
                yield comparison.step("entities_out", one.uuid, partial(_update, comparison, one))
    for uuid in comparison.bridge.ours.read(partial(_list_gone, name=comparison.name, uuids=list(theirs))):
        yield comparison.step("entities_out", uuid, partial(_delete, comparison, uuid))


def _read_theirs(comparison: _Comparison) -> dict[str, bytes]:
    """What each entity says there, as a digest: a hundred thousand of them fit into memory."""
    columns = {name: odata_name(name) for name in comparison.properties}
    found: dict[str, bytes] = {}
    try:
        for page in comparison.bridge.client.list_rows(comparison.path(".svc/Entities"), **{"$top": _AT_ONCE}):
            for line in page:
                values = {name: line.get(column) or "" for name, column in columns.items()}
                found[str(line.get("__id"))] = _digest(str(line.get("label")), values)
    except PeerError as error:
        if error.code != "peer_missing":
            raise
    return found


def _read_ours(comparison: _Comparison) -> Iterator[list[_Row]]:
    last = ""
    while rows := comparison.bridge.ours.read(partial(_read_rows, comparison=comparison, last=last)):
        yield rows
        last = rows[-1].uuid


def _read_rows(session: Session, comparison: _Comparison, last: str) -> list[_Row]:
    query = select(Entity.uuid, Entity.label, Entity.properties).where(
        Entity.list_name == comparison.name, Entity.exists, Entity.uuid > last
    )
    rows = session.execute(query.order_by(Entity.uuid).limit(_AT_ONCE))
    return [
        _Row(uuid, label or uuid, {name: values.get(name, "") for name in comparison.properties})
        for uuid, label, values in rows
    ]


def _digest(label: str, values: Mapping[str, str]) -> bytes:
    return hashlib.sha256(repr((label, sorted(values.items()))).encode()).digest()


def _list_gone(session: Session, name: str, uuids: Sequence[str]) -> list[str]:
    """Those of them that were here once and are no more."""
    gone: list[str] = []
    for start in range(0, len(uuids), _AT_ONCE):
        among = Entity.uuid.in_(uuids[start : start + _AT_ONCE])
        gone += session.scalars(select(Entity.uuid).where(Entity.list_name == name, ~Entity.exists, among))
    return gone


def _create(comparison: _Comparison, rows: Sequence[_Row]) -> None:
    """All together; what the peer refuses as a whole is told apart by halves, so that one row stops no other."""
    told: list[dict[str, Any]] = [{"uuid": one.uuid, "label": one.label, "data": dict(one.values)} for one in rows]
    source = {"name": "Teral", "size": len(told)}
    try:
        comparison.bridge.client.call("POST", comparison.path("/entities"), json={"entities": told, "source": source})
    except PeerError as error:
        if error.is_lasting:
            raise
        if len(rows) > 1:
            _create_halves(comparison, rows)
        elif error.problem == _DELETED:
            _restore(comparison, rows[0])
        else:
            raise


def _create_halves(comparison: _Comparison, rows: Sequence[_Row]) -> None:
    refused: PeerError | None = None
    for part in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        try:
            _create(comparison, part)
        except PeerError as error:
            if error.is_lasting:
                raise
            refused = error
    if refused is not None:
        raise refused


def _restore(comparison: _Comparison, row: _Row) -> None:
    """What was deleted there and is still ours comes back, and says what it says here."""
    comparison.bridge.client.call("POST", comparison.path("/entities/{uuid}/restore", uuid=row.uuid))
    _update(comparison, row)


def _update(comparison: _Comparison, row: _Row) -> None:
    told = {"label": row.label, "data": dict(row.values)}
    path = comparison.path("/entities/{uuid}", uuid=row.uuid)
    comparison.bridge.client.call("PATCH", path, params={"force": "true"}, json=told)


def _delete(comparison: _Comparison, uuid: str) -> None:
    comparison.bridge.client.call("DELETE", comparison.path("/entities/{uuid}", uuid=uuid))


def _note_equal(comparison: _Comparison) -> None:
    if comparison.open:
        return
    peer_id, now = comparison.bridge.peer.id, comparison.bridge.clock()
    kept = PeerList(peer_id=peer_id, list_name=comparison.name, state=comparison.state, equal_at=now)
    comparison.bridge.ours.write(lambda session: session.merge(kept))
