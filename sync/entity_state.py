"""One entity as it stands, and the step that an update makes which saw all that is applied: nearly every update.

Pure. Such a step reads nothing of the entity's history; everything else is folded whole (entity_fold.py), with the same
result.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from forms.programme import ListPolicy
from sync.branches import Contribution, Graph, Issued
from sync.merge import LABEL, Merged, advance

_KEY_LENGTH = 64


def fold_label(label: str) -> str:
    """The label as it is sorted and searched: without case, accents and spaces too many, and not longer than needed."""
    letters = (one for one in unicodedata.normalize("NFKD", label.casefold()) if not unicodedata.combining(one))
    return " ".join("".join(letters).split())[:_KEY_LENGTH]


MOST_CLAIMED = 1_000_000


@dataclass(slots=True)
class EntityState:
    """What is known of an entity without its history. The fields are those of models.Entity."""

    list_name: str
    uuid: str
    label: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    version: int = 0
    exists: bool = False
    deleted_at: datetime | None = None
    open_conflicts: int = 0
    claimed: int = 0
    whole_from: int | None = None
    tip_branch: str | None = None
    tip_base: int | None = None
    is_settled: bool = True  # nothing waits, nothing was forced, nobody deleted it

    def is_open(self, policy: ListPolicy) -> bool:
        """Whether tablets get it. A blank site matches nobody, so such a row is served to nobody."""
        closed = self.properties.get(policy.state_property, "") in policy.closed
        dated = not policy.date_property or self.open_until(policy) is not None
        return self.exists and not closed and dated and bool(self.site_code(policy))

    def site_code(self, policy: ListPolicy) -> str:
        """The site whose tablets get it."""
        return self.properties.get(policy.site_property, "")[:255]

    def parent_uuid(self, policy: ListPolicy) -> str | None:
        """The entity of another list that it belongs to, where the list has such a rule: of a stay its event."""
        return self.properties.get(policy.parent_property, "")[:36] or None

    def open_until(self, policy: ListPolicy) -> date | None:
        """The last day on which tablets get it, read from a date or a moment; None where no such day is known."""
        try:
            begun = date.fromisoformat(self.properties.get(policy.date_property, "")[:10])
            return begun + timedelta(days=policy.open_days)
        except (ValueError, OverflowError):
            return None


def can_follow(state: EntityState, one: Contribution, *, counts: bool) -> bool:
    """Whether the contribution had seen all that is applied, so that its values simply come after those that stand."""
    whole = state.whole_from is not None or state.version == 0
    if not (state.is_settled and whole) or state.open_conflicts:
        return False
    if not counts:
        return True
    if one.begins or not state.exists:
        return one.begins and not state.exists
    if one.predecessor:
        return one.predecessor == (state.tip_branch, state.tip_base)
    return (state.whole_from or 0) <= (one.base_version or 1) <= state.version


def follow(state: EntityState, one: Contribution, policy: ListPolicy, *, counts: bool) -> Issued | None:
    """Apply a contribution that can follow; return the number that is served from now on, if it is a new one.

    What does not count raises the number all the same: its tablet would else keep its own row for ever.
    """
    claim(state, one.base_version)
    if not counts:
        return issue(state, changed=False, added=())
    created = not state.exists
    changed = _write(state, one, policy) or created
    state.exists = True
    issued = issue(state, changed=changed, added=(one.key,))
    # Without a number of its own the update is in none, and the next one may not have seen it.
    state.whole_from = issued.number if issued else None
    state.tip_branch, state.tip_base = one.branch_id, one.base_version
    return issued


def claim(state: EntityState, base_version: int | None) -> None:
    """Note the version that a tablet itself holds since: an update makes it one above its base."""
    # No tablet gets so far. One broken record would else use up the numbers that forms can write.
    if (base_version or 0) < MOST_CLAIMED:
        state.claimed = max(state.claimed, (base_version or 0) + 1)


def adopt(state: EntityState, graph: Graph, merged: Merged, known: Sequence[Issued]) -> Issued | None:
    """Take over what the whole history says; return the number that is served from now on, if it is a new one."""
    before = (state.exists, state.label, state.properties)
    state.deleted_at = merged.deleted_at
    state.exists = bool(graph.order) and merged.deleted_at is None
    state.label, state.properties = merged.label, dict(merged.values)
    state.open_conflicts = len(merged.conflicts)
    state.is_settled = not graph.held and not graph.forced and merged.deleted_at is None
    applied, inside = {one.key for one in graph.order}, _inside(known)
    # Whoever downloads after a decision has seen it, even where it left the value as it was.
    decided = {one.key for one in graph.order if one.shown is not None}
    changed = before != (state.exists, state.label, state.properties) or not decided <= inside
    alone = [one.begins for one in graph.order] == [True]
    issued = issue(state, changed=changed, added=applied - inside, removed=inside - applied, alone=alone)
    state.whole_from = _find_whole([*known, issued] if issued else known, applied)
    _find_tip(state, graph)
    return issued


def issue(
    state: EntityState,
    *,
    changed: bool,
    added: Sequence[str] | set[str],
    removed: Sequence[str] | set[str] = (),
    alone: bool = True,
) -> Issued | None:
    """Give what is served a number of its own, at least as high as any tablet holds.

    Collect keeps its own row for as long as its local version is higher.
    """
    number = max(state.version + changed, state.claimed if state.exists or state.version else 0)
    # Number 1 means the creation alone, on every server: branches that begin offline rely on it.
    if number == 1 and not state.version and not alone:
        number = 2
    if number <= state.version:
        return None
    state.version = number
    return Issued(number, sorted(added), sorted(removed))


def _write(state: EntityState, one: Contribution, policy: ListPolicy) -> bool:
    before = (state.label, dict(state.properties))
    for name, value in one.values.items():
        rule = policy.merge_policy(name)
        if name == LABEL:
            state.label = advance(rule, state.label or None, value)
        else:
            state.properties[name] = advance(rule, state.properties.get(name), value)
    return before != (state.label, state.properties)


def _inside(known: Sequence[Issued]) -> set[str]:
    inside: set[str] = set()
    for one in known:
        inside = (inside | set(one.added)) - set(one.removed)
    return inside


def _find_whole(known: Sequence[Issued], applied: set[str]) -> int | None:
    """The number from which on all served ones contain exactly what is applied."""
    if _inside(known) != applied:
        return None
    number = None
    for one in reversed(known):
        number = one.number
        if one.added or one.removed:
            break
    return number


def _find_tip(state: EntityState, graph: Graph) -> None:
    last = graph.order[-1] if graph.order else None
    whole = last is not None and graph.seen[last.key].bit_count() == len(graph.order) - 1
    state.tip_branch = last.branch_id if last and whole else None
    state.tip_base = last.base_version if last and whole else None
