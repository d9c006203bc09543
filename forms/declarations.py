"""What a form says about entities (ODK Entities spec 2022.1 to 2025.1). What a submission does to them: entities.py."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from forms.definition import EntityDeclaration
from forms.errors import FormRefused
from forms.references import ancestor_paths

ENTITIES_NAMESPACE = "http://www.opendatakit.org/xforms/entities"
_KNOWN = ("2022.1", "2023.1", "2024.1", "2025.1")
_SEVERAL = "2025.1"
# A list is an XML identifier without a dot, a property may have dots; `__` is the server's own prefix.
# With `.csv` behind it, it names a file.
# A colon is allowed, since programs name lists after a `uuid:`.
LIST_NAME = re.compile(r"^(?!__)[^\W\d][\w:-]{0,250}$")
PROPERTY_NAME = re.compile(r"^(?!__)[^\W\d][\w.-]*$")
_RESERVED = {"name", "label"}


@dataclass(frozen=True, slots=True)
class EntityNode:
    """A `meta/entity` element of the primary instance."""

    container: str
    dataset: str
    attributes: frozenset[str]

    @property
    def path(self) -> str:
        return f"{self.container}/meta/entity"


def read_declarations(
    nodes: list[EntityNode],
    version: str | None,
    repeats: set[str],
    save_to: Mapping[str, str],
    expressions: Mapping[str, str],
) -> tuple[EntityDeclaration, ...]:
    """Read one declaration per entity node.

    `save_to` maps field paths to properties; `expressions` maps node paths to what calculates or sets them.
    """
    if not nodes:
        _refuse_orphans(save_to)
        return ()
    known = _refuse_version(nodes, version, repeats)
    properties = _by_container(nodes, save_to)
    declared = tuple(_declaration(node, known, properties[node.container], expressions) for node in nodes)
    _refuse_other_case(declared)
    return declared


def _refuse_version(nodes: list[EntityNode], version: str | None, repeats: set[str]) -> str:
    """A consumer must reject versions that it does not know (ODK Entities spec, "Versioning")."""
    short = ".".join((version or "").split(".")[:2])
    if version is None or short not in _KNOWN:
        raise FormRefused("entities_version", version=version or "", known=", ".join(_KNOWN))
    in_repeat = any({node.container, *ancestor_paths(node.container)} & repeats for node in nodes)
    if (len(nodes) > 1 or in_repeat) and short != _SEVERAL:
        raise FormRefused("entities_need_version", version=version, needed=_SEVERAL)
    return version


def _refuse_orphans(save_to: Mapping[str, str]) -> None:
    if save_to:
        raise FormRefused("save_to_without_entity", path=next(iter(save_to)))


def _by_container(nodes: list[EntityNode], save_to: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Each save_to belongs to the nearest container that declares an entity."""
    found: dict[str, list[tuple[str, str]]] = {node.container: [] for node in nodes}
    for path, name in save_to.items():
        container = next((one for one in ancestor_paths(path) if one in found), None)
        if container is None:
            raise FormRefused("save_to_without_entity", path=path)
        _refuse_property(name, path, dict(found[container]))
        found[container].append((name, path))
    return found


def _refuse_property(name: str, path: str, taken: Mapping[str, str]) -> None:
    if not PROPERTY_NAME.match(name) or name.lower() in _RESERVED:
        raise FormRefused("entities_property", name=name, path=path)
    if name in taken:
        raise FormRefused("entities_property_twice", name=name, path=path, other=taken[name])


def _refuse_other_case(declared: tuple[EntityDeclaration, ...]) -> None:
    """Collect keeps lists as tables and properties as columns, whose names differ by more than their case."""
    lists: dict[str, str] = {}
    properties: dict[tuple[str, str], tuple[str, str]] = {}
    for one in declared:
        other = lists.setdefault(one.list_name.lower(), one.list_name)
        if other != one.list_name:
            raise FormRefused("entities_list_case", name=one.list_name, other=other)
        for name, path in one.save_to:
            first, first_path = properties.setdefault((one.list_name, name.lower()), (name, path))
            if first != name:
                raise FormRefused("entities_property_case", name=name, path=path, other=first, first=first_path)


def _declaration(
    node: EntityNode, version: str, properties: list[tuple[str, str]], expressions: Mapping[str, str]
) -> EntityDeclaration:
    if not LIST_NAME.match(node.dataset):
        raise FormRefused("entities_list_name", name=node.dataset)
    return EntityDeclaration(
        list_name=node.dataset,
        container=node.container,
        spec_version=version,
        creates="create" in node.attributes,
        updates="update" in node.attributes,
        save_to=tuple(properties),
        id_expression=expressions.get(f"{node.path}/@id"),
        create_if=expressions.get(f"{node.path}/@create"),
        update_if=expressions.get(f"{node.path}/@update"),
        label_expression=expressions.get(f"{node.path}/label"),
    )
