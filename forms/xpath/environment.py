"""What an evaluation may know beside the expression: the record's nodes, its day and zone, the lists, the language.

One Environment serves one record; it also remembers how much work the record may still cost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from forms.node import BUSY, Node
from forms.xpath.errors import CannotVerify
from forms.xpath.moments import Moment
from forms.xpath.values import Value

Evaluate = Callable[[Node, "Environment"], Value]
Raw = Callable[[Node, "Environment"], Value | list[Node]]
Test = Callable[[Node, "Environment"], bool]

# A record may name some thousand answers in a predicate for each of some thousand repeats, not more.
FUEL = 3_000_000
PATTERN_SECONDS = 0.25


def no_other_times(_by_day: bool) -> tuple[Moment, ...]:
    """Where the time is known for sure, or not at all."""
    return ()


def no_list(instance_id: str) -> Node:
    """The answer where no lists are at hand."""
    raise CannotVerify("cannot_find_list", list=instance_id)


@dataclass(slots=True)
class Doubt:
    """Notes while something is evaluated that a list was read which may have been another on the tablet."""

    list_name: str | None = None


@dataclass(slots=True)
class Environment:
    """`now` is the record's own time on its own clock, `offset_ms` its zone; None where they are not known.

    `other_times` are those at which the record may have been filled as well: a day around, or minutes around.
    """

    document: Node
    slots: list[Node | None] = field(default_factory=list)
    now: Moment | None = None
    offset_ms: int = 0
    find_list: Callable[[str], Node] = no_list
    doubt: Doubt = field(default_factory=Doubt)
    other_times: Callable[[bool], tuple[Moment, ...]] = no_other_times
    language: str = "en"
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    original: Node | None = None
    position: int = -1
    fuel: int = FUEL
    pattern_seconds: float = PATTERN_SECONDS

    def evaluate_raw(self, evaluate: Raw, node: Node) -> Value | list[Node]:
        """What a whole expression that stands at a node gives: current() is that node."""
        saved = self.original, self.position
        self.original, self.position = node, -1
        try:
            return evaluate(node, self)
        except RecursionError:
            raise CannotVerify("cannot_finish") from None
        finally:
            self.original, self.position = saved

    def spend(self, amount: int) -> None:
        """Take work from what one record may cost, so that no record can hold a worker."""
        self.fuel -= amount
        if self.fuel < 0:
            raise CannotVerify("cannot_finish")

    def now_or_raise(self) -> Moment:
        if self.now is None:
            raise CannotVerify("cannot_know_now")
        return self.now


def is_relevant(node: Node, environment: Environment) -> bool:
    """Whether a node and all above it are relevant; asked once for each node and kept there.

    Raises CannotVerify, each time, where a rule above or at the node has no certain verdict.
    """
    state = node.relevant
    if state is None:
        return _decide_relevance(node, environment)
    if isinstance(state, bool):
        return state
    raise state if isinstance(state, CannotVerify) else CannotVerify("cannot_settle_cycle")


def _decide_relevance(node: Node, environment: Environment) -> bool:
    node.relevant = BUSY
    try:
        parent, rule = node.parent, node.shape.relevant
        above = parent is None or parent.relevant is True or is_relevant(parent, environment)
        verdict = above and (rule is None or rule(node, environment))
    except RecursionError:
        node.relevant = CannotVerify("cannot_finish")
        raise node.relevant from None
    except CannotVerify as error:
        # The traceback would keep the whole record alive in the node that keeps the error.
        node.relevant = error.with_traceback(None)
        raise
    node.relevant = verdict
    return verdict


def value_of(node: Node, environment: Environment) -> Value:
    """A node's typed value; "" while it is not relevant."""
    # Only a relevant node's value is kept.
    value = node.cached
    if value is None:
        if node.relevant is not True and not is_relevant(node, environment):
            return ""
        shape = node.shape
        compute = shape.compute
        value = node.cached = shape.read(node.text, environment) if compute is None else compute(node, environment)
    return value
