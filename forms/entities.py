"""What a submission does to entities (ODK Entities spec 2022.1 to 2025.1). Whether it may, and merging: elsewhere."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from lxml import etree

from forms.declarations import LIST_NAME
from forms.definition import EntityDeclaration, FormDefinition
from forms.errors import Finding, FormsError
from forms.submission import Submission, list_elements
from forms.xml import attributes_of, child, descend, local_name, parse_xml, text_of, without_namespace

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TRUE = {"1", "true"}
_UNNAMED = "entity_unnamed"
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class EntityChange:
    """One change of one entity. `upsert`: update it, or create it if it does not exist.

    In `values` an absent property is left as it is, an empty one is set to "". A change with `problems` (codes of
    the catalogue) must not be applied; what could not be read is then "" or None.
    """

    list_name: str
    id: str
    action: Literal["create", "update", "upsert"]
    path: str
    label: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    base_version: int | None = None
    trunk_version: int | None = None
    branch_id: str | None = None
    problems: tuple[str, ...] = ()


def read_entity_changes(definition: FormDefinition, submission: Submission) -> list[EntityChange]:
    """Every change that the submission asks for, in the order of the form's declarations, then of the record."""
    changes = []
    for declaration in definition.entities:
        for path, container in list_elements(submission, definition, declaration.container):
            change = _change(declaration, path, container)
            if change is not None:
                changes.append(change)
    return changes


def list_entity_findings(changes: Iterable[EntityChange]) -> list[Finding]:
    """What is wrong with a record's changes. Without an error all of them can be applied, or that there are none."""
    return [
        Finding(one.path, "structure", "warning" if code == _UNNAMED else "error", code)
        for one in changes
        for code in one.problems
    ]


def read_unread_changes(data: bytes) -> list[EntityChange]:
    """What a record whose form nobody knows yet says about entities: enough to tell which versions its tablet holds.

    Each has a problem, for nothing of it may be applied before the form is here. Never raises.
    """
    try:
        root = parse_xml(data)
    except FormsError:
        return []
    nodes = [
        one for one in root.iter("{*}entity") if (above := one.getparent()) is not None and local_name(above) == "meta"
    ]
    return [change for one in nodes if (change := _unread(local_name(root), one)) is not None]


def _unread(form: str, entity: etree._Element) -> EntityChange | None:
    sent = _sent(entity)
    action, list_name = _action(sent), sent.get("dataset", "")
    if action is None or not LIST_NAME.match(list_name) or len(list_name) > _LONGEST:
        return None
    problems = ["entity_form_unknown"]
    return EntityChange(
        list_name,
        read_uuid(sent.get("id", ""), "entity_id", problems) or "",
        action,
        f"/{form}"[:_LONGEST],
        base_version=_number(sent.get("baseVersion", ""), "entity_base_version", problems),
        problems=tuple(problems),
    )


def _sent(entity: etree._Element) -> dict[str, str]:
    return {without_namespace(name): value.strip() for name, value in attributes_of(entity).items()}


def _change(declaration: EntityDeclaration, path: str, container: etree._Element) -> EntityChange | None:
    entity = descend(container, ("meta", "entity"))
    if entity is None:
        return None
    sent = _sent(entity)
    action = _action(sent)
    if action is None:
        return None
    problems: list[str] = []
    # Who may choose an entity may leave it open: nothing is updated then.
    code = _UNNAMED if action == "update" and not sent.get("id") else "entity_id"
    label = child(entity, "label")
    if sent.get("dataset") != declaration.list_name:
        problems.append("entity_list_differs")
    return EntityChange(
        list_name=declaration.list_name,
        id=read_uuid(sent.get("id", ""), code, problems) or "",
        action=action,
        path=path,
        label=text_of(label) if label is not None else None,
        values=_values(declaration, container),
        base_version=_number(sent.get("baseVersion", ""), "entity_base_version", problems),
        trunk_version=_number(sent.get("trunkVersion", ""), "entity_trunk_version", problems),
        branch_id=read_uuid(sent["branchId"], "entity_branch_id", problems) if sent.get("branchId") else None,
        problems=tuple(problems),
    )


def _action(sent: dict[str, str]) -> Literal["create", "update", "upsert"] | None:
    creates, updates = sent.get("create") in _TRUE, sent.get("update") in _TRUE
    if creates and updates:
        return "upsert"
    if updates:
        return "update"
    return "create" if creates else None


def read_uuid(text: str, code: str, problems: list[str]) -> str | None:
    """The plain version 4 UUID; adds the code to the problems where there is none."""
    # Central tolerates the prefix, Collect refuses it: it may come, and never leaves.
    plain = text.lower().removeprefix("uuid:")
    if _UUID4.fullmatch(plain):
        return plain
    problems.append(code)
    return None


def _number(text: str, code: str, problems: list[str]) -> int | None:
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    problems.append(code)
    return None


def _values(declaration: EntityDeclaration, container: etree._Element) -> dict[str, str]:
    found = {}
    for name, path in declaration.save_to:
        element = descend(container, path.removeprefix(f"{declaration.container}/").split("/"))
        if element is not None:
            found[name] = text_of(element)
    return found
