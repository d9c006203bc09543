"""A marshmallow schema per form version, which loads a submission's answers as nested, typed values.

No field is required and unknown nodes are kept: what is missing or too much is for validation.py to say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from lxml import etree
from marshmallow import INCLUDE, Schema, ValidationError, fields

from forms.definition import Field, FormDefinition
from forms.errors import Finding, Grade
from forms.references import parent_path
from forms.submission import TEMPLATE, Submission
from forms.values import BadValueError, Value, parse_value
from forms.xml import local_name, text_of

Raw = dict[str, Any]
_DERIVED = "schema"
# To marshmallow a dot in a key means nesting and `Meta` its own settings; to a form both are only names. So keys
# inside the schema start with an underscore and spell the dot by one that no XML name can have.
_DOT = "\u2024"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Typed answers: groups as dicts, repeats as lists, blank as None; and a finding per text of a wrong type.

    Where a text has the wrong type, `values` has no key.
    """

    values: dict[str, Any]
    findings: tuple[Finding, ...] = ()


class AnswerField(fields.Field[Value]):
    """One answer, by the type and control of its question."""

    def __init__(self, question: Field, **options: Any) -> None:
        super().__init__(allow_none=True, **options)
        self.question = question

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Value:
        if not isinstance(value, str):
            raise ValidationError("not_an_answer")
        try:
            return parse_value(value, self.question)
        except BadValueError as bad:
            raise ValidationError(bad.code) from None


class AnswersSchema(Schema):
    """The parent of every form's schema."""

    class Meta:
        unknown = INCLUDE


def schema_for(definition: FormDefinition) -> Schema:
    """The schema of a form version, made once and kept with its definition."""
    if _DERIVED not in definition.derived:
        definition.derived[_DERIVED] = _container_schema(f"/{definition.root}", _by_parent(definition))
    return cast(Schema, definition.derived[_DERIVED])


def load_answers(definition: FormDefinition, submission: Submission) -> Loaded:
    """Load what was sent as typed values; a bad text raises nothing and becomes a finding with its path."""
    raw = _raw(submission.root, f"/{definition.root}", definition)
    errors: dict[str, Any] = {}
    try:
        values = schema_for(definition).load(raw)
    except ValidationError as failed:
        values, errors = failed.valid_data, cast(dict[str, Any], failed.messages)
    findings = tuple(_findings(errors, raw, f"/{definition.root}", f"/{definition.root}", definition))
    return Loaded(cast(dict[str, Any], _named(values)), findings)


def _by_parent(definition: FormDefinition) -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = {}
    for one in definition.fields:
        if not one.name.startswith("@"):
            found.setdefault(parent_path(one.path), []).append(one)
    return found


def _container_schema(path: str, by_parent: dict[str, list[Field]]) -> Schema:
    members = {_key(one.name): _schema_field(one, by_parent) for one in by_parent.get(path, ())}
    return AnswersSchema.from_dict(members, name="Answers")()


def _schema_field(field: Field, by_parent: dict[str, list[Field]]) -> fields.Field[Any]:
    if field.kind == "repeat":
        return fields.List(fields.Nested(_container_schema(field.path, by_parent)))
    if field.path in by_parent or field.kind == "group":
        return fields.Nested(_container_schema(field.path, by_parent))
    return AnswerField(field)


def _raw(element: etree._Element, plain: str, definition: FormDefinition) -> Raw:
    """The texts, nested as the schema expects them. Of a node that should stand once, the first counts."""
    found: Raw = {}
    for one in element:
        if TEMPLATE in one.attrib:
            continue
        path, key = f"{plain}/{local_name(one)}", _key(local_name(one))
        field = definition.by_path.get(path)
        kind = field.kind if field else "structure"
        value = _raw(one, path, definition) if len(one) or kind in {"group", "repeat"} else text_of(one)
        if kind == "repeat":
            found.setdefault(key, []).append(value)
        else:
            found.setdefault(key, value)
    return found


def _findings(errors: Any, raw: Any, plain: str, indexed: str, definition: FormDefinition) -> Iterator[Finding]:
    for key, below in errors.items():
        if isinstance(key, int):
            yield from _findings(below, raw[key], plain, f"{indexed}[{key + 1}]", definition)
            continue
        name = _name(str(key))
        path, place = f"{plain}/{name}", f"{indexed}/{name}"
        if isinstance(below, dict):
            yield from _findings(below, raw[key], path, place, definition)
        else:
            yield _finding(place, str(below[0]), raw[key], definition.by_path[path])


def _finding(place: str, code: str, value: Any, field: Field) -> Finding:
    # Collect does not check what it calculates itself, and an officer could not correct it.
    text = value if isinstance(value, str) else None
    grade: Grade = "error" if field.kind == "question" else "warning"
    return Finding(place, "type", grade, code, rule=field.type, value=text)


def _key(name: str) -> str:
    return "_" + name.replace(".", _DOT)


def _name(key: str) -> str:
    return key[1:].replace(_DOT, ".")


def _named(value: Any) -> Any:
    if isinstance(value, dict):
        return {_name(key): _named(one) for key, one in value.items()}
    return [_named(one) for one in value] if isinstance(value, list) else value
