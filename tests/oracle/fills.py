"""Honest fills of a form, made with JavaRosa's help: any form can be filled without knowing what its rules mean.

Random answers first; then JavaRosa says what is missing, wrong, hidden or computed, and those are given anew, a few
times over. What it still complains about stays: a record that breaks a rule is a case too. Seeded and repeatable.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from lxml import etree

from forms.definition import Field
from forms.xml import FORM_LIMITS, local_name, parse_xml
from tests.oracle.client import Answer, Oracle
from tests.oracle.corpus import Form

ROUNDS = 5
TEMPLATE = "{http://openrosa.org/javarosa}template"
INDEX = re.compile(r"\[\d+\]")
LITERAL = re.compile(r"'([^']*)'|(?<![\w.-])(\d+(?:\.\d+)?)")
TYPED: dict[str, list[str]] = {
    "int": ["0", "1", "2", "7", "18", "99", "-1"],
    "decimal": ["0", "1", "0.5", "2.75", "-3.5"],
    "date": ["2026-03-15", "2020-02-29", "1990-07-01", "2031-12-31"],
    "dateTime": ["2026-03-15T08:30:00.000Z", "2020-02-29T23:59:59.000Z"],
    "time": ["08:30:00.000Z", "23:59:00.000Z"],
    "geopoint": ["14.4571 -12.2144 25 4.5", "14.9039 -12.4601 0 0"],
    "geotrace": ["14.0 -12.0 0 0;14.1 -12.1 0 0"],
    "geoshape": ["14.0 -12.0 0 0;14.0 -13.0 0 0;15.0 -13.0 0 0;14.0 -12.0 0 0"],
    "binary": ["file.jpg"],
    "string": ["Awa", "Demba Sow", "x", "123456789"],
}


@dataclass(frozen=True)
class Fill:
    """One filled record, and what JavaRosa made of it. `nodes` holds relevance and computed values by indexed path."""

    root: etree._Element
    nodes: dict[str, Answer]

    def render(self) -> str:
        return render(self.root)


def render(root: etree._Element) -> str:
    return etree.tostring(root, encoding="unicode")


def fill_honestly(form: Form, oracle: Oracle, random: Random) -> Fill:
    """A record as a tablet would write it: calculated values in place, what is not relevant left out."""
    root = start_record(form, random)
    nodes: dict[str, Answer] = {}
    for _ in range(ROUNDS):
        answer = oracle.validate(form.xml, render(root), form.media)
        if "error" in answer:
            # A rule that cannot be computed for these answers: JavaRosa does not open such a record at all.
            root = start_record(form, random)
            continue
        nodes = {node["path"]: node for node in answer["nodes"]}
        _add_instances(root, answer)
        write_computed(form, root, nodes)
        if not answer["findings"]:
            break
        _answer_anew(form, root, answer["findings"], random)
    _leave_out_hidden(form, root, nodes)
    return Fill(root, nodes)


def start_record(form: Form, random: Random) -> etree._Element:
    """The form's own instance with random answers and 0 to 3 instances of each repeat."""
    html = parse_xml(form.xml.encode(), FORM_LIMITS)
    instance = next(one for one in html.iter() if local_name(one) == "instance")
    root = deepcopy(instance[0])
    _fill_children(form, root, f"/{form.definition.root}", random)
    etree.cleanup_namespaces(root)
    return root


def _fill_children(form: Form, element: etree._Element, path: str, random: Random) -> None:
    for name in dict.fromkeys(local_name(one) for one in element):
        plain = f"{path}/{name}"
        question = form.definition.by_path.get(plain)
        if question is not None and question.kind == "repeat":
            _multiply(element, name, random.choice([0, 1, 1, 2, 2, 3]))
        for one in [one for one in element if local_name(one) == name]:
            if len(one):
                _fill_children(form, one, plain, random)
            elif question is not None:
                one.text = first_answer(form, question, random)


def _multiply(parent: etree._Element, name: str, times: int) -> None:
    present = [one for one in parent if local_name(one) == name]
    place = list(parent).index(present[0])
    for one in present:
        parent.remove(one)
    present[0].attrib.pop(TEMPLATE, None)
    for _ in range(times):
        parent.insert(place, deepcopy(present[0]))


def first_answer(form: Form, question: Field, random: Random) -> str:
    if question.preload or question.name in ("instanceID", "deprecatedID"):
        return preloaded(question, random)
    if question.control is None or question.calculate:
        return question.default
    if random.random() < 0.15:
        return ""
    return any_answer(form, question, random)


def preloaded(question: Field, random: Random) -> str:
    """What Collect writes by itself: times lie minutes ago, so that today() is today for both engines."""
    if question.name == "instanceID":
        return f"uuid:{random.getrandbits(128):032x}"
    minutes = {"start": 20, "end": 2}.get(question.name.removesuffix("ed"), 5)
    moment = datetime.now(UTC) - timedelta(minutes=minutes)
    if question.type == "dateTime":
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return moment.strftime("%Y-%m-%d") if question.type == "date" else question.default or "collect:oracle"


def any_answer(form: Form, question: Field, random: Random) -> str:
    """A value that may or may not suit the rules: a sample, a choice, a literal of the rule itself, a typical one."""
    if form.samples.get(question.name) and random.random() < 0.8:
        return random.choice(form.samples[question.name])
    choices = form.choices_of(question)
    if choices:
        return choose(question, choices, random)
    pool = TYPED.get(question.type, TYPED["string"]) + _literals(question)
    return random.choice(pool)


def choose(question: Field, choices: list[str], random: Random) -> str:
    if question.control == "rank":
        return " ".join(random.sample(choices, len(choices)))
    if question.control == "select":
        return " ".join(random.sample(choices, random.randint(1, min(3, len(choices)))))
    return random.choice(choices)


def _literals(question: Field) -> list[str]:
    """Numbers and texts of the question's own constraint, with the neighbours of the numbers."""
    found: list[str] = []
    for text, number in LITERAL.findall(question.constraint or ""):
        if text and question.type == "string":
            found.append(text)
        if number and question.type in ("int", "decimal"):
            found += [number, str(int(float(number)) + 1), str(int(float(number)) - 1)]
    return found


def leaves(form: Form, root: etree._Element) -> Iterator[tuple[str, etree._Element, Field]]:
    """Every leaf that the form knows, with its indexed path."""
    yield from _leaves(form, root, f"/{form.definition.root}", f"/{form.definition.root}")


def _leaves(
    form: Form, element: etree._Element, plain: str, indexed: str
) -> Iterator[tuple[str, etree._Element, Field]]:
    seen: dict[str, int] = {}
    for one in element:
        name = local_name(one)
        seen[name] = seen.get(name, 0) + 1
        question = form.definition.by_path.get(f"{plain}/{name}")
        index = f"[{seen[name]}]" if question is not None and question.kind == "repeat" else ""
        if len(one):
            yield from _leaves(form, one, f"{plain}/{name}", f"{indexed}/{name}{index}")
        elif question is not None:
            yield f"{indexed}/{name}{index}", one, question


def _add_instances(root: etree._Element, answer: Answer) -> None:
    """The instances that a tablet makes by itself where a form counts them."""
    for node in answer["nodes"]:
        if "value" in node and node["path"].startswith(tuple(answer["added"])) and "@" not in node["path"]:
            put(root, node["path"], node["value"])


def sent_nodes(answer: Answer) -> dict[str, Answer]:
    """JavaRosa's nodes by path, but for the instances that it added itself to reach a repeat's count."""
    nodes: list[Answer] = answer["nodes"]
    return {one["path"]: one for one in nodes if not one["path"].startswith(tuple(answer["added"]))}


def write_computed(form: Form, root: etree._Element, nodes: dict[str, Answer]) -> None:
    """Calculated values as the tablet has them: JavaRosa computes them anew, whatever was sent."""
    for path, node in nodes.items():
        question = form.definition.by_path.get(plain_path(path))
        if question is not None and question.calculate and node["relevant"]:
            put(root, path, node["value"])


def plain_path(path: str) -> str:
    """The path without its indexes, as the form names it."""
    return INDEX.sub("", path)


def put(root: etree._Element, path: str, text: str) -> None:
    """Write an answer at an indexed path, with the nodes above it where they are absent."""
    element = root
    for step in path.split("/")[2:]:
        if step.startswith("@"):
            element.set(step[1:], text)
            return
        name, _, index = step.rstrip("]").partition("[")
        present = [one for one in element if local_name(one) == name]
        place = int(index or 1) - 1
        element = present[place] if place < len(present) else etree.SubElement(element, name)
    element.text = text


def _answer_anew(form: Form, root: etree._Element, findings: list[Answer], random: Random) -> None:
    wrong = {finding["path"] for finding in findings}
    for path, element, question in list(leaves(form, root)):
        if path in wrong and not question.calculate:
            element.text = any_answer(form, question, random)


def _leave_out_hidden(form: Form, root: etree._Element, nodes: dict[str, Answer]) -> None:
    """Collect writes no node that is not relevant."""
    for path, element, _ in list(leaves(form, root)):
        parent = element.getparent()
        if parent is not None and path in nodes and not nodes[path]["relevant"]:
            parent.remove(element)
