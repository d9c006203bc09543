"""The $metadata document of an OData service (CSDL 4.0 in XML): tables, groups and columns with their types."""

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from forms.tables import Column, Table, odata_name

EDMX, EDM = "http://docs.oasis-open.org/odata/ns/edmx", "http://docs.oasis-open.org/odata/ns/edm"
_SPACES: dict[Any, str] = {None: EDM, "edmx": EDMX}
_TYPES = {
    "int": "Edm.Int64", "decimal": "Edm.Decimal", "boolean": "Edm.Boolean", "geopoint": "Edm.GeographyPoint",
    "geotrace": "Edm.GeographyLineString", "geoshape": "Edm.GeographyPolygon", "date": "Edm.Date",
    "dateTime": "Edm.DateTimeOffset",
}  # fmt: skip
_SYSTEM = {
    "submissionDate": "Edm.DateTimeOffset", "updatedAt": "Edm.DateTimeOffset", "deletedAt": "Edm.DateTimeOffset",
    "submitterId": "Edm.String", "submitterName": "Edm.String", "attachmentsPresent": "Edm.Int64",
    "attachmentsExpected": "Edm.Int64", "status": "org.opendatakit.submission.Status",
    "reviewState": "org.opendatakit.submission.ReviewState", "deviceId": "Edm.String", "edits": "Edm.Int64",
    "formVersion": "Edm.String",
}  # fmt: skip
_ENTITY_SYSTEM = {
    "createdAt": "Edm.DateTimeOffset", "creatorId": "Edm.String", "creatorName": "Edm.String", "updates": "Edm.Int64",
    "updatedAt": "Edm.DateTimeOffset", "deletedAt": "Edm.DateTimeOffset", "version": "Edm.Int64",
    "conflict": "Edm.String",
}  # fmt: skip
_ENUMS = {
    "Status": ("notDecrypted", "missingEncryptedFormData"),
    "ReviewState": ("hasIssues", "edited", "rejected", "approved"),
}


def render_edmx(form_id: str, tables: Mapping[str, Table], columns: Mapping[str, Sequence[Column]]) -> bytes:
    """Only the columns that the reader may read are told of."""
    space = f"org.opendatakit.user.{odata_name(form_id)}"
    types = [one for name, table in tables.items() for one in _table_types(space, table, columns[name])]
    sets = [_make("EntitySet", Name=one.odata_name, EntityType=f"{space}.{one.odata_name}") for one in tables.values()]
    system = _make("Schema", _complex("metadata", _SYSTEM), *(_enum(*one) for one in _ENUMS.items()))
    return _render("org.opendatakit.submission", system, space, types, odata_name(form_id), sets)


def render_entity_edmx(list_name: str, properties: Sequence[str]) -> bytes:
    space = f"org.opendatakit.user.{odata_name(list_name)}"
    kept = {"__system": "org.opendatakit.entity.metadata", "label": "Edm.String"}
    row = _entity("Entities", kept | {odata_name(one): "Edm.String" for one in properties})
    sets = [_make("EntitySet", Name="Entities", EntityType=f"{space}.Entities")]
    system = _make("Schema", _complex("metadata", _ENTITY_SYSTEM))
    return _render("org.opendatakit.entity", system, space, [row], odata_name(list_name), sets)


def _make(name: str, *children: etree._Element, space: str = EDM, **attributes: str) -> etree._Element:
    made = etree.Element(f"{{{space}}}{name}", attributes, nsmap=_SPACES)
    made.extend(children)
    return made


def _render(
    system_space: str, system: etree._Element, space: str, types: list[etree._Element], name: str,
    sets: list[etree._Element],
) -> bytes:  # fmt: skip
    system.set("Namespace", system_space)
    own = _make("Schema", *types, _make("EntityContainer", *sets, Name=name), Namespace=space)
    services = _make("DataServices", system, own, space=EDMX)
    document = _make("Edmx", services, space=EDMX, Version="4.0")
    return etree.tostring(document, encoding="utf-8", xml_declaration=True)


def _table_types(space: str, table: Table, columns: Sequence[Column]) -> list[etree._Element]:
    """The table's own type and one for each group in it."""
    groups: dict[tuple[str, ...], dict[str, str]] = {(): {}}
    for column in columns:
        _put(groups, column.place, _TYPES.get(column.type, "Edm.String"), space, table.name)
    for repeat in table.repeats:
        _put(groups, repeat.place, f"Collection({space}.{repeat.odata_name})", space, table.name)
    above = table.parent.odata_name.replace(".", "-") if table.parent else ""
    own = {f"__{above}-id": "Edm.String"} if above else {"__system": "org.opendatakit.submission.metadata"}
    row = _entity(table.odata_name, own | groups.pop(()))
    return [row, *(_complex(_group_name(table.name, place), members) for place, members in groups.items())]


def _put(
    groups: dict[tuple[str, ...], dict[str, str]], place: tuple[str, ...], kind: str, space: str, table: str
) -> None:
    for depth in range(1, len(place)):
        inner = f"{space}.{_group_name(table, place[:depth])}"
        groups.setdefault(place[: depth - 1], {}).setdefault(place[depth - 1], inner)
        groups.setdefault(place[:depth], {})
    groups[place[:-1]][place[-1]] = kind


def _group_name(table: str, place: tuple[str, ...]) -> str:
    return ".".join((*([table] if table else ()), *place))


def _entity(name: str, members: Mapping[str, str]) -> etree._Element:
    key = _make("Key", _make("PropertyRef", Name="__id"))
    return _make("EntityType", key, _make("Property", Name="__id", Type="Edm.String"), *_members(members), Name=name)


def _complex(name: str, members: Mapping[str, str]) -> etree._Element:
    return _make("ComplexType", *_members(members), Name=name)


def _members(members: Mapping[str, str]) -> list[etree._Element]:
    return [
        _make("NavigationProperty" if kind.startswith("Collection(") else "Property", Name=name, Type=kind)
        for name, kind in members.items()
    ]


def _enum(name: str, members: Sequence[str]) -> etree._Element:
    return _make("EnumType", *(_make("Member", Name=one) for one in members), Name=name)
