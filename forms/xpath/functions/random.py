"""Chance: random and uuid, which cannot be computed again, and randomize, which can when it has a seed."""

import hashlib

from forms.node import Node
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify
from forms.xpath.functions.nodesets import nodes_of
from forms.xpath.part import Part, Scope, builder, function
from forms.xpath.paths import unpack
from forms.xpath.syntax import Syntax
from forms.xpath.values import LONG_MAX, LONG_MIN, Value, must_be_text, saturated, to_number

# The Park-Miller generator: its modulus and multiplier.
MODULUS = 2_147_483_647
MULTIPLIER = 16_807


@function("random", least=0, kind="number", pure=False)
def random() -> Value:
    """Chance cannot be computed again."""
    raise CannotVerify("cannot_replay")


@function("uuid", least=0, most=1, kind="text", pure=False)
def uuid(_length: Value = 0.0) -> Value:
    """Chance cannot be computed again."""
    raise CannotVerify("cannot_replay")


@builder("randomize", counts=lambda count: count in (1, 2))
def randomize(syntax: Syntax, parts: list[Part], scope: Scope) -> Part:
    """The nodes in an order that the seed decides; without one their order is the tablet's secret."""
    nodes = nodes_of(parts[0], "randomize")
    seed = parts[1].value if len(parts) == 2 else None
    if seed is None:
        scope.uses.add("randomize without a seed")

    def raw(node: Node, environment: Environment) -> Value | list[Node]:
        found = nodes(node, environment)
        return found if seed is None else shuffle(found, seed_of(seed(node, environment)))

    def value(node: Node, environment: Environment) -> Value:
        return unpack(nodes(node, environment), environment)

    return Part(syntax, value, raw)


def seed_of(value: Value) -> int:
    """The number itself, or for text the first eight bytes of its SHA-256 (JavaRosa issue 800)."""
    number = to_number(value)
    if number == number:
        return saturated(number, LONG_MIN, LONG_MAX)
    text = must_be_text(value)
    if not text:
        return 0
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def shuffle(items: list[Node], seed: int) -> list[Node]:
    """JavaRosa's inside-out Fisher-Yates with its Park-Miller numbers."""
    state = _first_state(seed)
    shuffled: list[Node] = []
    for position, item in enumerate(items):
        state = state * MULTIPLIER % MODULUS
        target = int((state - 1) / (MODULUS - 1) * (position + 1))
        shuffled.append(item)
        if target != position:
            shuffled[position], shuffled[target] = shuffled[target], item
    return shuffled


def _first_state(seed: int) -> int:
    # The remainder has the sign of the seed in Java, and the seed is a double there.
    whole = int(float(seed))
    state = abs(whole) % MODULUS * (1 if whole >= 0 else -1)
    return state if state > 0 else state + MODULUS - 1
