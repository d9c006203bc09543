"""A record as the engine sees it: small linked nodes whose values are read by their bind's type, when asked for.

shapes.py knows which nodes a form has and builds them from XML; relevance is decided in xpath/environment.py.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

from forms.xpath.errors import CannotVerify
from forms.xpath.values import Value

if TYPE_CHECKING:
    from forms.xpath.environment import Environment

Read = Callable[[str, "Environment"], Value]
# True and False are verdicts; None is not yet asked, BUSY is being asked, an error says why there is none.
Relevance = bool | None | str | CannotVerify
BUSY = "busy"


# Nobody types more on a tablet; every rule of a long record may go through such a text again.
LONGEST_TEXT = 20_000


def read_text(text: str, _environment: "Environment") -> Value:
    """The reading of a node without a type: its text. CannotVerify for one that is too long to be gone through."""
    if len(text) > LONGEST_TEXT:
        raise CannotVerify("answer_too_long", limit=LONGEST_TEXT)
    return text


class Shape:
    """What a form says about a node: how its text is read and when it counts. Shared by all nodes of one path."""

    __slots__ = ("above", "children", "compute", "path", "read", "relevant", "repeats", "rules")

    def __init__(self, read: Read = read_text) -> None:
        self.read = read
        self.path = ""
        self.relevant: Callable[[Node, Environment], bool] | None = None
        # How the value of a calculated node is found, where it is not simply read.
        self.compute: Callable[[Node, Environment], Value] | None = None
        self.above: Shape | None = None
        self.children: dict[str, Any] = {}
        self.repeats = False
        # What compiled.py knows about the node, for judgement.py; None where nothing is to be judged.
        self.rules: Any = None

    def step(self, name: str, _index: int) -> str:
        """How a node of this shape is written in a path."""
        return f"/{name}"


# What stands in lists has no type and is always relevant.
PLAIN = Shape()
ROW = Shape()
NO_CHILDREN: dict[str, list["Node"]] = {}
NO_ATTRIBUTES: dict[str, "Node"] = {}


class Node:
    """One element or attribute. `index` counts from 0 among siblings of the same name."""

    __slots__ = ("attributes", "cached", "index", "indexes", "name", "named", "parent", "relevant", "shape", "text")

    def __init__(self, name: str, shape: Shape, text: str, parent: Optional["Node"], index: int = 0) -> None:
        self.name = name
        self.shape = shape
        self.text = text
        self.parent = parent
        self.index = index
        self.named = NO_CHILDREN
        self.attributes = NO_ATTRIBUTES
        self.relevant: Relevance = None
        self.cached: Value | None = None
        self.indexes: dict[tuple[str, str], dict[str, list[Node]]] | None = None

    def children(self) -> list["Node"]:
        return [child for siblings in self.named.values() for child in siblings]

    def child_text(self, name: str) -> str:
        """The text of the first child of a name, "" without one."""
        found = self.named.get(name)
        return found[0].text if found else ""

    def chain(self) -> list["Node"]:
        """The nodes from the root element down to this one, the document left out."""
        chain: list[Node] = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            chain.append(node)
            node = node.parent
        chain.reverse()
        return chain

    def path(self) -> str:
        """Where the node stands, with its index at every repeat."""
        return "".join(node.shape.step(node.name, node.index) for node in self.chain())
