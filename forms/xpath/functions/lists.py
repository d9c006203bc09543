"""What looks things up in lists and in the form's texts: pulldata, jr:choice-name, jr:itext."""

from forms.definition import Choice, Itemset, Text
from forms.node import Node
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify
from forms.xpath.parser import parse
from forms.xpath.part import Part, Scope, builder, scalar
from forms.xpath.syntax import Syntax
from forms.xpath.values import Value, must_be_text


@builder("pulldata", counts=lambda count: count == 4)
def pulldata(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The value of one column in the first row whose other column has a value; "" if there is none."""
    texts = [part.text() for part in parts]

    def evaluate(node: Node, environment: Environment) -> Value:
        name, wanted, key, value = [text(node, environment) for text in texts]
        (root,) = environment.find_list(name).children()
        rows = _find_rows(root, key, value, environment)
        return rows[0].child_text(wanted) if rows else ""

    return scalar(syntax, evaluate, "text")


def _find_rows(root: Node, key: str, value: str, environment: Environment) -> list[Node]:
    indexes = root.indexes if root.indexes is not None else {}
    index = indexes.get(("*", key))
    if index is None:
        index = indexes[("*", key)] = {}
        rows = root.children()
        environment.spend(len(rows))
        for row in rows:
            index.setdefault(row.child_text(key), []).append(row)
    return index.get(value, [])


@builder("jr:choice-name", counts=lambda count: count == 2)
def choice_name(syntax: Syntax, parts: list[Part], scope: Scope) -> Part:
    """The label of a choice that another question offers, in the language of the record."""
    texts = [part.text() for part in parts]
    # The question's path is a text of its own, so that it can only be read when the function is called.
    compiled: dict[str, Part] = {}

    def find(path: str, node: Node, environment: Environment) -> list[Node]:
        if path not in compiled:
            compiled[path] = scope.compile(parse(path))
        found = environment.evaluate_raw(compiled[path].raw, node)
        return found if isinstance(found, list) else []

    def evaluate(node: Node, environment: Environment) -> Value:
        value, path = [text(node, environment) for text in texts]
        for question in find(path, node, environment)[:1]:
            itemset = _itemset_of(question, scope)
            if itemset is not None and itemset.nodeset:
                return _row_label(find(itemset.nodeset, question, environment), value, itemset, environment)
            return _choice_label(itemset.choices if itemset else (), value, environment)
        return ""

    return scalar(syntax, evaluate, "text")


def _itemset_of(question: Node, scope: Scope) -> Itemset | None:
    path = "".join(f"/{one.name}" for one in question.chain())
    field = scope.form.definition.by_path.get(path) if scope.form.definition else None
    return field.itemset if field else None


def _choice_label(choices: tuple[Choice, ...], value: str, environment: Environment) -> str:
    return next((in_language(one.label, environment.language) for one in choices if one.value == value), "")


def _row_label(rows: list[Node], value: str, itemset: Itemset, environment: Environment) -> str:
    for row in rows:
        if row.child_text(itemset.value_ref) == value:
            label = row.child_text(itemset.label_ref)
            # The column holds either the words or the id of a text.
            return (
                in_language(dict(environment.texts[label]), environment.language)
                if label in environment.texts
                else label
            )
    return ""


def in_language(text: Text, language: str) -> str:
    """A text in a language given by its code; forms spell languages out: “Français (fr)”."""
    for name, words in text.items():
        if name == language or name.endswith(f"({language})"):
            return words
    return next(iter(text.values()), "")


def itext(text_id: str, environment: Environment) -> str:
    """A text of the form by its id, or the mark that JavaRosa shows for an unknown one."""
    if not environment.texts:
        raise CannotVerify("cannot_find_text", text=text_id)
    found = environment.texts.get(text_id)
    return f"[itext:{text_id}]" if found is None else in_language(dict(found), environment.language)


@builder("jr:itext", counts=lambda count: count == 1)
def form_text(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """A text of the form by its id, in the language of the record."""
    value = parts[0].value

    def evaluate(node: Node, environment: Environment) -> Value:
        return itext(must_be_text(value(node, environment)), environment)

    return scalar(syntax, evaluate, "text")
