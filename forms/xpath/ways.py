"""Ways: paths that lead from any node of a shape to exactly one other, worked out once and then walked.

Nearly all paths in forms are of this kind. What may find several nodes, or none, is paths.py's.
"""

from forms.node import Node, Shape
from forms.xpath.syntax import Path

# How many levels to climb, and the names to follow from there.
Way = tuple[int, tuple[str, ...]]


class Ways(dict[Shape, Way | None]):
    """The way of one path from each shape at which it has been asked; None where there is no sure one."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.climbs = sum(step.axis == "parent" for step in path.steps)
        self.names = tuple(step.name for step in path.steps[self.climbs :])
        below = path.steps[self.climbs :]
        self.plain = path.start != "instance" and all(one.axis == "child" and not one.predicates for one in below)

    def __missing__(self, shape: Shape) -> Way | None:
        way = self[shape] = self._find(shape) if self.plain and shape.path else None
        return way

    def _find(self, shape: Shape) -> Way | None:
        climbs = self.climbs if self.path.start != "root" else self._levels_to_leave(shape)
        start = climbed(shape, climbs)
        if start is None:
            return None
        names = self.names if self.path.start != "root" else self.names[start.path.count("/") :]
        return (climbs, names) if _leads_to_one(start, names) else None

    def _levels_to_leave(self, shape: Shape) -> int:
        """As far as the names agree an absolute path means the context's own ancestors, indexes and all."""
        above = shape.path.split("/")[1:]
        same = 0
        while same < min(len(above), len(self.names)) and above[same] == self.names[same]:
            same += 1
        return len(above) - same


def climbed(shape: Shape, levels: int) -> Shape | None:
    """The shape so many levels above; None beyond the root."""
    found: Shape | None = shape
    for _ in range(levels):
        found = found.above if found is not None else None
    return found


def _leads_to_one(start: Shape, names: tuple[str, ...]) -> bool:
    shape: Shape | None = start
    for name in names:
        shape = shape.children.get(name) if shape is not None else None
        if shape is None or shape.repeats:
            return False
    return True


def walk(node: Node, way: Way) -> Node | None:
    """The node at the end of a way; None beside the record, where nodes stand alone."""
    climbs, names = way
    while climbs:
        node = node.parent  # type: ignore[assignment]
        climbs -= 1
    try:
        for name in names:
            node = node.named[name][0]
    except KeyError:
        return None
    return node
