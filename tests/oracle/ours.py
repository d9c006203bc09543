"""Our side of the comparison: the engine over the function table's form, and over a form of the corpus."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial

from forms.calculations import agrees, written
from forms.clock import doubtful_moments, read_clock
from forms.compiled import CompiledForm, compile_form
from forms.errors import Finding
from forms.list_trees import ListTrees
from forms.node import Node
from forms.shapes import NodeShape, Record, build_record
from forms.submission import parse_submission
from forms.validation import validate_submission
from forms.xform import parse_form
from forms.xml import parse_xml
from forms.xpath.compiler import compile_expression
from forms.xpath.environment import Environment, is_relevant
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.moments import DAY, Moment
from forms.xpath.values import JAVA_SPACE, Value, to_boolean, to_text
from tests.oracle.corpus import Form
from tests.oracle.functions import FORM, SUBMISSION


def now() -> Moment:
    return Moment(int(datetime.now(UTC).timestamp() * 1000))


def describe(value: Value) -> str:
    """An answer as JavaRosa's driver words it: type, text, and what it is as a condition."""
    truth = "true" if to_boolean(value) else "false"
    match value:
        case bool():
            return f"boolean {to_text(value)} {truth}"
        case float():
            return f"number {to_text(value)} {truth}"
        case Moment():
            return f"date {to_text(value)}T{_clock(value.ms % DAY)}Z {truth}"
    return f"string {value} {truth}"


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def find_node(document: Node, path: str) -> Node:
    node = document
    for step in path.strip("/").split("/"):
        name, _, index = step.rstrip("]").partition("[")
        node = node.named[name][int(index or 1) - 1]
    return node


@dataclass
class FunctionForm:
    """The filled form of the function table, for one expression after the other."""

    form: CompiledForm
    record: Record

    @classmethod
    def open(cls) -> "FunctionForm":
        form = compile_form(parse_form(FORM.read_bytes()))
        return cls(form, build_record(form.shape, parse_xml(SUBMISSION.read_bytes())))

    @cached_property
    def environment(self) -> Environment:
        find_list = self.form.inline_lists.__getitem__
        return Environment(self.record.document, self.record.slots, now=now(), find_list=find_list)

    def answer(self, expression: str, context: str) -> str:
        """What the engine answers, in the words of `describe`, or why it does not."""
        try:
            compiled = compile_expression(expression, self.form.surroundings)
            return describe(compiled.value(find_node(self.record.document, context), self.environment))
        except XPathRefused as refused:
            return f"refused {refused.code}"
        except CannotVerify as unsure:
            return f"unverified {unsure.code}"


@dataclass
class Judged:
    """What we say about one record: findings by path and kind, relevance and recomputed values by path."""

    findings: list[Finding]
    relevance: dict[str, bool | None]
    disagreeing: dict[str, str]
    replayed: set[str]

    @cached_property
    def doubts(self) -> dict[str, str]:
        """Where we say that we cannot verify, and why."""
        return {one.path: one.code for one in self.findings if one.kind == "unverifiable"}


def judge(form: Form, submission_xml: str, computed: dict[str, str]) -> Judged:
    """Judge a record as the server does, and hold our relevance and calculations against JavaRosa's (`computed`)."""
    submission = parse_submission(submission_xml.encode())
    received_at = datetime.now(UTC)
    findings = validate_submission(form.definition, submission, form.lists, received_at=received_at, language="en")
    compiled = compile_form(form.definition)
    record = build_record(compiled.shape, submission.root)
    clock = read_clock(compiled.witnesses, record.slots, received_at)
    trees = ListTrees(form.definition, compiled.inline_lists, form.lists)
    environment = Environment(
        record.document, record.slots, now=clock.now, offset_ms=clock.offset_ms, find_list=trees.find,
        doubt=trees.doubt, other_times=partial(doubtful_moments, clock), language="en", texts=form.definition.texts,
    )  # fmt: skip
    relevance = {node.path(): _relevance(node, environment) for node in record.nodes}
    disagreeing = dict(_disagreeing(compiled, record, environment, relevance, computed))
    rules = {
        node.path(): compiled.rules.get(node.shape.path) for node in record.nodes if isinstance(node.shape, NodeShape)
    }
    replayed = {path for path, rule in rules.items() if rule is not None and rule.is_replayed and relevance[path]}
    return Judged(findings, relevance, disagreeing, replayed)


def _plain(node: Node) -> str:
    return node.shape.path if isinstance(node.shape, NodeShape) else ""


def _relevance(node: Node, environment: Environment) -> bool | None:
    try:
        return is_relevant(node, environment)
    except CannotVerify:
        return None


def _disagreeing(
    compiled: CompiledForm,
    record: Record,
    environment: Environment,
    relevance: dict[str, bool | None],
    computed: dict[str, str],
) -> Iterator[tuple[str, str]]:
    """The calculations that give us another value than JavaRosa, with both."""
    for node in record.nodes:
        rules = compiled.rules.get(_plain(node))
        path = node.path()
        if rules is None or rules.calculate is None or path not in computed or not relevance[path]:
            continue
        if not rules.calculate.replayable:
            continue
        try:
            value = rules.calculate.value(node, environment)
        except CannotVerify as unsure:
            yield path, f"{computed[path]} → unverified {unsure.code}"
            continue
        if not agrees(value, computed[path].strip(JAVA_SPACE), rules.field.type, environment):
            yield path, f"{computed[path]} → {written(to_text(value))}"
