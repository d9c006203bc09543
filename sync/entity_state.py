"""One entity as it stands, and the step that an update makes which saw all that is applied: nearly every update.

Pure. Such a step reads nothing of the entity's history; everything else is folded whole (entity_fold.py), with the same
result.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from forms.programme import ListPolicy
from sync.branches import GROUND, Contribution, Graph, Issued
from sync.folding import fold_text
from sync.merge import LABEL, Merged, advance
from sync.numbering import FIRST_SHARED, next_number, slot_of

_KEY_LENGTH = 64


def fold_label(label: str) -> str:
    """The label as it is sorted and searched: without case, accents and spaces too many, and not longer than needed."""
    return fold_text(label)[:_KEY_LENGTH]


MOST_CLAIMED = 100_000_000


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
        """Whether tablets get it. A blank site matches nobody, so such a row is served to nobody.

        A row that follows another one is wherever that one is, whatever its own site says (entity_following.py).
        """
        closed = self.properties.get(policy.state_property, "") in policy.closed
        dated = not policy.date_property or self.open_until(policy) is not None
        placed = bool(policy.follows or self.site_code(policy))
        return self.exists and not closed and dated and placed

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
        # Where another server served it already, its numbers are to be looked at.
        return one.begins and not state.exists and state.claimed < FIRST_SHARED
    if one.predecessor:
        return one.predecessor == (state.tip_branch, state.tip_base)
    base = one.base_version or 1
    # Of another server's numbers, those that nobody told of yet may lie between ours.
    return (state.whole_from or 0) <= base <= state.version and slot_of(base) == slot_of(state.version)


def follow(state: EntityState, one: Contribution, policy: ListPolicy, *, counts: bool, slot: int = 0) -> Issued | None:
    """Apply a contribution that can follow; return the number that is served from now on, if it is a new one.

    What does not count raises the number all the same: its tablet would else keep its own row for ever.
    """
    claim(state, one.base_version)
    if not counts:
        return issue(state, changed=False, added=(), slot=slot)
    created = not state.exists
    changed = _write(state, one, policy) or created
    state.exists = True
    issued = issue(state, changed=changed, added=(one.key,), slot=slot)
    # Without a number of its own the update is in none, and the next one may not have seen it.
    state.whole_from = issued.number if issued else None
    state.tip_branch, state.tip_base = one.branch_id, one.base_version
    return issued


def claim(state: EntityState, base_version: int | None) -> None:
    """Note the version that a tablet itself holds since: an update makes it one above its base."""
    # No tablet gets so far. One broken record would else use up the numbers that forms can write.
    if (base_version or 0) < MOST_CLAIMED:
        state.claimed = max(state.claimed, (base_version or 0) + 1)


def adopt(
    state: EntityState, graph: Graph, merged: Merged, known: Sequence[Issued], *, slot: int = 0, ground: int = 0
) -> Issued | None:
    """Take over what the whole history says; return the number that is served from now on, if it is a new one.

    On a relay `ground` is the centre's number that the history stands on.
    """
    before = (state.exists, state.label, state.properties)
    state.deleted_at = merged.deleted_at
    state.exists = bool(graph.order) and merged.deleted_at is None
    state.label, state.properties = merged.label, dict(merged.values)
    state.open_conflicts = len(merged.conflicts)
    state.is_settled = not graph.held and not graph.forced and merged.deleted_at is None
    applied = {one.key for one in graph.order}
    after, inside = (ground, {GROUND}) if ground else read_contents(known)
    # Whoever downloads after a new ground has seen what is in it, also where it changed no value.
    moved = bool(ground) and (not known or ground not in (known[-1].number, known[-1].after))
    if known and known[-1].number > state.version:
        _take_number(state, known[-1].number, is_same=inside == applied)
    # Whoever downloads after a decision has seen it, even where it left the value as it was.
    decided = {one.key for one in graph.order if one.shown is not None}
    changed = moved or before != (state.exists, state.label, state.properties) or not decided <= inside
    alone = [one.begins for one in graph.order] == [True]
    issued = issue(
        state, changed=changed, added=applied - inside, removed=inside - applied, alone=alone, slot=slot, after=after
    )
    state.whole_from = _find_whole([*known, issued] if issued else known, applied, ground)
    _find_tip(state, graph)
    return issued


def _take_number(state: EntityState, number: int, *, is_same: bool) -> None:
    """Another server's number above ours: it is ours too where the same is in it, else ours is to be higher."""
    if is_same:
        state.version = number
    else:
        state.claimed = max(state.claimed, number + 1)


def issue(
    state: EntityState,
    *,
    changed: bool,
    added: Sequence[str] | set[str],
    removed: Sequence[str] | set[str] = (),
    alone: bool = True,
    slot: int = 0,
    after: int | None = None,
) -> Issued | None:
    """Give what is served a number of its own, at least as high as any tablet holds.

    Collect keeps its own row for as long as its local version is higher.
    """
    least = max(state.version + changed, state.claimed if state.exists or state.version else 0)
    if least <= state.version:
        return None
    number = next_number(least, slot)
    # Number 1 means the creation alone, on every server: branches that begin offline rely on it.
    if number == 1 and not state.version and not alone:
        number = 2
    told_from = state.version if after is None else after
    state.version = number
    return Issued(number, sorted(added), sorted(removed), told_from if number >= FIRST_SHARED else None)


def _write(state: EntityState, one: Contribution, policy: ListPolicy) -> bool:
    before = (state.label, dict(state.properties))
    for name, value in one.values.items():
        rule = policy.merge_policy(name)
        if name == LABEL:
            state.label = advance(rule, state.label or None, value)
        else:
            state.properties[name] = advance(rule, state.properties.get(name), value)
    return before != (state.label, state.properties)


def read_contents(known: Sequence[Issued]) -> tuple[int, set[str]]:
    """The highest number with what is inside of it; 0 and nothing where that cannot be told."""
    chain = list(_chain(known))
    return (chain[0].number, _inside(chain)) if chain and not chain[-1].after else (0, set())


def _inside(chain: Sequence[Issued]) -> set[str]:
    inside: set[str] = set()
    for one in reversed(chain):
        inside = (inside | set(one.added)) - set(one.removed)
    return inside


def _chain(known: Sequence[Issued]) -> Iterator[Issued]:
    """The highest number, the one that it is told from, and so on."""
    places = {one.number: place for place, one in enumerate(known)}
    place = len(known) - 1
    while place >= 0:
        one = known[place]
        yield one
        place = place - 1 if one.after is None else places.get(one.after, -1)


def _find_whole(known: Sequence[Issued], applied: set[str], ground: int) -> int | None:
    """The number from which on all served ones contain exactly what is applied."""
    chain = list(_chain(known))
    told = not chain or not chain[-1].after or bool(ground)
    if not told or _inside(chain) | ({GROUND} if ground else set()) != applied:
        return None
    number = None
    for one, before in zip(reversed(known), chain, strict=False):
        if one is not before:
            break
        number = one.number
        if one.added or one.removed:
            break
    return number


def _find_tip(state: EntityState, graph: Graph) -> None:
    last = graph.order[-1] if graph.order else None
    whole = last is not None and graph.seen[last.key].bit_count() == len(graph.order) - 1
    state.tip_branch = last.branch_id if last and whole else None
    state.tip_base = last.base_version if last and whole else None
