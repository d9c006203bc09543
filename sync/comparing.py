"""What changed between two versions of a form, question by question, for whoever decides to publish."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from forms.definition import Field, FormDefinition

# What a designer can change about a question without changing its place.
_ASPECTS = (
    "type", "control", "label", "hint", "required", "relevant", "constraint", "constraint_message", "calculate",
    "readonly", "repeat_count", "default", "person", "encounter", "save_to",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: a question that came, went, or is asked differently in the named aspects."""

    kind: Literal["added", "removed", "changed"]
    path: str
    field: Field
    aspects: tuple[str, ...] = ()


def list_changes(old: FormDefinition, new: FormDefinition) -> list[Change]:
    """Every difference in the order of the new form; what was removed comes last."""
    return list(_list_changes(old, new))


def _list_changes(old: FormDefinition, new: FormDefinition) -> Iterator[Change]:
    for one in new.fields:
        before = old.by_path.get(one.path)
        if before is None:
            yield Change("added", one.path, one)
        elif aspects := _list_aspects(before, one):
            yield Change("changed", one.path, one, aspects)
    yield from (Change("removed", one.path, one) for one in old.fields if one.path not in new.by_path)


def _list_aspects(before: Field, after: Field) -> tuple[str, ...]:
    changed = [name for name in _ASPECTS if getattr(before, name) != getattr(after, name)]
    if _choices(before) != _choices(after):
        changed.append("choices")
    return tuple(changed)


def _choices(field: Field) -> object:
    return (field.itemset.choices, field.itemset.nodeset) if field.itemset else None
