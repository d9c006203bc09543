"""Lists as the engine walks them: rows become nodes one by one, when an expression reaches them.

A form names the root and the rows of a list as it likes; lists.py keeps rows alone, so here every name finds them.
"""

from collections.abc import Mapping, Sequence

from forms.node import PLAIN, Node


class AnyName(dict[str, list[Node]]):
    """The children of a list's root: the rows, whatever the path calls them."""

    def __init__(self, children: list[Node]) -> None:
        super().__init__({"item": children})
        self.rows = children

    def get(self, _name: str, _default: object = None) -> list[Node]:
        return self.rows


class Row(Node):
    """One row; its cells become nodes when they are asked for."""

    __slots__ = ("cells",)

    def __init__(self, cells: Mapping[str, str], parent: Node, index: int) -> None:
        super().__init__("item", PLAIN, "", parent, index)
        self.cells = cells
        self.relevant = True
        del self.named

    def __getattr__(self, name: str) -> dict[str, list[Node]]:
        if name != "named":
            raise AttributeError(name)
        self.named = {column: [_cell(column, text, self)] for column, text in self.cells.items()}
        return self.named

    def child_text(self, name: str) -> str:
        return self.cells.get(name, "")


def _cell(name: str, text: str, row: Node) -> Node:
    cell = Node(name, PLAIN, text, row)
    cell.relevant = True
    return cell


def build_list(rows: Sequence[Mapping[str, str]]) -> Node:
    """The document of a list: one root, one node a row."""
    document, root = Node("", PLAIN, "", None), Node("root", PLAIN, "", None)
    document.named = AnyName([root])
    document.relevant = root.relevant = True
    root.parent = document
    root.indexes = {}
    root.named = AnyName([Row(cells, root, index) for index, cells in enumerate(rows)])
    return document
