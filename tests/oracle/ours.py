"""Our side of the comparison: the engine over the function table's form, and over a form of the corpus."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from forms.compiled import CompiledForm, compile_form
from forms.node import Node
from forms.shapes import Record, build_record
from forms.xform import parse_form
from forms.xml import parse_xml
from forms.xpath.compiler import compile_expression
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.moments import DAY, Moment
from forms.xpath.values import Value, to_boolean, to_text
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
            compiled = compile_expression(expression, self.form.scope)
            return describe(compiled.value(find_node(self.record.document, context), self.environment))
        except XPathRefused as refused:
            return f"refused {refused.code}"
        except CannotVerify as unsure:
            return f"unverified {unsure.code}"
