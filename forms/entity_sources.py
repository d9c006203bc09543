"""Where an entity's id comes from, followed through calculations: at publishing a form is refused whose ids cannot be
what ODK Collect and we take, one bare version 4 UUID.
"""

from collections.abc import Iterator

from forms.compiled import CompiledForm
from forms.dependencies import referred_paths
from forms.entity_claims import ID
from forms.errors import FormProblem
from forms.xpath.compiler import Expression, compile_expression
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.syntax import Call, Path, Step, Syntax, Text

# The arguments that a function may hand on as they are; selected-at(), which picks one answer of several, is not here.
_HANDED_ON = {
    "string": slice(0, 1), "normalize-space": slice(0, 1), "translate": slice(0, 1), "indexed-repeat": slice(0, 1),
    "if": slice(1, 3), "coalesce": slice(None), "once": slice(None), "concat": slice(None),
}  # fmt: skip
_SEVERAL = ("select", "rank")


def check_entity_ids(form: CompiledForm) -> Iterator[FormProblem]:
    """What is wrong with the ids of declared and of claimed entities."""
    for entity in form.definition.entities:
        path = f"{entity.container}/meta/entity/@id"
        expression = _compile(form, entity.id_expression)
        if expression is not None:
            yield from _check(form, expression.syntax, path, entity.list_name, "entities", "entity_id")
    for field in form.definition.fields:
        list_name, _, name = (field.entity or "").partition("#")
        if name == ID:
            asked = Path("root", tuple(Step("child", step) for step in field.path.split("/")[1:]))
            yield from _check(form, asked, field.path, list_name, "survey", "bind::teral:entity")


def _compile(form: CompiledForm, text: str | None) -> Expression | None:
    try:
        return compile_expression(text, form.surroundings) if text else None
    except (XPathRefused, CannotVerify):
        # check.py refuses what cannot be read.
        return None


def _check(
    form: CompiledForm, syntax: Syntax, path: str, list_name: str, sheet: str, column: str
) -> Iterator[FormProblem]:
    found = dict.fromkeys(_sources(form, syntax, path, set()))
    for code, source in found:
        params: dict[str, object] = {"list": list_name, "path": source}
        yield FormProblem(code, params, sheet=sheet, column=column)


def _sources(form: CompiledForm, syntax: Syntax, context: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    """What makes the id something else than one UUID, and where: through every calculation that hands a value on."""
    match syntax:
        case Call("concat", (Text(value), *_)) if value.strip().lower().startswith("uuid:"):
            yield "entity_id_prefixed", context
        case Call() if syntax.name in _HANDED_ON:
            for part in syntax.arguments[_HANDED_ON[syntax.name]]:
                yield from _sources(form, part, context, seen)
        case Path():
            plain = Path(syntax.start, tuple(Step(one.axis, one.name) for one in syntax.steps), syntax.instance)
            for path in referred_paths(plain, context) - seen:
                yield from _of_field(form, path, seen | {path})


def _of_field(form: CompiledForm, path: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    field = form.definition.by_path.get(path)
    if field is None:
        return
    if field.control in _SEVERAL:
        yield "entity_id_of_several", path
    if path.endswith("/meta/instanceID"):
        yield "entity_id_prefixed", path
    for text in (field.calculate, field.set_value):
        expression = _compile(form, text)
        if expression is not None:
            yield from _sources(form, expression.syntax, path, seen)
