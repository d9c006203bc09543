"""What the expressions of a form refer to, as paths of the form; and whether they refer to themselves in a circle."""

from collections.abc import Iterator

from forms.compiled import CompiledForm, Rules
from forms.references import ancestor_paths
from forms.xpath.compiler import Expression
from forms.xpath.syntax import Path, Syntax, list_parts

# The sheet's column in which a designer finds each kind of rule.
COLUMNS = {
    "relevant": "relevant",
    "required": "required",
    "constraint": "constraint",
    "calculate": "calculation",
    "itemset": "choice_filter",
    "repeat_count": "repeat_count",
}


def list_rules(rules: Rules) -> Iterator[tuple[str, Expression]]:
    """The compiled expressions of a node, each with its kind."""
    for kind in ("relevant", "required", "constraint", "calculate", "itemset"):
        expression: Expression | None = getattr(rules, kind)
        if expression is not None:
            yield kind, expression


def referred_paths(syntax: Syntax, context: str) -> set[str]:
    """The paths of the form that an expression at a node names, those in predicates and arguments included."""
    return set(_referred(syntax, context, context))


def _referred(syntax: Syntax, context: str, origin: str) -> Iterator[str]:
    if not isinstance(syntax, Path):
        for part in list_parts(syntax):
            yield from _referred(part, context, origin)
        return
    base = {"root": "", "instance": None, "current": origin, "context": context}[syntax.start]
    for step in syntax.steps:
        if base is not None:
            base = base.rpartition("/")[0] if step.axis == "parent" else _below(base, step.axis, step.name)
        for predicate in step.predicates:
            # Inside a list, names are columns; only what starts elsewhere refers to the form.
            yield from _referred(predicate, base if base is not None else "*", origin)
    if base and "*" not in base:
        yield base


def _below(base: str, axis: str, name: str) -> str:
    return f"{base}/{'@' if axis == 'attribute' else ''}{name.rpartition(':')[2]}"


def find_cycles(form: CompiledForm) -> list[list[str]]:
    """The circles of calculations and relevance rules, each as the paths around it. JavaRosa refuses such a form.

    A calculation that reads its own earlier value is none: that is how once() and running sums are written.
    """
    wanted = {path: sorted(_depends_on(form, path)) for path in form.rules}
    cycles: list[list[str]] = []
    done: set[str] = set()
    for start in wanted:
        if start not in done:
            _search(start, wanted, done, cycles)
    return cycles


def _depends_on(form: CompiledForm, path: str) -> set[str]:
    rules = form.rules[path]
    found = referred_paths(rules.calculate.syntax, path) - {path} if rules.calculate else set()
    for holder in (path, *ancestor_paths(path)):
        above = form.rules.get(holder)
        if above is not None and above.relevant is not None:
            found |= referred_paths(above.relevant.syntax, holder)
    return found & form.rules.keys()


def _search(start: str, wanted: dict[str, list[str]], done: set[str], cycles: list[list[str]]) -> None:
    """Depth-first without recursion: forms chain hundreds of questions."""
    way: list[str] = [start]
    pending = [iter(wanted[start])]
    while pending:
        following = next(pending[-1], None)
        if following is None:
            pending.pop()
            done.add(way.pop())
        elif following in way:
            cycles.append(way[way.index(following) :])
        elif following not in done:
            way.append(following)
            pending.append(iter(wanted[following]))
