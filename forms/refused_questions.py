"""What ODK Collect refuses of a form's questions beside their expressions: places, choices, lists, ranges, repeats.

As in refused_models.py, JavaRosa's parser stops at each of these, and the form does not open on the tablet.
"""

import re
from collections.abc import Iterator
from itertools import chain

from lxml import etree

from forms.body import CONTAINERS, CONTROLS, SELECTS, Place, list_places
from forms.errors import FormProblem
from forms.itext import is_itext, itext_argument
from forms.outline import Outline, is_path, refusal
from forms.references import absolute_path, plain_path
from forms.submission import TEMPLATE
from forms.xml import attributes_of, child, descend, local_name, text_of, without_namespace
from forms.xpath.errors import XPathRefused
from forms.xpath.parser import parse
from forms.xpath.syntax import Call, Path, Syntax

# JavaRosa wants these very signs of a label; itext.py reads a form that came through, and forgives spaces and quotes.
_TEXT = re.compile(r"jr:itext\('(.*)'\)", re.DOTALL)
# What Java's BigDecimal takes, with the digits of any alphabet.
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def list_refused_of_questions(html: etree._Element, outline: Outline) -> Iterator[FormProblem]:
    """What a tablet refuses of the body."""
    body = child(html, "body")
    places = list(list_places(body, outline.root, outline.bind_ids)) if body is not None else []
    found = list(_every(places))
    repeats = frozenset(one.path for one in found if one.kind == "repeat")
    return chain(
        _loose_labels(body),
        chain.from_iterable(_reference(one, outline) for one in found),
        chain.from_iterable(_texts(one, outline) for one in found),
        chain.from_iterable(_choices(one, outline) for one in found if one.kind in SELECTS),
        chain.from_iterable(_range(one) for one in found if one.kind == "range"),
        chain.from_iterable(_looped(one, found, repeats) for one in found if one.kind in SELECTS),
        _scopes(places, "", repeats),
        _templates(outline) if not repeats else (),
    )


def _every(places: list[Place]) -> Iterator[Place]:
    for place in places:
        yield place
        yield from _every(place.below)


def _loose_labels(body: etree._Element | None) -> Iterator[FormProblem]:
    labels = body.iter("{*}label") if body is not None else ()
    holders = frozenset(["item", "itemset"]) | CONTAINERS | CONTROLS
    for label in labels:
        if not any(local_name(above) in holders for above in label.iterancestors()):
            yield refusal("label_outside", text=text_of(label)[:40])


def _reference(place: Place, outline: Outline) -> Iterator[FormProblem]:
    element, bind = place.element, place.element.get("bind")
    if bind is not None:
        if bind not in outline.bind_ids:
            yield refusal("bind_id_unknown", id=bind)
        return
    reference = element.get("nodeset") if place.kind == "repeat" else element.get("ref") or element.get("nodeset")
    if reference is None:
        if place.kind != "group":
            yield refusal("control_without_path", control=place.kind)
    elif not is_path(reference):
        yield refusal("not_a_path", text=reference)
    elif not outline.has_node(place.path):
        yield refusal("control_without_node", path=place.path)
    yield from _repeat(place, outline) if place.kind == "repeat" else ()


def _repeat(place: Place, outline: Outline) -> Iterator[FormProblem]:
    if place.path == outline.root:
        yield refusal("repeat_of_everything")
    for name, value in attributes_of(place.element).items():
        if without_namespace(name) == "count" and not is_path(value):
            yield refusal("not_a_path", "repeat_count", path=place.path, text=value)


def _texts(place: Place, outline: Outline) -> Iterator[FormProblem]:
    for name in ("label", "hint"):
        for one in place.element.iterchildren(f"{{*}}{name}"):
            yield from _label(one, place.path, outline)


def _label(label: etree._Element, path: str, outline: Outline) -> Iterator[FormProblem]:
    """What is wrong with the reference of a label or hint; the texts that it names have to be there."""
    reference = label.get("ref")
    if reference is None:
        return
    named = _TEXT.fullmatch(reference)
    if named is None:
        yield refusal("label_reference", local_name(label), path=path, text=reference)
    elif named.group(1) not in outline.texts:
        yield refusal("text_missing_in_default", local_name(label), path=path, text=named.group(1))


def _range(place: Place) -> Iterator[FormProblem]:
    for name in ("start", "end", "step"):
        written = place.element.get(name)
        if written is not None and _DECIMAL.fullmatch(written) is None:
            yield refusal("range_bound", "parameters", path=place.path, bound=name, text=written)


def _choices(place: Place, outline: Outline) -> Iterator[FormProblem]:
    items = list(place.element.iterchildren("{*}item"))
    itemset = child(place.element, "itemset")
    if itemset is None and not items:
        yield refusal("select_without_choices", "type", path=place.path)
    if itemset is not None and items:
        yield refusal("choices_twice", path=place.path)
    for item in items:
        yield from _choice(item, place, outline)
    if itemset is not None:
        yield from _itemset(itemset, place, outline)


def _choice(item: etree._Element, place: Place, outline: Outline) -> Iterator[FormProblem]:
    label, value = child(item, "label"), child(item, "value")
    worded = label is not None and (label.get("ref") is not None or len(label) > 0 or label.text is not None)
    if not worded or not text_of(value):
        yield refusal("choice_incomplete", path=place.path, value=text_of(value))
    if label is not None:
        yield from _label(label, place.path, outline)


def _itemset(itemset: etree._Element, place: Place, outline: Outline) -> Iterator[FormProblem]:
    nodeset = itemset.get("nodeset")
    references = {name: one.get("ref") for name in ("value", "label") if (one := child(itemset, name)) is not None}
    lacking = [name for name, written in (("nodeset", nodeset), *_both(references)) if not written]
    yield from (refusal("itemset_incomplete", path=place.path, what=name) for name in lacking)
    rows = _rows(nodeset or "")
    if isinstance(rows, Path):
        for name, written in _both(references):
            if written and not _is_column(written, rows, place, outline):
                yield refusal("column_unknown", "parameters", nodeset, path=place.path, name=written, what=name)
    elif rows is not None:
        yield refusal("itemset_of_no_list", "choice_filter", nodeset, path=place.path)


def _both(references: dict[str, str | None]) -> list[tuple[str, str | None]]:
    return [("value", references.get("value")), ("label", references.get("label"))]


def _rows(nodeset: str) -> Syntax | None:
    """The path of a list's rows, whatever randomize() does with them; None where it cannot be read at all."""
    try:
        syntax = parse(nodeset)
    except XPathRefused:
        return None
    return syntax.arguments[0] if isinstance(syntax, Call) and syntax.name == "randomize" else syntax


def _is_column(written: str, rows: Path, place: Place, outline: Outline) -> bool:
    """Whether a reference leads from a row to something that is there; of a file nothing is known here."""
    reference = itext_argument(written) if is_itext(written) else written
    try:
        column = parse(reference)
    except XPathRefused:
        return False
    if not isinstance(column, Path) or any(step.axis == "parent" for step in column.steps):
        return False
    if any(step.name == "*" for step in (*rows.steps, *column.steps)):
        return True
    if rows.start == "instance":
        return column.start != "root" and _stands_in_list(rows, column, outline)
    row = absolute_path(plain_path(_written(rows)), place.path)
    path = absolute_path(plain_path(reference), row)
    return outline.has_node(path) and (path == row or path.startswith(f"{row}/"))


def _written(path: Path) -> str:
    steps = "/".join(".." if step.axis == "parent" else step.name for step in path.steps)
    return f"/{steps}" if path.start == "root" else steps


def _stands_in_list(rows: Path, column: Path, outline: Outline) -> bool:
    """JavaRosa looks at the first row alone."""
    instance = next((one for one in outline.model.iterchildren("{*}instance") if one.get("id") == rows.instance), None)
    if instance is None or _is_beside_the_form(instance.get("src") or ""):
        return True
    found = descend(instance, [step.name for step in (*rows.steps, *column.steps) if step.axis == "child"])
    attribute = next((step.name for step in column.steps if step.axis == "attribute"), None)
    return found is not None and (attribute is None or attribute in map(without_namespace, attributes_of(found)))


def _is_beside_the_form(src: str) -> bool:
    return src.lower().startswith(("jr://file/", "jr://file-csv/", "jr://instance/last-saved"))


def _looped(place: Place, found: list[Place], repeats: frozenset[str]) -> Iterator[FormProblem]:
    """To JavaRosa, nodes that choices are taken from repeat: nothing may be asked there unless they really do."""
    itemset = child(place.element, "itemset")
    rows = _rows(itemset.get("nodeset") or "") if itemset is not None else None
    if not isinstance(rows, Path) or rows.start == "instance":
        return
    path = absolute_path(plain_path(_written(rows)), place.path)
    if path not in repeats and any(one.path == path or one.path.startswith(f"{path}/") for one in found):
        yield refusal("choices_of_no_repeat", "type", path=place.path, rows=path)


def _scopes(places: list[Place], repeat: str, repeats: frozenset[str]) -> Iterator[FormProblem]:
    """What belongs to a repeat is asked inside it, and nothing else is."""
    for place in places:
        if _wraps_a_repeat(place):
            yield from _scopes(place.below, repeat, repeats)
            continue
        is_repeat = place.kind == "repeat"
        above = [path for path in _steps_between(repeat, place.path) if path in repeats]
        strays = above[:-1] if is_repeat and above[-1:] == [place.path] else above
        outside = repeat and place.path != repeat and not place.path.startswith(f"{repeat}/")
        if strays or outside or (is_repeat and place.path == repeat):
            yield refusal("repeat_scope", path=place.path, repeat=strays[-1] if strays else repeat)
        yield from _scopes(place.below, place.path if is_repeat else repeat, repeats)


def _wraps_a_repeat(place: Place) -> bool:
    """A group around nothing but a repeat is its label."""
    return place.kind == "group" and [one.kind for one in place.below] == ["repeat"]


def _steps_between(above: str, path: str) -> list[str]:
    steps = path.split("/")
    return ["/".join(steps[:length]) for length in range(above.count("/") + 2, len(steps) + 1)]


def _templates(outline: Outline) -> Iterator[FormProblem]:
    """JavaRosa fails on a template where the form has no repeat at all."""
    instance = next(outline.model.iterchildren("{*}instance"))
    for one in instance.iter():
        if TEMPLATE in one.attrib:
            yield refusal("template_without_repeat", path=local_name(one))
