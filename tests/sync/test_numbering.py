"""Numbers that several servers issue: none is issued twice, and each says what its tablets had seen."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

import pytest

from forms.programme import ListPolicy
from sync.branches import GROUND, Issued, read_graph
from sync.entity_facts import Folded, GroundFacts, History, SaidFacts, fold_history
from sync.entity_state import EntityState, read_contents
from sync.numbering import FIRST_SHARED, next_number, slot_of
from tests.sync.test_branches import CREATION, POLICIES, START, said

POLICY = ListPolicy("dossiers", merge=POLICIES)


@pytest.mark.parametrize(("least", "slot", "number"), [(1, 0, 1), (999_999, 0, 999_999), (1_000_001, 0, 1_001_000)])
def test_the_centre_counts_on_until_others_come(least: int, slot: int, number: int) -> None:
    assert next_number(least, slot) == number
    assert slot_of(number) == 0


@pytest.mark.parametrize("slot", [1, 7, 999])
@pytest.mark.parametrize("least", [0, 5, FIRST_SHARED, 1_000_007, 1_000_008, 4_321_987])
def test_a_relay_issues_numbers_of_its_own_alone(least: int, slot: int) -> None:
    number = next_number(least, slot)
    assert slot_of(number) == slot
    assert least <= number < max(least, FIRST_SHARED) + 1000
    assert next_number(number, slot) == number


def test_what_is_told_from_a_number_that_is_not_here_waits() -> None:
    update = said("u", 1, base_version=1_001_007)
    told = Issued(1_001_007, {"x"}, (), 1_000_007)
    assert read_graph([CREATION, update], [told]).held == {"u": "version 1001007"}
    before = Issued(1_000_007, {"c"}, (), 0)
    assert read_graph([CREATION, update], [before, told]).ancestors("u") == {"c"}
    assert read_contents([told]) == (0, set())


@dataclass
class Server:
    """One server and one entity. `truth` tells of each served number what a tablet saw that downloaded it."""

    slot: int
    state: EntityState = field(default_factory=lambda: EntityState("dossiers", "x"))
    facts: dict[str, SaidFacts] = field(default_factory=dict)
    issued: dict[int, Issued] = field(default_factory=dict)
    ground: GroundFacts | None = None
    below: frozenset[str] = frozenset()
    truth: dict[int, frozenset[str]] = field(default_factory=dict)

    def fold(self) -> Folded:
        rows = [self.issued[number] for number in sorted(self.issued)]
        history = History(1, self.state, list(self.facts.values()), issued=rows, slot=self.slot, ground=self.ground)
        folded = fold_history(history, POLICY)
        self.state = folded.state
        if folded.issued:
            assert folded.issued.number not in self.issued
            self.issued[folded.issued.number] = folded.issued
        if self.state.version not in self.truth:
            applied = {one.key for one in folded.graph.order} - {GROUND}
            self.truth[self.state.version] = frozenset(applied) | self.below
        return folded

    def add(self, fact: SaidFacts) -> None:
        self.facts[fact.key] = fact
        self.fold()


def update(key: str, base: int, hour: int, rng: Random) -> SaidFacts:
    values = {name: str(rng.randint(0, 3)) for name in ("lit", *POLICIES) if rng.random() < 0.5}
    creates = "create" if not base else "update"
    return SaidFacts(
        0, "f", key, key, 1, START + timedelta(hours=hour), creates, base or None, None, None,
        "Dossier" if not base else None, values, counts=True,
    )  # fmt: skip


def tell_up(relay: Server, centre: Server) -> None:
    for number in sorted(set(relay.issued) - set(centre.issued)):
        centre.issued[number] = relay.issued[number]
        centre.state.claimed = max(centre.state.claimed, number)
    centre.facts.update(relay.facts)
    centre.fold()


def tell_down(centre: Server, relay: Server) -> None:
    version = centre.state.version
    _, inside = read_contents([centre.issued[number] for number in sorted(centre.issued)])
    values = dict(centre.state.properties)
    relay.ground = GroundFacts(version, centre.state.label, values, inside & set(relay.facts), None)
    relay.below = centre.truth[version]
    relay.fold()


@pytest.mark.parametrize("seed", range(30))
def test_what_tablets_of_two_servers_saw_is_known_at_the_centre(seed: int) -> None:
    rng = Random(seed)
    centre, relay = Server(0), Server(7)
    seen: dict[str, frozenset[str]] = {}
    home = rng.choice([centre, relay])
    home.add(update("first", 0, 0, rng))
    for step in range(30):
        server = rng.choice([centre, relay])
        if rng.random() < 0.3:
            tell_up(relay, centre)
            tell_down(centre, relay)
        elif server.truth and server.state.exists:
            base = rng.choice([number for number in server.truth if server.truth[number]])
            fact = update(f"u{step}", base, step, rng)
            seen[fact.key] = server.truth[base]
            server.add(fact)
    tell_up(relay, centre)
    folded = centre.fold()
    assert not folded.graph.held
    assert {key: folded.graph.ancestors(key) for key in seen} == seen
    settle(centre, relay)
    assert (relay.state.label, relay.state.properties) == (centre.state.label, centre.state.properties)


def settle(centre: Server, relay: Server) -> None:
    """After a few rounds without news from tablets, no number moves any more."""
    for _ in range(3):
        tell_down(centre, relay)
        tell_up(relay, centre)
    before = (len(centre.issued), len(relay.issued))
    tell_down(centre, relay)
    tell_up(relay, centre)
    assert (len(centre.issued), len(relay.issued)) == before


def test_a_relay_drops_what_left_its_sight() -> None:
    relay = Server(7)
    relay.add(update("first", 0, 0, Random(1)))
    gone = GroundFacts(5, "", {}, {"f first 1"}, START)
    relay.ground = gone
    relay.fold()
    assert (relay.state.exists, relay.state.properties) == (False, {})
    relay.ground = replace(gone, number=9, label="Back", deleted_at=None)
    relay.fold()
    assert (relay.state.exists, relay.state.label) == (True, "Back")
