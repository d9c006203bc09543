"""Random XLSForms: questions of every type under random rules, in groups, repeats and cascades. Seeded and repeatable.

Rules are grown from a small grammar over what stands above them, most of them sensible, some of them traps: texts
compared with numbers, blanks, dates as texts. Nothing that two runs answer differently (random, uuid, now) is in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from forms.xlsform import read_form
from tests.oracle.corpus import Form

COLUMNS = (
    "type", "name", "label", "calculation", "constraint", "relevant", "required", "readonly", "choice_filter",
    "repeat_count", "default", "parameters",
)  # fmt: skip
TYPES = {
    "integer": "n", "decimal": "n", "range": "n", "text": "t", "barcode": "t", "date": "d", "dateTime": "d",
    "time": "c", "geopoint": "t", "acknowledge": "s",
    "select_one colour": "s", "select_one yes_no": "s", "select_multiple colour": "p", "rank colour": "p",
}  # fmt: skip
CHOICES = {
    "colour": ("red", "green", "blue", "10"),
    "yes_no": ("yes", "no"),
    "region": ("north", "south"),
    "town": ("rosso north", "podor north", "kolda south"),
}
GATES = "name,label,town,load\ng1,Gate 1,rosso,5\ng2,Gate 2,rosso,12.5\ng3,Gate 3,kolda,\n"
LITERALS = {
    "n": ("0", "1", "5", "-3", "2.5", "18", "100", "(1 div 3)", "2147483648", "''"),
    "t": ("''", "'a'", "'Awa'", "'12'", "'3,5'", "' x '", "'red'", "'2026-03-15'"),
    "d": ("date('2026-03-15')", "date('2020-02-29')", "today()", "date(20000)"),
    "p": ("'red blue'", "''", "'red'"),
    "c": ("''", "'08:30:00.000Z'"),
    "b": ("true()", "false()"),
}
# The argument kinds stand in braces: n number, t text, d date, b condition, p several choices, a any; r is a node-set.
SHAPES = {
    "n": (
        "{n} + {n}", "{n} - {n}", "{n} * {n}", "{n} div {n}", "{n} mod {n}", "int({n})", "round({n}, 1)",
        "round({n}, -1)", "number({t})", "string-length({t})", "count-selected({p})", "if({b}, {n}, {n})",
        "coalesce({n}, {n})", "abs({n})", "decimal-date-time({d})", "number(format-date({d}, '%Y'))", "sum({r})",
        "max({r})", "min({r})", "count({r})", "count-non-empty({r})", "pow({n}, 2)", "-({n})",
        "number(pulldata('gates', 'load', 'name', {t}))", "instance('gates')/root/item[name = {t}]/load",
        "count(instance('gates')/root/item[load > {n}])",
    ),
    "t": (
        "concat({t}, {n})", "substr({t}, 0, 2)", "if({b}, {t}, {t})", "coalesce({t}, {t})", "selected-at({p}, 0)",
        "join('-', {r})", "format-date({d}, '%d/%m/%Y')", "substring-before({t}, 'a')", "translate({t}, 'abc', 'AB')",
        "normalize-space({t})", "string({n})", "string({d})", "string({b})", "substring-after({t}, ' ')",
        "pulldata('gates', 'label', 'name', {t})", "instance('gates')/root/item[town = {t}]/label",
    ),
    "d": (
        "date({d})", "date(decimal-date-time({d}) + {n})", "if({b}, {d}, {d})", "{d} + 1", "date({t})",
    ),
    "p": ("{p}", "if({b}, {p}, {p})"),
    "c": ("{c}",),
    "b": (
        "{n} < {n}", "{n} >= {n}", "{n} = {n}", "{t} = {t}", "{t} != {t}", "{d} < {d}", "{d} >= {d}", "{b} and {b}",
        "{b} or {b}", "not({b})", "selected({p}, 'red')", "selected({p}, {t})", "regex({t}, '[A-Za-z ]+')",
        "contains({t}, 'a')", "regex({t}, '\\d{2,3}')", "starts-with({t}, 'A')", "boolean-from-string({t})",
        "string-length({t}) > 2", "{t} != ''", "{a} = {a}", "{a} < {a}", "{n} = ''", "'' >= {n}", "not({t})",
        "'05' = {n}", "{d} = {t}", "checklist(1, 2, {b}, {b})",
    ),
}  # fmt: skip
Rules = dict[str, str]


@dataclass(frozen=True)
class Known:
    """A question that later rules may name, and the repeats around it."""

    name: str
    kind: str
    repeats: tuple[str, ...]


@dataclass
class Grower:
    """One form while it grows."""

    random: Random
    rows: list[Rules] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    repeats: tuple[str, ...] = ()
    named: int = 0

    def name(self, kind: str) -> str:
        self.named += 1
        return f"{kind}{self.named}"

    def container(self, depth: int, size: int) -> None:
        """Questions in a row, and among them groups and repeats."""
        for _ in range(size):
            grow = self.random.choices([self.question, self.calculation, self.cascade, self.group, self.repeat],
                                       [10, 4, 1, 2, 2] if depth else [10, 4, 1, 0, 0])[0]  # fmt: skip
            grow(depth)

    def question(self, _depth: int) -> None:
        written = self.random.choice(list(TYPES))
        kind = TYPES[written]
        name = self.name(kind)
        rules = {"type": written, "name": name, "label": name.upper(), **self.asked(kind)}
        if written == "range":
            rules["parameters"] = "start=0 end=20 step=1"
        self.rows.append(rules)
        self.known.append(Known(name, kind, self.repeats))

    def asked(self, kind: str) -> Rules:
        """The rules of a question: each of them there or not."""
        makers: dict[str, tuple[float, Callable[[], str]]] = {
            "relevant": (0.3, lambda: self.expression("b")),
            "constraint": (0.35, lambda: self.constraint(kind)),
            "required": (0.3, lambda: self.random.choice(["yes", "yes", self.expression("b", 1)])),
            "readonly": (0.05, lambda: "yes"),
            "default": (
                0.08,
                lambda: self.random.choice({"n": ["7"], "t": ["Awa"], "d": ["2026-03-15"]}.get(kind, [""])),
            ),
        }
        return {column: make() for column, (chance, make) in makers.items() if self.random.random() < chance}

    def constraint(self, kind: str) -> str:
        limit = self.expression("b", 1)
        own = {"n": ". > {n}", "t": "string-length(.) < {n}", "d": ". <= {d}", "p": "not(selected(., 'red'))"}.get(
            kind, ". != ''"
        )
        own = self.fill(own, 1)
        return self.random.choice([own, f"{own} or {limit}", f"{own} and {limit}"])

    def calculation(self, _depth: int) -> None:
        kind = self.random.choice("nntttdb")
        name = self.name("calc")
        rules = {"type": "calculate", "name": name, "calculation": self.expression(kind)}
        if self.random.random() < 0.2:
            rules["relevant"] = self.expression("b", 1)
        self.rows.append(rules)
        self.known.append(Known(name, kind if kind != "b" else "a", self.repeats))

    def cascade(self, _depth: int) -> None:
        """A region, its towns, and the gates of a town, from the form and from a file."""
        region, town, gate = (self.name(one) for one in ("region", "town", "gate"))
        levels = [
            (region, "select_one region", ""),
            (town, "select_one town", f"region = ${{{region}}}"),
            (gate, "select_one_from_file gates.csv", f"town = ${{{town}}}"),
        ]
        for name, written, filtered in levels:
            self.rows.append({"type": written, "name": name, "label": name.upper(), "choice_filter": filtered})
            self.known.append(Known(name, "s", self.repeats))

    def group(self, depth: int) -> None:
        name = self.name("group")
        rules = self.container_rules()
        self.rows.append({"type": "begin_group", "name": name, "label": name.upper(), **rules})
        self.container(depth - 1, self.random.randint(1, 3))
        self.rows.append({"type": "end_group"})

    def repeat(self, depth: int) -> None:
        name = self.name("repeat")
        rules = self.container_rules()
        if self.random.random() < 0.2:
            rules["repeat_count"] = self.random.choice(["2", "3"])
        self.rows.append({"type": "begin_repeat", "name": name, "label": name.upper(), **rules})
        outside, self.repeats = self.repeats, (*self.repeats, name)
        self.container(depth - 1, self.random.randint(1, 3))
        self.repeats = outside
        self.rows.append({"type": "end_repeat"})

    def container_rules(self) -> Rules:
        # JavaRosa forgets a constant for the instances of a repeat inside, once the record is loaded again.
        relevant = self.expression("b", 1) if self.random.random() < 0.5 else ""
        return {"relevant": relevant} if "${" in relevant else {}

    def expression(self, kind: str, depth: int = 2) -> str:
        if kind == "a":
            kind = self.random.choice("ntd")
        if depth == 0 or self.random.random() < 0.25:
            return self.leaf(kind)
        return self.fill(self.random.choice(SHAPES[kind]), depth)

    def fill(self, shape: str, depth: int) -> str:
        """The shape with expressions in place of its braces."""
        for kind in "ntdbpcar":
            while f"{{{kind}}}" in shape:
                grown = self.leaf("r") if kind == "r" else self.expression(kind, depth - 1)
                bracketed = grown if " " not in grown or grown.endswith(")") or grown[0] == "'" else f"({grown})"
                shape = shape.replace(f"{{{kind}}}", bracketed, 1)
        return shape

    def leaf(self, kind: str) -> str:
        if kind == "r":
            return self.node_set()
        near = [
            one for one in self.known if one.repeats == self.repeats[: len(one.repeats)] and one.kind in (kind, "a")
        ]
        near += [one for one in self.known if kind == "t" and one.kind == "s" and not one.repeats]
        if near and self.random.random() < 0.75:
            return f"${{{self.random.choice(near).name}}}"
        return self.random.choice(LITERALS[kind])

    def node_set(self) -> str:
        """What is answered in a repeat that is over, or in a list."""
        inside = [one for one in self.known if one.repeats and one.repeats != self.repeats[: len(one.repeats)]]
        if inside and self.random.random() < 0.8:
            return f"${{{self.random.choice(inside).name}}}"
        return "instance('gates')/root/item/load"


def grow_form(name: str) -> Form:
    """The form of a name: the same name gives the same form."""
    grower = Grower(Random(name))
    # The file of gates is declared by a question that takes its choices from it.
    grower.cascade(0)
    grower.container(2, grower.random.randint(4, 9))
    made = read_form(_sheets(grower.rows).encode(), "random.md")
    return Form(name, made.xml.decode("utf-8"), made.definition, {"gates.csv": GATES})


def _sheets(rows: list[Rules]) -> str:
    survey = "".join(f"| | {' | '.join(row.get(column, '') for column in COLUMNS)} |\n" for row in rows)
    choices = "".join(
        f"| | {name} | {' | '.join([value.split()[0], value.split()[0].title(), *value.split()[1:]])} |\n"
        for name, values in CHOICES.items()
        for value in values
    )
    return (
        f"| survey |\n| | {' | '.join(COLUMNS)} |\n{survey}"
        f"| choices |\n| | list_name | name | label | region |\n{choices}"
        "| settings |\n| | form_id | version |\n| | random | 1 |\n"
    )
