"""Lists as the engine walks them: rows become nodes one by one, when an expression reaches them.

lists.py keeps the rows alone of a list with rows named item, as nearly all are. Others are walked as they stand.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forms.definition import FormDefinition, SecondaryInstance
from forms.lists import Branch, ListRows, Lists
from forms.node import PLAIN, ROW, Node
from forms.xpath.environment import Doubt
from forms.xpath.errors import CannotVerify

# Trees of lists that several records use; the rows are kept with them, so that their identity stays theirs.
MOST_TREES = 32
_trees: OrderedDict[int, tuple[ListRows, Node]] = OrderedDict()


class Row(Node):
    """One row; its cells become nodes when they are asked for."""

    __slots__ = ("cells",)

    def __init__(self, cells: Mapping[str, str], parent: Node, index: int) -> None:
        super().__init__("item", ROW, "", parent, index)
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
    document.named = {root.name: [root]}
    document.relevant = root.relevant = True
    root.parent = document
    root.indexes = {}
    root.named = {"item": [Row(cells, root, index) for index, cells in enumerate(rows)]}
    return document


def build_tree(root: Branch) -> Node:
    """The document of a list that is more than rows and columns."""
    document = Node("", PLAIN, "", None)
    document.relevant = True
    document.named = {root.name: [_grow(root, document, 0)]}
    return document


def _grow(branch: Branch, parent: Node, index: int) -> Node:
    node = Node(branch.name, PLAIN, branch.text, parent, index)
    node.relevant = True
    node.attributes = {name: _cell(name, text, node) for name, text in branch.attributes}
    node.named = {}
    for below in branch.below:
        siblings = node.named.setdefault(below.name, [])
        siblings.append(_grow(below, node, len(siblings)))
    return node


def build_inline(instance: SecondaryInstance) -> Node:
    """The document of a list that stands in the form itself."""
    return build_list(instance.items) if instance.tree is None else build_tree(instance.tree)


def is_column(reference: str) -> bool:
    """Whether a reference names something directly in the row, as nearly all do."""
    return reference != "." and not reference.startswith("@") and "/" not in reference


def cell_text(row: Node, reference: str) -> str:
    """The text that a reference names in a row: a column's, one from deeper or from an attribute, or the row's own."""
    if row.shape is ROW:
        return row.child_text(reference)
    found: Node | None = row
    for step in reference.split("/"):
        if found is None or step == ".":
            continue
        below = found.named.get(step)
        found = found.attributes.get(step.removeprefix("@")) if step.startswith("@") else below[0] if below else None
    return found.text if found is not None else ""


def tree_of(held: ListRows) -> Node:
    """The document of a held list: made once for as long as the same rows are held."""
    known = _trees.get(id(held))
    if known is None or known[0] is not held:
        document = build_list(held.rows) if held.tree is None else build_tree(held.tree)
        known = _trees[id(held)] = (held, document)
        while len(_trees) > MOST_TREES:
            _trees.popitem(last=False)
    return known[1]


@dataclass(slots=True)
class ListTrees:
    """The lists of one form while a record is judged. `doubt` notes each list read that may have changed since."""

    definition: FormDefinition
    inline: Mapping[str, Node]
    lists: Lists
    doubt: Doubt = field(default_factory=Doubt)
    ever_uncertain: str | None = None
    _held: dict[str, ListRows] = field(default_factory=dict)

    def find(self, name: str) -> Node:
        """The document of an instance, or of a file that pulldata() names; CannotVerify if it is not at hand."""
        return self.inline[name] if name in self.inline else tree_of(self._find_held(name))

    def values_of(self, name: str, column: str) -> frozenset[str] | None:
        """Everything that stands in a column of a list beside the form; None where it has no columns."""
        held = self._find_held(name)
        return held.values_of(column) if held.tree is None else None

    def _find_held(self, name: str) -> ListRows:
        if name not in self._held:
            self._held[name] = self._look_up(name)
        held = self._held[name]
        if not held.certain:
            self.doubt.list_name = self.ever_uncertain = held.name
        return held

    def _look_up(self, name: str) -> ListRows:
        instance = next((one for one in self.definition.instances if one.id == name), None)
        filename = instance.filename if instance else (name if "." in name else f"{name}.csv")
        held = self.lists.find_list(filename) if filename else None
        if held is None:
            raise CannotVerify("list_not_held", list=filename or name)
        return held
