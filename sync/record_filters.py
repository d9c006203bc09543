"""OData's $filter and $orderby as SQL over records: on their metadata, and, where Central refuses, on answers.

The grammar is odata-query's; this module says what names mean and which expressions are answered.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser
from sqlalchemy import ColumnElement, Select, String, and_, column, extract, func, not_, or_, select, values
from sqlalchemy.sql import nulls_first, nulls_last

from forms.errors import N_, FormsError
from sync.answers import read_moment
from sync.folded_column import Folded
from sync.folding import fold_letters
from sync.models import AnswerValue, Submission
from sync.models.answers import LONGEST_VALUE

LONGEST_FILTER = 4000
MOST_WORDS = 10
_DEEPEST = 100
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_MIRROR: dict[type, type] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
_PARTS = ("year", "month", "day", "hour", "minute", "second")
# What the beginnings of two texts are if the texts are so.
_AT_LEAST: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.Lt: operator.le, ast.LtE: operator.le, ast.Gt: operator.ge, ast.GtE: operator.ge,
}  # fmt: skip
_SAID = func.coalesce(AnswerValue.whole, AnswerValue.text)
_LAST_SIGN = "\U0010ffff"
# Subtables of Central are filtered by the record that they belong to.
_FROM_ROOT = "$root/Submissions/"


class FilterRefused(FormsError):
    """An expression that cannot be read or is not answered."""

    messages = {
        "filter_unreadable": N_("The filter cannot be read: %(reason)s"),
        "filter_unsupported": N_("The filter uses something that is not supported here: %(text)s"),
        "filter_field": N_("The filter or order uses a field that cannot be used here: %(text)s"),
    }


@dataclass(frozen=True, slots=True)
class Named:
    """What a name of an expression stands for: a column of metadata, or (`path`) an answer. `kind` types literals."""

    kind: str
    column: Any = None
    path: str = ""


Names = Mapping[str, Named]


def compile_filter(text: str, names: Names, form_id: str, now: datetime) -> ColumnElement[bool]:
    """The condition that $filter states; raise FilterRefused for what cannot be read or is not answered."""
    if len(text) > LONGEST_FILTER:
        raise FilterRefused("filter_unreadable", reason=f"> {LONGEST_FILTER}")
    try:
        tree = ODataParser().parse(_read_lists(ODataLexer().tokenize(text.replace(_FROM_ROOT, ""))))
    except ODataException as error:
        raise FilterRefused("filter_unreadable", reason=type(error).__name__) from error
    return _Compiler(names, form_id, now).compile(tree)


def _read_lists(tokens: Iterable[Any]) -> Iterator[Any]:
    """`in ('a')` is a list of one (OData 4.01): for the grammar it would be one with a comma behind it."""
    before, is_list, is_long = "", False, False
    for token in tokens:
        if token.type == "(" and before == "IN":
            is_list, is_long = True, False
        if token.type == ")" and is_list and not is_long:
            comma = copy(token)
            comma.type = comma.value = ","
            yield comma
        is_list, is_long = is_list and token.type != ")", is_long or token.type == ","
        before = token.type if token.type != "WS" else before
        yield token


def compile_order(text: str, names: Names) -> list[ColumnElement[Any]]:
    """The order that $orderby states: columns of metadata, each asc or desc."""
    return [_order(part.split(), names) for part in text.split(",")]


def compile_search(text: str, names: Names, form_id: str) -> ColumnElement[bool]:
    """The condition that $search states: each of its words stands in an answer that `names` opens, or is the id.

    Case and accents do not count in answers. It looks at every answer of the form: what is looked for often is asked
    for by $filter, which has an index.
    """
    paths = [(one.path,) for one in names.values() if one.path]
    # Bound once, however many words there are: a wide form has as many columns as SQLite takes parameters in all.
    # VALUES wants a row: no answer has a path without a name.
    readable = select(values(column("path", String), name="readable").data(paths or [("",)]).cte())
    return and_(*(_holds(word, readable, form_id) for word in split_search(text)))


def split_search(text: str) -> list[str]:
    """The words that $search asks for, each once; raise FilterRefused for none, and for more than people look for."""
    words = {fold_letters(word): word for word in text.replace('"', " ").split()}
    found = [word for folded, word in words.items() if folded]
    if not found or len(found) > MOST_WORDS or len(text) > LONGEST_FILTER:
        raise FilterRefused("filter_unreadable", reason="$search")
    return found


def _holds(word: str, readable: Select[Any], form_id: str) -> ColumnElement[bool]:
    told = select(AnswerValue.submission_id).where(
        AnswerValue.form_id == form_id,
        AnswerValue.path.in_(readable),
        Folded(_SAID).contains(fold_letters(word), autoescape=True),
    )
    return or_(Submission.instance_id == word, Submission.id.in_(told))


def _order(words: list[str], names: Names) -> ColumnElement[Any]:
    named = names.get(words[0]) if words else None
    if named is None or named.column is None or len(words) > 2 or words[1:] not in ([], ["asc"], ["desc"]):
        raise FilterRefused("filter_field", text=" ".join(words))
    down = words[1:] == ["desc"]
    ordered: ColumnElement[Any] = nulls_last(named.column.desc()) if down else nulls_first(named.column.asc())
    return ordered


class _Compiler:
    """One expression being turned into SQL."""

    def __init__(self, names: Names, form_id: str, now: datetime) -> None:
        self.names, self.form_id, self.now = names, form_id, now

    def compile(self, node: Any, depth: int = 0) -> ColumnElement[bool]:
        if depth > _DEEPEST:
            raise FilterRefused("filter_unsupported", text="(((")
        if isinstance(node, ast.BoolOp):
            join = and_ if isinstance(node.op, ast.And) else or_
            return join(self.compile(node.left, depth + 1), self.compile(node.right, depth + 1))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not_(self.compile(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            return self.compare(node)
        if isinstance(node, ast.Call) and node.func.name in _SEARCH:
            return self.search(node)
        raise _unsupported(node)

    def compare(self, node: ast.Compare) -> ColumnElement[bool]:
        left, right, kind = node.left, node.right, type(node.comparator)
        if _is_literal(left) and not _is_literal(right):
            left, right, kind = right, left, _MIRROR.get(kind, kind)
        if kind is ast.In and isinstance(right, ast.List):
            return self.compare_with_any(left, right.val)
        if kind not in _COMPARE or not _is_literal(right):
            raise _unsupported(node)
        return self.compare_with(left, right, kind)

    def compare_with(self, left: Any, literal: Any, kind: type) -> ColumnElement[bool]:
        if kind is ast.NotEq:
            return not_(self.compare_with(left, literal, ast.Eq))
        named, column = self.find(left)
        if column is None:
            return self.compare_answer(named, literal, kind)
        if isinstance(literal, ast.Null):
            return column.is_(None) if kind is ast.Eq else column.is_not(None) & column.is_(None)
        value = self.read(literal, named.kind)
        return (
            column.is_not_distinct_from(value)
            if kind is ast.Eq
            else func.coalesce(_COMPARE[kind](column, value), False)
        )

    def compare_with_any(self, left: Any, literals: list[Any]) -> ColumnElement[bool]:
        """Whether it is one of a list; no chain of comparisons, of which SQLite takes a thousand and no more."""
        named, column = self.find(left)
        nulls = [self.compare_with(left, one, ast.Eq) for one in literals if isinstance(one, ast.Null)]
        values = [self.read(one, named.kind) for one in literals if not isinstance(one, ast.Null)]
        if column is not None:
            return or_(func.coalesce(column.in_(values), False), *nulls[:1])
        return or_(self.has(named, *_is_any(values)), *nulls[:1])

    def find(self, node: Any) -> tuple[Named, ColumnElement[Any] | None]:
        """What a name, or a part of a moment, stands for; no column for an answer."""
        if isinstance(node, ast.Call) and node.func.name in _PARTS and len(node.args) == 1:
            named, column = self.find(node.args[0])
            if column is None or named.kind != "moment":
                raise _unsupported(node)
            return Named("number"), extract(node.func.name, column)
        name = _name_of(node)
        named_or_none = self.names.get(name) if name else None
        if named_or_none is None:
            raise FilterRefused("filter_field", text=name or type(node).__name__)
        return named_or_none, named_or_none.column

    def compare_answer(self, named: Named, literal: Any, kind: type) -> ColumnElement[bool]:
        if isinstance(literal, ast.Null):
            return not_(self.has(named)) if kind is ast.Eq else not_(self.has(named)) & self.has(named)
        value = self.read(literal, named.kind)
        if not isinstance(value, str):
            return self.has(named, _COMPARE[kind](AnswerValue.number, value))
        # By the beginning, which the index has; and as a whole, for what is longer.
        begins = _AT_LEAST[kind](AnswerValue.text, value[:LONGEST_VALUE])
        return self.has(named, begins, _COMPARE[kind](_SAID, value))

    def search(self, node: ast.Call) -> ColumnElement[bool]:
        where, what = (*node.args, None, None)[:2]
        if not isinstance(what, ast.String):
            raise _unsupported(node)
        named, column = self.find(where)
        holds = _SEARCH[node.func.name]
        if column is not None:
            if named.kind != "text":
                raise _unsupported(node)
            return func.coalesce(holds(column, what.val), False)
        begins = [_begins(what.val)] if node.func.name == "startswith" else []
        return self.has(named, *begins, holds(_SAID, what.val))

    def has(self, named: Named, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        """Whether the record has such an answer; the index of answers finds those that do."""
        found = select(AnswerValue.submission_id).where(
            AnswerValue.form_id == self.form_id, AnswerValue.path == named.path, *conditions
        )
        return Submission.id.in_(found)

    def read(self, node: Any, kind: str) -> Any:
        """A literal in the type of what it is compared with."""
        if isinstance(node, ast.Call) and node.func.name == "now" and not node.args:
            return self.now if kind == "moment" else self.now.timestamp()
        text = str(node.val)
        try:
            if kind in ("moment", "dateTime"):
                seconds = read_moment(text)
                return _moment(seconds) if kind == "moment" else float(seconds if seconds is not None else "?")
            return float(text) if kind in ("number", "int", "decimal") else text
        except (ValueError, OverflowError) as error:
            raise FilterRefused("filter_unreadable", reason=kind) from error


def _is_any(values: list[Any]) -> list[ColumnElement[bool]]:
    """Whether an answer is one of these texts, or of these numbers."""
    if not any(isinstance(one, str) for one in values):
        return [AnswerValue.number.in_(values)]
    return [AnswerValue.text.in_([one[:LONGEST_VALUE] for one in values]), _SAID.in_(values)]


def _starts(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    # Not by LIKE, for which in SQLite a capital and a small letter are the same.
    return func.substr(column, 1, len(text), type_=String) == text


def _ends(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return func.substr(column, func.length(column) - len(text) + 1, type_=String) == text


def _contains(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return func.replace(column, text, "") != column if text else column.is_not(None)


_SEARCH = {"startswith": _starts, "endswith": _ends, "contains": _contains}


def _begins(text: str) -> ColumnElement[bool]:
    """Whether the beginning of an answer lies among those of the texts that start so: the index has them together."""
    first = text[:LONGEST_VALUE]
    return AnswerValue.text.between(first, first.ljust(LONGEST_VALUE, _LAST_SIGN))


def _moment(seconds: float | None) -> datetime:
    if seconds is None:
        raise ValueError("no moment")
    return datetime.fromtimestamp(seconds, UTC)


def _is_literal(node: Any) -> bool:
    is_now = isinstance(node, ast.Call) and node.func.name == "now"
    return is_now or isinstance(node, ast._Literal | ast.List)


def _name_of(node: Any) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name_of(node.owner)}/{node.attr}"
    return node.name if isinstance(node, ast.Identifier) else ""


def _unsupported(node: Any) -> FilterRefused:
    return FilterRefused("filter_unsupported", text=type(node).__name__)
