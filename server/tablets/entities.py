"""The entity lists on a tablet, kept as Collect keeps them: the rows that were downloaded, and what was said since.

Every rule here is one of Collect's (v2026.3, its module `entities`), also those that make a server's life hard. What a
record says about entities is read here anew: a slip in the server's own reading must show as a difference.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid4

from lxml import etree

from forms.definition import EntityDeclaration, FormDefinition
from forms.list_trees import build_list
from forms.node import Node
from forms.references import ancestor_paths
from forms.xml import child, descend, local_name, text_of

# Of older versions Collect reads the declarations and keeps nothing of them.
_LOCAL_VERSIONS = ("2024.1", "2025.1")
_ID, _LABEL, _VERSION = "name", "label", "__version"
_TRUE = ("1", "true")

Action = Literal["create", "update", "upsert"]


class ListUnreadable(Exception):
    """A list that Collect gives up as a whole, because one of its rows has no id, label or version."""


@dataclass(slots=True)
class LocalEntity:
    """One row. `version` is the tablet's own, `trunk_version` the server's on which it stands; None: made offline."""

    id: str
    label: str
    version: int
    properties: dict[str, str]
    branch_id: str
    trunk_version: int | None = None
    online: bool = False

    @property
    def is_dirty(self) -> bool:
        return self.version != self.trunk_version

    def cells(self, columns: Iterable[str]) -> dict[str, str]:
        """The row as expressions see it: the server's CSV knows neither trunk nor branch."""
        trunk = "" if self.trunk_version is None else str(self.trunk_version)
        own = {_ID: self.id, _LABEL: self.label, _VERSION: str(self.version)}
        values = {name: self.properties.get(name, "") for name in columns}
        return {**own, "__trunkVersion": trunk, "__branchId": self.branch_id, **values}


@dataclass(frozen=True, slots=True)
class FormEntity:
    """What a finalised record says about one entity."""

    list_name: str
    id: str
    action: Action
    label: str
    properties: dict[str, str]


@dataclass(slots=True)
class LocalList:
    """One list. `hash` is the manifest's word about the state that was taken in last."""

    hash: str | None = None
    needs_approval: bool = False
    entities: dict[str, LocalEntity] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)

    def save(self, one: LocalEntity) -> None:
        """Write a row over the one of its id; a property for which there is no column yet makes one."""
        before = self.entities.get(one.id, one)
        one.properties = {**before.properties, **one.properties}
        one.online = one.online or before.online
        self.columns += [name for name in one.properties if name not in self.columns]
        self.entities[one.id] = one

    def keep_columns(self, header: list[str]) -> None:
        """Take over the columns of the server's list, and drop all others together with their values."""
        self.columns = [name for name in header if not _is_reserved(name)]
        for one in self.entities.values():
            one.properties = {name: value for name, value in one.properties.items() if name in self.columns}


@dataclass(slots=True)
class EntityStore:
    """All lists of a tablet. `draw_uuid` makes the names of branches."""

    draw_uuid: Callable[[], str] = field(default=lambda: str(uuid4()))
    lists: dict[str, LocalList] = field(default_factory=dict)

    def find_list(self, name: str) -> Node | None:
        """The list as the document that expressions walk; None if this tablet has no such list."""
        known = self.lists.get(name)
        return build_list([one.cells(known.columns) for one in known.entities.values()]) if known else None

    def is_current(self, name: str, announced: str) -> bool:
        """Whether the manifest announces what was already taken in."""
        return name in self.lists and self.lists[name].hash == announced

    def take_list(self, name: str, data: bytes, announced: str, *, needs_approval: bool = False) -> None:
        """Take in a downloaded list, or raise ListUnreadable: then nothing of it is kept, and it is fetched again."""
        header, lines = _read_header(data)
        known = self.lists.get(name, LocalList())
        known.keep_columns(header)
        rows = _read_rows(header, lines)
        self.lists[name] = known
        missing = dict(known.entities)
        for row in rows:
            self._take_row(known, missing.pop(row.id, None), row)
        for one in missing.values():
            if one.online:
                del known.entities[one.id]
        known.hash, known.needs_approval = announced, needs_approval

    def _take_row(self, known: LocalList, mine: LocalEntity | None, row: LocalEntity) -> None:
        """The server's row wins if it is newer, or as new and ours was changed here; ours is kept while it is ahead."""
        if mine is None or mine.version < row.version or (mine.version == row.version and mine.is_dirty):
            row.branch_id = self.draw_uuid()
            known.save(row)
        elif mine.version > row.version:
            mine.online = True

    def list_rows(self) -> list[LocalEntity]:
        """Every row of every list on board."""
        return [one for known in self.lists.values() for one in known.entities.values()]

    def list_offline(self, name: str) -> list[str]:
        """The entities that were made here and have not been seen in the server's list: Collect asks about each."""
        known = self.lists.get(name)
        return [one.id for one in known.entities.values() if not one.online] if known else []

    def drop(self, name: str, ids: Iterable[str]) -> None:
        """Forget what the server calls deleted."""
        for one in ids:
            self.lists[name].entities.pop(one, None)

    def take_record(self, definition: FormDefinition, root: etree._Element) -> None:
        """Let a finalised record change the lists on board. An edit of a record never does."""
        for one in read_form_entities(definition, root):
            known = self.lists.get(one.list_name)
            # The list must be on board: some form of this tablet names its file.
            if known is not None and _is_uuid4(one.id):
                self._take_entity(known, one)

    def _take_entity(self, known: LocalList, one: FormEntity) -> None:
        mine = known.entities.get(one.id)
        if mine is not None and one.action != "create":
            mine.label = one.label if one.label.strip() else mine.label
            mine.properties |= one.properties
            mine.version += 1
            known.save(mine)
        elif one.action != "update" and one.label.strip() and not known.needs_approval:
            known.save(LocalEntity(one.id, one.label, 1, one.properties, self.draw_uuid()))


def read_form_entities(definition: FormDefinition, root: etree._Element) -> Iterator[FormEntity]:
    """What a record says about entities, in document order."""
    declared = {one.container: one for one in definition.entities if one.spec_version.startswith(_LOCAL_VERSIONS)}
    yield from _entities_below(root, f"/{local_name(root)}", declared)


_Declared = Mapping[str, EntityDeclaration]


def _entities_below(element: etree._Element, path: str, declared: _Declared) -> Iterator[FormEntity]:
    for one in element:
        if local_name(one) != "meta":
            yield from _entities_below(one, f"{path}/{local_name(one)}", declared)
        elif path in declared and (entity := child(one, "entity")) is not None:
            action = _action(entity)
            if action is not None:
                properties = dict(_saved(element, declared[path], declared))
                label = text_of(child(entity, "label"))
                yield FormEntity(entity.get("dataset", ""), entity.get("id", ""), action, label, properties)


def _saved(element: etree._Element, declaration: EntityDeclaration, declared: _Declared) -> Iterator[tuple[str, str]]:
    """What the relevant questions save. What is not relevant was left out of the record."""
    for name, path in declaration.save_to:
        found = descend(element, path.removeprefix(f"{declaration.container}/").split("/"))
        if found is not None and _is_nearest(declaration.container, path, declared):
            yield name, found.text or ""


def _is_nearest(container: str, path: str, declared: _Declared) -> bool:
    """Collect takes for the entity's container the nearest group that has an entity anywhere inside."""
    holders = {above for one in declared for above in (one, *ancestor_paths(one))}
    return next(above for above in ancestor_paths(path) if above in holders) == container


def _action(entity: etree._Element) -> Action | None:
    creates, updates = entity.get("create") in _TRUE, entity.get("update") in _TRUE
    if creates and updates:
        return "upsert"
    return "create" if creates else "update" if updates else None


def _is_uuid4(text: str) -> bool:
    """Bare: Collect ignores an entity whose id begins with `uuid:`."""
    try:
        return not text.startswith(("uuid:", "urn:", "{")) and UUID(text).version == 4
    except ValueError:
        return False


def _read_header(data: bytes) -> tuple[list[str], Iterator[list[str]]]:
    try:
        lines = csv.reader(data.decode("utf-8-sig").splitlines(keepends=True), strict=True)
        return next(lines, []), lines
    except (ValueError, csv.Error) as error:
        raise ListUnreadable(type(error).__name__) from error


def _read_rows(header: list[str], lines: Iterable[list[str]]) -> list[LocalEntity]:
    try:
        return [_read_row(dict(zip(header, cells, strict=False))) for cells in lines if cells]
    except (ValueError, KeyError, csv.Error) as error:
        raise ListUnreadable(type(error).__name__) from error


def _read_row(cells: dict[str, str]) -> LocalEntity:
    """A row as an entity that was never here before; where a row is too short, its last cells are missing."""
    version = int(cells[_VERSION])
    properties = {name: value for name, value in cells.items() if not _is_reserved(name)}
    return LocalEntity(cells[_ID], cells[_LABEL], version, properties, "", version, online=True)


def _is_reserved(name: str) -> bool:
    return name in (_ID, _LABEL) or name.startswith("__")
