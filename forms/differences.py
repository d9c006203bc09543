"""What changed between two versions of a form, for the person who publishes the second."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from forms.definition import Field, FormDefinition, Text

ASPECTS = (
    "kind", "type", "control", "required", "relevant", "constraint", "calculate", "readonly", "repeat_count", "default",
    "person", "encounter", "save_to",
)  # fmt: skip
TEXTS = ("label", "hint", "required_message", "constraint_message")


@dataclass(frozen=True, slots=True)
class Difference:
    """One change. `aspect` is a name of Field's, "field" or "choice"; `language` is set for texts.

    For a choice, `choice` is its value and `before` and `after` are its labels.
    """

    change: Literal["added", "removed", "changed"]
    path: str
    aspect: str
    before: str | None = None
    after: str | None = None
    language: str | None = None
    choice: str | None = None


def compare_forms(old: FormDefinition, new: FormDefinition) -> list[Difference]:
    """The differences in the order of the new form, then what is gone in the order of the old one."""
    found: list[Difference] = []
    for field in new.fields:
        before = old.by_path.get(field.path)
        found.extend(_field(before, field) if before else [Difference("added", field.path, "field", after=field.type)])
    gone = (one for one in old.fields if one.path not in new.by_path)
    return found + [Difference("removed", one.path, "field", before=one.type) for one in gone]


def _field(old: Field, new: Field) -> Iterator[Difference]:
    for aspect in ASPECTS:
        before, after = getattr(old, aspect), getattr(new, aspect)
        if before != after:
            yield _difference(new.path, aspect, before or None, after or None)
    for aspect in TEXTS:
        yield from _texts(new.path, aspect, getattr(old, aspect), getattr(new, aspect))
    yield from _choices(new.path, _labels(old), _labels(new))
    if _filter(old) != _filter(new):
        yield _difference(new.path, "choices", _filter(old), _filter(new))


def _texts(path: str, aspect: str, old: Text, new: Text, choice: str | None = None) -> Iterator[Difference]:
    for language in dict.fromkeys((*new, *old)):
        before, after = old.get(language), new.get(language)
        if before != after:
            yield _difference(path, aspect, before, after, language, choice)


def _choices(path: str, old: dict[str, Text], new: dict[str, Text]) -> Iterator[Difference]:
    for value in dict.fromkeys((*new, *old)):
        if value in old and value in new:
            yield from _texts(path, "choice", old[value], new[value], value)
        else:
            before, after = (_any_text(one.get(value)) for one in (old, new))
            yield Difference("added" if value in new else "removed", path, "choice", before, after, choice=value)


def _difference(
    path: str,
    aspect: str,
    before: str | None,
    after: str | None,
    language: str | None = None,
    choice: str | None = None,
) -> Difference:
    change: Literal["added", "removed", "changed"] = "changed"
    if before is None or after is None:
        change = "added" if before is None else "removed"
    return Difference(change, path, aspect, before, after, language, choice)


def _labels(field: Field) -> dict[str, Text]:
    return {one.value: one.label for one in field.itemset.choices} if field.itemset else {}


def _filter(field: Field) -> str | None:
    return (field.itemset.nodeset or None) if field.itemset else None


def _any_text(text: Text | None) -> str | None:
    return next(iter(text.values()), None) if text else None
