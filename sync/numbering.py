"""Version numbers of entities when several servers serve them: a number means the same wherever it is read. Pure.

The centre counts 1, 2, 3. A relay has a slot of its own among numbers that the centre leaves it, and everybody serves
more than the highest that they heard of: so what a number contains was always served under lower ones.
"""

FIRST_SHARED = 1_000_000
SLOTS = 1000
# No server gets so far. One broken line would else use up the numbers that columns can hold.
MOST_SERVED = 1_000_000_000


def slot_of(number: int) -> int:
    """Whose number it is: 0 is the centre, or a server on its own."""
    return 0 if number < FIRST_SHARED else number % SLOTS


def next_number(least: int, slot: int) -> int:
    """The lowest number of this slot that is not below `least`."""
    if slot == 0 and least < FIRST_SHARED:
        return least
    first = max(least, FIRST_SHARED)
    return first + (slot - first) % SLOTS
