"""What does not hold of a history, told as a readable story."""

import random

from tests.sync.histories.life import Life
from tests.sync.histories.plans import Step, draw_plan
from tests.sync.histories.server import Server


def replay(life: Life, seed: int) -> Server:
    """A fresh server with the journal: the facts in any order, some of them twice, with pauses."""
    draw = random.Random(seed)
    facts = [*life.facts, *draw.sample(life.facts, len(life.facts) // 3)]
    draw.shuffle(facts)
    server = Server(life.server.issued)
    for fact in facts:
        server.take(fact)
        if draw.random() < 0.5:
            server.process()
    server.process()
    return server


def find_fault(plan: list[Step], seed: int) -> str | None:
    """What does not hold of the history that the plan makes; None where all does."""
    life = Life().live(plan)
    for number in (seed, seed + 1):
        again = replay(life, number)
        if again.lines() != life.server.lines():
            return f"another order says\n{_show(again)}\ninstead of\n{_show(life.server)}"
        for name, numbers in life.server.issued.items():
            if again.issued.get(name, [])[: len(numbers)] != numbers:
                return f"a number of {name[-2:]} changed its meaning"
    return _find_stale_row(life)


def _find_stale_row(life: Life) -> str | None:
    served = life.server.served()
    for tablet in life.tablets:
        for name, row in tablet.rows.items():
            state = served.get(name) if name not in tablet.lost else None
            if state is not None and (row.version, row.values) != (state.version, state.properties):
                return f"tablet {tablet.name} keeps {name[-2:]} at {row.version}, served at {state.version}"
        if missing := set(served) - set(tablet.rows):
            return f"tablet {tablet.name} has none of {missing}"
    return None


def _show(server: Server) -> str:
    waiting = [f"{fact.record} about {entity[-2:]}" for entity, fact in server.waiting()]
    return "\n".join([*server.lines(), f"waiting: {waiting}"])


def shorten(plan: list[Step], seed: int) -> list[Step]:
    """The shortest plan that still fails, leaving out one step after the other."""
    place = 0
    while place < len(plan):
        shorter = plan[:place] + plan[place + 1 :]
        if find_fault(shorter, seed):
            plan = shorter
        else:
            place += 1
    return plan


def tell_fault(seed: int) -> str | None:
    """A failing history as a readable story; None where all holds."""
    plan = draw_plan(seed)
    if find_fault(plan, seed) is None:
        return None
    short = shorten(plan, seed)
    short = shorten(short, seed)
    story = "\n".join(Life().live(short).story)
    return f"history {seed}\n{story}\n=> {find_fault(short, seed)}\nplan: {short}"
