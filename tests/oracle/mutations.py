"""What can happen to an honest record on its way: each mutation changes one thing and names it.

A mutation takes the form, the record and a random source, changes the record in place and says what it did, or
returns None where the record offers nothing to change.
"""

from collections.abc import Callable
from copy import deepcopy
from random import Random

from lxml import etree

from forms.definition import Field
from forms.xml import local_name
from tests.oracle.corpus import Form
from tests.oracle.fills import Fill, any_answer, leaves, put

ODD_NUMBERS = ["3.0", "+5", " 4 ", "1e3", "99999999999", "0005", "-0", "3,5", "2147483648", "1.0E7", "--1", "NaN"]
ODD_DATES = [
    "2026-02-30", "2026-3-5", "2026-03-15T00:00:00.000Z", "15/03/2026", "0000-00-00", " 2026-03-15 ", "9999-12-31",
    "2026-03-15T10:00:00.000+02:00", "12:30",
]  # fmt: skip
ODD_TEXTS = [" ", "  x  ", "0", "false", "NaN", "é", "😀", "a\tb", "'", "' or 1=1", "x" * 300, "\N{NO-BREAK SPACE}"]

Mutation = Callable[[Form, Fill, Random], str | None]
Leaf = tuple[str, etree._Element, Field]


def _asked(form: Form, fill: Fill) -> list[Leaf]:
    return [leaf for leaf in leaves(form, fill.root) if leaf[2].control is not None and not leaf[2].calculate]


def _pick(found: list[Leaf], random: Random) -> Leaf | None:
    return random.choice(found) if found else None


def drop_answer(form: Form, fill: Fill, random: Random) -> str | None:
    required = [leaf for leaf in _asked(form, fill) if fill.nodes.get(leaf[0], {}).get("required")]
    leaf = _pick(required or _asked(form, fill), random)
    if leaf is None:
        return None
    leaf[1].text = None
    return f"blanked {leaf[0]}"


def remove_node(form: Form, fill: Fill, random: Random) -> str | None:
    leaf = _pick(_asked(form, fill), random)
    parent = leaf[1].getparent() if leaf else None
    if leaf is None or parent is None:
        return None
    parent.remove(leaf[1])
    return f"removed {leaf[0]}"


def change_answer(form: Form, fill: Fill, random: Random) -> str | None:
    constrained = [leaf for leaf in _asked(form, fill) if leaf[2].constraint]
    leaf = _pick(constrained or _asked(form, fill), random)
    if leaf is None:
        return None
    leaf[1].text = any_answer(form, leaf[2], random)
    return f"changed {leaf[0]}"


def change_several(form: Form, fill: Fill, random: Random) -> str | None:
    changed = [leaf for leaf in _asked(form, fill) if random.random() < 0.4]
    for _, element, question in changed:
        element.text = any_answer(form, question, random)
    return f"changed {len(changed)} answers" if changed else None


def flip_choice(form: Form, fill: Fill, random: Random) -> str | None:
    selects = [leaf for leaf in _asked(form, fill) if leaf[2].itemset is not None]
    leaf = _pick(selects, random)
    if leaf is None:
        return None
    leaf[1].text = random.choice([*form.choices_of(leaf[2]), "nowhere", "x y"])
    return f"flipped {leaf[0]}"


def odd_value(form: Form, fill: Fill, random: Random) -> str | None:
    leaf = _pick([leaf for leaf in _asked(form, fill) if leaf[2].itemset is None], random)
    if leaf is None:
        return None
    kind = leaf[2].type
    pool = (
        ODD_NUMBERS if kind in ("int", "decimal") else ODD_DATES if kind in ("date", "dateTime", "time") else ODD_TEXTS
    )
    leaf[1].text = random.choice(pool)
    return f"odd value at {leaf[0]}"


def answer_hidden(form: Form, fill: Fill, random: Random) -> str | None:
    """A tablet leaves out what is not relevant; another client may send it."""
    hidden = [path for path, node in fill.nodes.items() if "value" in node and not node["relevant"] and "[" not in path]
    known = [path for path in hidden if path in form.definition.by_path and form.definition.by_path[path].control]
    if not known:
        return None
    path = random.choice(known)
    put(fill.root, path, any_answer(form, form.definition.by_path[path], random))
    return f"answered hidden {path}"


def change_calculation(form: Form, fill: Fill, random: Random) -> str | None:
    leaf = _pick([leaf for leaf in leaves(form, fill.root) if leaf[2].calculate], random)
    if leaf is None:
        return None
    leaf[1].text = random.choice(["", "7", "tampered", "2026-01-01"])
    return f"changed calculation {leaf[0]}"


def change_repeats(form: Form, fill: Fill, random: Random) -> str | None:
    repeats = [one for one in fill.root.iter() if _is_repeat(form, one)]
    if not repeats:
        return None
    chosen = random.choice(repeats)
    parent = chosen.getparent()
    assert parent is not None
    if random.random() < 0.5:
        parent.remove(chosen)
        return f"removed an instance of {local_name(chosen)}"
    chosen.addnext(deepcopy(chosen))
    return f"doubled an instance of {local_name(chosen)}"


def _is_repeat(form: Form, element: etree._Element) -> bool:
    names = [local_name(one) for one in (element, *element.iterancestors())]
    question = form.definition.by_path.get("/" + "/".join(reversed(names)))
    return question is not None and question.kind == "repeat"


def leave_out_group(form: Form, fill: Fill, random: Random) -> str | None:
    """A part of the record is cut off."""
    groups = [one for one in fill.root.iter() if len(one) and one.getparent() is not None and not _is_repeat(form, one)]
    chosen = random.choice(groups) if groups else None
    parent = chosen.getparent() if chosen is not None else None
    if chosen is None or parent is None or local_name(chosen) in ("meta", "entity"):
        return None
    parent.remove(chosen)
    return f"left out {local_name(chosen)}"


def swap_instances(form: Form, fill: Fill, random: Random) -> str | None:
    """Rows come in another order."""
    later = [one for one in fill.root.iter() if _is_repeat(form, one) and one.getprevious() is not None]
    pairs = [(one, before) for one in later if (before := one.getprevious()) is not None and before.tag == one.tag]
    if not pairs:
        return None
    chosen, before = random.choice(pairs)
    before.addprevious(chosen)
    return f"swapped two of {local_name(chosen)}"


def spoil_choice(form: Form, fill: Fill, random: Random) -> str | None:
    """A choice in another spelling, twice, with another beside it, or with space around it."""
    selects = [leaf for leaf in _asked(form, fill) if leaf[2].itemset is not None and leaf[1].text]
    leaf = _pick(selects, random)
    if leaf is None:
        return None
    text = leaf[1].text or ""
    leaf[1].text = random.choice([text.upper(), f"{text} {text}", f" {text} ", f"{text},{text}", text[:-1], f"{text}x"])
    return f"spoilt {leaf[0]}"


def exchange_answers(form: Form, fill: Fill, random: Random) -> str | None:
    """Two answers change places, whatever their types."""
    asked = [leaf for leaf in _asked(form, fill) if leaf[1].text]
    if len(asked) < 2:
        return None
    one, other = random.sample(asked, 2)
    one[1].text, other[1].text = other[1].text, one[1].text
    return f"exchanged {one[0]} and {other[0]}"


def write_otherwise(form: Form, fill: Fill, random: Random) -> str | None:
    """The same answer as other XML writers put it: with comments, line breaks and character data sections."""
    leaf = _pick([leaf for leaf in _asked(form, fill) if leaf[1].text], random)
    if leaf is None:
        return None
    text = leaf[1].text or ""
    leaf[1].text = random.choice([etree.CDATA(text), f"\n    {text}\n  ", f"\t{text}"])
    return f"wrote {leaf[0]} otherwise"


def add_unknown(form: Form, fill: Fill, random: Random) -> str | None:
    etree.SubElement(fill.root, "stranger").text = "x"
    return "added an unknown node"


MUTATIONS: list[Mutation] = [
    drop_answer, remove_node, change_answer, change_several, flip_choice, odd_value, answer_hidden, change_calculation,
    change_repeats, leave_out_group, swap_instances, spoil_choice, exchange_answers, write_otherwise, add_unknown,
]  # fmt: skip
