"""What the expressions of a form refer to, as paths of the form; and whether they refer to themselves in a circle."""

from collections.abc import Iterator

from forms.compiled import CompiledForm, Rules
from forms.references import ancestor_paths
from forms.xpath.compiler import Expression
from forms.xpath.syntax import Path, Step, Syntax, list_parts

# The sheet's column in which a designer finds each kind of rule.
COLUMNS = {
    "relevant": "relevant",
    "required": "required",
    "readonly": "readonly",
    "constraint": "constraint",
    "calculate": "calculation",
    "itemset": "choice_filter",
    "repeat_count": "repeat_count",
}


def list_rules(rules: Rules) -> Iterator[tuple[str, Expression]]:
    """The compiled expressions of a node, each with its kind."""
    for kind in ("relevant", "required", "readonly", "constraint", "calculate", "itemset"):
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
            base = _above(base) if step.axis == "parent" else _below(base, step, context)
        for predicate in step.predicates:
            # Inside a list, names are columns; only what starts elsewhere refers to the form.
            yield from _referred(predicate, base if base is not None else "*", origin)
    if base and "*" not in base:
        yield base


ABOVE_THE_FORM = "/.."


def _above(base: str) -> str:
    return base.rpartition("/")[0] if base and not base.endswith(ABOVE_THE_FORM) else base + ABOVE_THE_FORM


def _below(base: str, step: Step, context: str) -> str:
    name = step.name.rpartition(":")[2]
    if name == "*" and context.startswith(f"{base}/"):
        # In JavaRosa a “*” beside the context takes the context's own name.
        name = context.removeprefix(f"{base}/").partition("/")[0]
    return f"{base}/{'@' if step.axis == 'attribute' else ''}{name}"


def find_cycles(form: CompiledForm) -> list[list[str]]:
    """The circles of rules, each as the paths around it. JavaRosa refuses such a form.

    Constraints are in none: they are tested when everything has been computed. A rule that reads its own node is one.
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
    found: set[str] = set()
    for rule in (rules.calculate, rules.required, rules.readonly):
        found |= referred_paths(rule.syntax, path) if rule is not None else set()
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
