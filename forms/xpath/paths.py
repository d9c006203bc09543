"""Paths: from the context node, the root, current() or a list to nodes, with JavaRosa's contextualisation.

JavaRosa reads an absolute path inside a repeat as one about *this* instance: as long as the names of the path and of
the context agree, the context's indexes are taken over (TreeReference.contextualize). Non-relevant nodes drop out.
"""

from collections.abc import Callable
from dataclasses import dataclass

from forms.node import ROW, Node
from forms.xpath.environment import Environment, Evaluate, Raw, is_relevant, value_of
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.part import Part, Scope
from forms.xpath.syntax import Call, Chain, Negative, Path, Step, Syntax, list_parts
from forms.xpath.values import Value
from forms.xpath.ways import Ways, walk

Nodes = Callable[[Node, Environment], list[Node]]
# Of a list: its rows by name and column, and by what stands there.
Indexes = dict[tuple[str, str], dict[str, list[Node]]]


@dataclass(frozen=True, slots=True)
class Key:
    """[column = something that does not depend on the row], alone or as one of several conditions."""

    column: str
    wanted: Evaluate
    alone: bool


@dataclass(frozen=True, slots=True)
class CompiledStep:
    name: str
    attribute: bool
    predicates: tuple[Raw, ...]
    key: "Key | None"


def compile_path(path: Path, scope: Scope) -> Part:
    """A part that finds the nodes of a path, or the value where exactly one is asked for."""
    if path.start == "instance" and scope.form.definition is not None and path.instance not in scope.form.instances:
        raise XPathRefused("xpath_unknown_list", list=path.instance)
    slot = _fixed_slot(path, scope)
    if slot is not None:
        return _fixed_part(path, slot)
    parents = [step.axis for step in path.steps].count("parent")
    steps = [_compile_step(step, scope) for step in path.steps[parents:]]
    if not steps and path.start in ("context", "current"):
        return _near_part(path, parents)
    part = _general_part(path, _nodes_finder(path, parents, steps))
    if path.start == "instance":
        return part
    return _column_part(part, steps[0].name) if _is_child_name(path) else _walked_part(part, path)


def _compile_step(step: Step, scope: Scope) -> CompiledStep:
    compiled = tuple(scope.compile(predicate).raw for predicate in step.predicates)
    key = _key_predicate(step.predicates[0], scope) if step.predicates else None
    return CompiledStep(step.name, step.axis == "attribute", compiled, key)


def _fixed_slot(path: Path, scope: Scope) -> int | None:
    """The slot of a path whose one node is the same wherever the expression stands: no repeat on the way."""
    if path.start != "root" or any(step.predicates or step.axis != "child" for step in path.steps):
        return None
    return scope.form.slots.get("/" + "/".join([step.name for step in path.steps]))


def _fixed_part(path: Path, slot: int) -> Part:
    def value(_node: Node, environment: Environment) -> Value:
        node = environment.slots[slot]
        if node is None:
            return ""
        found = node.cached
        return value_of(node, environment) if found is None else found

    def nodes(_node: Node, environment: Environment) -> list[Node]:
        node = environment.slots[slot]
        return [node] if node is not None and is_relevant(node, environment) else []

    return Part(path, value, nodes, slot=slot)


def _near_part(path: Path, parents: int) -> Part:
    """The context node itself or one of its ancestors."""
    current = path.start == "current"

    def find(node: Node, environment: Environment) -> Node:
        return _climb(environment.original or node if current else node, parents)

    def nodes(node: Node, environment: Environment) -> list[Node]:
        found = find(node, environment)
        return [found] if is_relevant(found, environment) else []

    if not parents and not current:
        return Part(path, value_of, nodes)
    return Part(path, lambda node, environment: value_of(find(node, environment), environment), nodes)


def _general_part(path: Path, find: Nodes) -> Part:
    def nodes(node: Node, environment: Environment) -> list[Node]:
        found = find(node, environment)
        return [one for one in found if one.relevant is True or is_relevant(one, environment)]

    def value(node: Node, environment: Environment) -> Value:
        return unpack(nodes(node, environment), environment)

    return Part(path, value, nodes)


def _walked_part(general: Part, path: Path) -> Part:
    """A part that walks where there is a sure way, and searches elsewhere."""
    ways, current = Ways(path), path.start == "current"

    def find(node: Node, environment: Environment) -> Node | None:
        context = environment.original or node if current else node
        way = ways[context.shape]
        return None if way is None else walk(context, way)

    def value(node: Node, environment: Environment) -> Value:
        found = find(node, environment)
        if found is None:
            return general.value(node, environment)
        known = found.cached
        return value_of(found, environment) if known is None else known

    def nodes(node: Node, environment: Environment) -> Value | list[Node]:
        found = find(node, environment)
        if found is None:
            return general.raw(node, environment)
        return [found] if is_relevant(found, environment) else []

    return Part(path, value, nodes)


def _column_part(general: Part, name: str) -> Part:
    """A part for a name alone: nearly always a column, asked for at each row of a list."""

    def value(node: Node, environment: Environment) -> Value:
        return node.child_text(name) if node.shape is ROW else general.value(node, environment)

    return Part(general.syntax, value, general.raw)


def unpack(found: list[Node], environment: Environment) -> Value:
    """The value of at most one node: JavaRosa knows no comparison of several (XPathNodeset.unpack)."""
    if len(found) > 1:
        raise CannotVerify("cannot_compare_repeated")
    return value_of(found[0], environment) if found else ""


def unpack_raw(found: Value | list[Node], environment: Environment) -> Value:
    """One value out of what a part gives raw."""
    return unpack(found, environment) if isinstance(found, list) else found


def _climb(node: Node, parents: int) -> Node:
    for _ in range(parents):
        if node.parent is None:
            raise CannotVerify("cannot_leave_form")
        node = node.parent
    return node


def _nodes_finder(path: Path, parents: int, steps: list[CompiledStep]) -> Nodes:
    if path.start in ("context", "current"):
        return _relative_finder(path.start == "current", parents, steps)
    instance = path.instance if path.start == "instance" else None

    def find(node: Node, environment: Environment) -> list[Node]:
        document = environment.document if instance is None else environment.find_list(instance)
        names, pins = contextualize(node, steps)
        # JavaRosa starts at the root element and does not look at its name.
        return expand(document.children(), steps[1:], names[1:], pins[1:], environment)

    return find


def _relative_finder(current: bool, parents: int, steps: list[CompiledStep]) -> Nodes:
    names = [step.name for step in steps]
    unpinned: list[int | None] = [None] * len(steps)
    wild = "*" in names

    def find(node: Node, environment: Environment) -> list[Node]:
        context = environment.original or node if current else node
        start = _climb(context, parents)
        own_names = _tame_wildcards(context, start, names) if wild else names
        return expand([start], steps, own_names, unpinned, environment)

    return find


def contextualize(context: Node, steps: list[CompiledStep]) -> tuple[list[str], list[int | None]]:
    """The names and indexes that an absolute path takes over from the context, as far as their names agree."""
    names = [step.name for step in steps]
    pins: list[int | None] = [None] * len(steps)
    for level, (step, above) in enumerate(zip(steps, context.chain(), strict=False)):
        if step.attribute:
            break
        if step.name == "*":
            names[level] = above.name
        if names[level] != above.name:
            break
        if not step.predicates:
            pins[level] = above.index
    return names, pins


def _tame_wildcards(context: Node, start: Node, names: list[str]) -> list[str]:
    """In JavaRosa a “*” beside the context takes the context's own name."""
    names = list(names)
    for level, above in enumerate(context.chain()[len(start.chain()) :]):
        if level >= len(names) or names[level] not in ("*", above.name):
            break
        names[level] = above.name
    return names


def expand(
    found: list[Node],
    steps: list[CompiledStep],
    names: list[str],
    pins: list[int | None],
    environment: Environment,
) -> list[Node]:
    """All nodes that the steps reach, in document order."""
    for step, name, pin in zip(steps, names, pins, strict=True):
        reached: list[Node] = []
        for node in found:
            reached += _take_step(node, step, name, pin, environment)
        found = reached
        # A node that is only reached costs half of one that a predicate is asked about.
        environment.spend(len(found) // 2)
    return found


def _take_step(node: Node, step: CompiledStep, name: str, pin: int | None, environment: Environment) -> list[Node]:
    if step.attribute:
        attribute = node.attributes.get(name)
        children = [attribute] if attribute is not None else []
    else:
        children = _children(node, name)
    if pin is not None:
        return children[pin : pin + 1]
    return _filtered(node, children, step, environment) if step.predicates else children


def _children(node: Node, name: str) -> list[Node]:
    if name != "*":
        return node.named.get(name, [])
    if len(node.named) > 1:
        # JavaRosa checks that the indexes of what it found count up, and fails on children of several names.
        raise CannotVerify("cannot_use_function", name="*")
    return node.children()


def _filtered(parent: Node, children: list[Node], step: CompiledStep, environment: Environment) -> list[Node]:
    predicates, key, indexes = step.predicates, step.key, parent.indexes
    if key is not None and children and indexes is not None:
        wanted = key.wanted(children[0], environment)
        if isinstance(wanted, str):
            children = _find_by_key(indexes, (step.name, key.column), children).get(wanted, [])
            predicates = predicates[1:] if key.alone else predicates
    for predicate in predicates:
        children = _passing(predicate, children, environment)
    return children


def _passing(predicate: Raw, children: list[Node], environment: Environment) -> list[Node]:
    """Those for which the predicate is true. A number is no position for JavaRosa: it selects nothing."""
    environment.spend(len(children))
    saved = environment.position
    passing = []
    try:
        for position, child in enumerate(children):
            environment.position = position
            if predicate(child, environment) is True:
                passing.append(child)
    finally:
        environment.position = saved
    return passing


def _key_predicate(predicate: Syntax, scope: Scope) -> Key | None:
    """name = X, or X = name, where X is the same for every row: then a list can be looked up by an index."""
    if not isinstance(predicate, Chain) or _asks_position(predicate):
        return None
    if predicate.operators[0] == "and":
        keys = (_key_predicate(operand, scope) for operand in predicate.operands)
        return next((Key(key.column, key.wanted, False) for key in keys if key is not None), None)
    if predicate.operators != ("=",):
        return None
    left, right = predicate.operands
    for one, other in ((left, right), (right, left)):
        if _is_child_name(one) and _is_independent(other):
            return Key(one.steps[0].name, scope.compile(other).value, True)  # type: ignore[union-attr]
    return None


def _asks_position(syntax: Syntax) -> bool:
    return (isinstance(syntax, Call) and syntax.name == "position") or any(map(_asks_position, list_parts(syntax)))


def _is_child_name(syntax: Syntax) -> bool:
    return (
        isinstance(syntax, Path)
        and syntax.start == "context"
        and [(step.axis, step.predicates) for step in syntax.steps] == [("child", ())]
        and syntax.steps[0].name != "*"
    )


def _is_independent(syntax: Syntax) -> bool:
    """Whether an expression can be evaluated outside the predicate: no context, no position, no chance."""
    if isinstance(syntax, Path):
        return syntax.start in ("root", "current") and not list_parts(syntax)
    if isinstance(syntax, Call):
        return syntax.name in ("string", "concat", "coalesce") and all(map(_is_independent, syntax.arguments))
    return not isinstance(syntax, Negative | Chain)


def _find_by_key(indexes: Indexes, key: tuple[str, str], rows: list[Node]) -> dict[str, list[Node]]:
    """The rows by the text of a column. Lists do not change, so the index is made once and kept."""
    index = indexes.get(key)
    if index is None:
        index = indexes[key] = _index_rows(rows, key[1])
    return index


def _index_rows(rows: list[Node], name: str) -> dict[str, list[Node]]:
    index: dict[str, list[Node]] = {}
    for row in rows:
        index.setdefault(row.child_text(name), []).append(row)
    return index
