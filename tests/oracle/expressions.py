"""Random expressions over the form of the function table: what no table thinks of.

Grown from a small grammar, most of them with fitting arguments, some with any. Nothing that two runs answer differently
(random, uuid, now) is in it.
"""

from random import Random

NUMBERS = [
    "0",
    "1",
    "2",
    "5",
    "-3",
    "2.5",
    "0.1",
    "100",
    "2147483648",
    "0.00001",
    "(1 div 3)",
    "(0 div 0)",
    "(1 div 0)",
]
TEXTS = ["''", "'a'", "'Awa'", "'12'", "'3,5'", "' 7 '", "'a b c'", "'red'", "'false'", "'2026-03-15'", "'é'", "'-1'"]
LEAVES = [
    "text", "spaced", "accents", "blank", "number_text", "zeros", "comma", "exponent", "false_text", "int", "negative",
    "big", "zero", "blank_int", "decimal", "tiny", "half", "blank_decimal", "date", "leap", "datetime", "datetime_east",
    "blank_date", "colour", "several", "town", "yes", "switch", "point", "gone", "nowhere", "group/inside",
]  # fmt: skip
SETS = [
    "/data/rep/n", "/data/rep/name", "/data/less/n", "/data/empty_rep/n", "/data/rep[n > 4]/n", "/data/rep/inner/v",
    "/data/rep[name = 'Awa']/inner/v", "/data/rep[position() < 3]/name", "instance('towns')/root/item/people",
    "instance('towns')/root/item[region = 'tamba']/name", "instance('towns')/root/item[people > 9000]/label",
]  # fmt: skip
DATES = [
    "/data/date",
    "/data/leap",
    "/data/datetime",
    "date('2026-01-31')",
    "date(20000)",
    "/data/blank_date",
    "date(1.5)",
]
PATTERNS = ["'[a-z]+'", "'\\d+'", "'.*'", "'A.a'", "'[A-Z][a-z]* ?.*'", "'\\w+'", "'-?[0-9.]+'", "'true|false'"]
CONTEXTS = ["/data/here", "/data/text", "/data/int", "/data/rep[1]/n", "/data/rep[2]/name", "/data/rep[1]/inner[2]/v"]
OPERATORS = ["+", "-", "*", "div", "mod", "=", "!=", "<", "<=", ">", ">=", "and", "or"]

# name: the kinds of its arguments (n number, t text, b boolean, s node-set, d date, p pattern, m selection, a any).
SIGNATURES = {
    "abs": "n", "int": "n", "round": "n", "sqrt": "n", "exp10": "n", "number": "a", "string": "a", "boolean": "a",
    "not": "b", "boolean-from-string": "a", "string-length": "a", "normalize-space": "t", "concat": "aa", "join": "taa",
    "substr": "tnn", "substring-before": "tt", "substring-after": "tt", "translate": "ttt", "contains": "tt",
    "starts-with": "tt", "ends-with": "tt", "regex": "ap", "if": "baa", "coalesce": "aa", "selected": "mt",
    "count-selected": "m", "selected-at": "mn", "count": "s", "count-non-empty": "s", "sum": "s", "max": "s",
    "min": "s", "date": "d", "date-time": "d", "decimal-date-time": "d", "decimal-time": "d", "pow": "nn",
    "checklist": "nnbb", "weighted-checklist": "nnbnbn", "once": "a", "depend": "aa",
}  # fmt: skip
FORMATS = ["'%Y-%m-%d'", "'%d/%m/%y'", "'%e %n %b %a'", "'%H:%M:%S.%3'", "'%h %W'"]


def grow(random: Random, depth: int = 3) -> str:
    """One expression, at most `depth` calls deep."""
    return _grow(random, random.choice("ntbda"), depth)


def _grow(random: Random, kind: str, depth: int) -> str:
    if kind == "s":
        return random.choice(SETS)
    if kind == "p":
        return random.choice(PATTERNS)
    if depth == 0 or random.random() < 0.2:
        return _leaf(random, kind)
    if random.random() < 0.35:
        return _operation(random, kind, depth)
    if kind == "d" or random.random() < 0.08:
        return _date_call(random, depth)
    name = random.choice(list(SIGNATURES))
    arguments = [_grow(random, one, depth - 1) for one in _kinds(random, SIGNATURES[name])]
    return f"{name}({', '.join(arguments)})"


def _kinds(random: Random, kinds: str) -> list[str]:
    return [random.choice("ntbdsma") if random.random() < 0.07 else kind for kind in kinds]


def _operation(random: Random, kind: str, depth: int) -> str:
    operator = random.choice(OPERATORS[:5] if kind == "n" else OPERATORS[5:] if kind == "b" else OPERATORS)
    sides = "bb" if operator in ("and", "or") else random.choice(["nn", "nn", "aa", "at", "dd", "ta"])
    left, right = (_grow(random, side, depth - 1) for side in sides)
    return f"({left} {operator} {right})"


def _date_call(random: Random, depth: int) -> str:
    date = random.choice(DATES) if random.random() < 0.7 else _grow(random, "d", depth - 1)
    return random.choice([
        f"date({date})", f"format-date({date}, {random.choice(FORMATS)})", f"decimal-date-time({date})",
        f"format-date-time({date}, {random.choice(FORMATS)})", f"int({date})",
    ])  # fmt: skip


def _leaf(random: Random, kind: str) -> str:
    node = f"/data/{random.choice(LEAVES)}"
    match kind:
        case "n":
            return random.choice([random.choice(NUMBERS), node])
        case "t":
            return random.choice([random.choice(TEXTS), node])
        case "m":
            return random.choice(["/data/several", "/data/colour", "'a b c'", "/data/blank", node])
        case "d":
            return random.choice(DATES)
        case "b":
            return random.choice(["true()", "false()", node])
    return random.choice([node, random.choice(NUMBERS), random.choice(TEXTS)])
