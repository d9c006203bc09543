"""Which record of a family counts: twins, edits and edits of edits, decided from the set alone.

A family is all that shares an instanceID or is tied by deprecatedID. Pure: the same members in any order of arrival
give the same answer. Rows and queries are processing.py's.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Member:
    """One record of a family. `sound` tells that it may count: no error finding, or accepted in spite of them."""

    id: int
    instance_id: str
    deprecated_id: str | None
    sha256: str
    decision: str | None = None
    decided_at: datetime | None = None
    sound: bool = True

    @property
    def rejected(self) -> bool:
        """Whether a person took it out."""
        return self.decision == "reject"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one member stands. `root_id` is the instanceID with which its chain of edits began."""

    root_id: str
    reason: Literal["twin", "stale_edit"] | None = None
    waits_for: str | None = None
    superseded_by: int | None = None
    counts: bool = False


def decide_family(members: Iterable[Member]) -> dict[int, Standing]:
    """Say of each member whether it counts, or why not.

    Of twins, and of edits of the same record, the one that a person accepted last counts, else the one with the
    smallest SHA-256: never the first to arrive. An edit whose original is unknown waits for it. An edit that has
    errors leaves its original in force until it is accepted or replaced. A rejected record counts for nothing and keeps
    its place: its edits stay edits of the record with which all began, whose reference is on a slip of paper.
    """
    everyone = list(members)
    chosen = _choose_twins(everyone)
    standings = {one.id: _left_out(one, one.instance_id, "twin") for one in everyone}
    children = _children(chosen)
    for root in [one for one in chosen.values() if one.deprecated_id not in chosen or _is_loop(one, chosen)]:
        awaited = root.deprecated_id if root.deprecated_id not in chosen else None
        _stand(root, children, standings, awaited)
    return standings


def trace_edits(members: Iterable[Member], member_id: int) -> list[int]:
    """The records whose edits led to this one, from the first to itself; of twins those that speak for their name."""
    everyone = list(members)
    chosen = _choose_twins(everyone)
    traced = [next(one for one in everyone if one.id == member_id)]
    in_circle = _is_loop(traced[0], chosen)
    while traced[-1].deprecated_id in chosen and not in_circle:
        traced.append(chosen[traced[-1].deprecated_id or ""])
    return [one.id for one in reversed(traced)]


def _left_out(member: Member, root_id: str, reason: Literal["twin", "stale_edit"]) -> Standing:
    """One that another was preferred to; of a rejected one that is not the reason."""
    return Standing(root_id, None if member.rejected else reason)


def _choose_twins(everyone: list[Member]) -> dict[str, Member]:
    """The one that speaks for each instanceID: a rejected one only where all were."""
    twins: dict[str, list[Member]] = defaultdict(list)
    for one in everyone:
        twins[one.instance_id].append(one)
    return {instance_id: min(same, key=_own_rank) for instance_id, same in twins.items()}


def _children(chosen: dict[str, Member]) -> dict[str, list[Member]]:
    children: dict[str, list[Member]] = defaultdict(list)
    for one in chosen.values():
        if one.deprecated_id in chosen and not _is_loop(one, chosen):
            children[one.deprecated_id or ""].append(one)
    return children


def _is_loop(member: Member, chosen: dict[str, Member]) -> bool:
    """Whether climbing from original to original comes back: no tablet makes that, but a hostile file may."""
    seen, current = set[str](), member
    while current.deprecated_id in chosen:
        if current.instance_id in seen:
            return True
        seen.add(current.instance_id)
        current = chosen[current.deprecated_id or ""]
    return False


def _stand(
    root: Member, children: dict[str, list[Member]], standings: dict[int, Standing], awaited: str | None
) -> None:
    chain = _winning_chain(root, children)
    speaking = [one for one in chain if not one.rejected]
    counting = next((one for one in reversed(speaking) if one.sound), None) if awaited is None else None
    for one in _descendants(root, children):
        standings[one.id] = _left_out(one, root.instance_id, "stale_edit")
    for place, one in enumerate(chain):
        after = next((later.id for later in chain[place + 1 :] if not later.rejected), None)
        standings[one.id] = Standing(root.instance_id, None, awaited, after, counts=one is counting)


def _winning_chain(root: Member, children: dict[str, list[Member]]) -> list[Member]:
    chain = [root]
    while children.get(chain[-1].instance_id):
        chain.append(min(children[chain[-1].instance_id], key=lambda one: _branch_rank(one, children)))
    return chain


def _branch_rank(member: Member, children: dict[str, list[Member]]) -> tuple[tuple[bool, float], str]:
    """Acceptance of a later edit carries the edits that lead to it; a branch of rejected edits leads nowhere."""
    best = min(_own_rank(one)[0] for one in [member, *_descendants(member, children)])
    return best, member.sha256


def _own_rank(member: Member) -> tuple[tuple[bool, float], str]:
    accepted = member.decided_at or _NEVER if member.decision == "accept" else None
    since = -accepted.timestamp() if accepted and accepted != _NEVER else 0.0
    return (member.rejected, since), member.sha256


def _descendants(member: Member, children: dict[str, list[Member]]) -> list[Member]:
    found: list[Member] = []
    todo = list(children.get(member.instance_id, ()))
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1].instance_id, ())
    return found
