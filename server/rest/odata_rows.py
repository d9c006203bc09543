"""How a row of a table looks in OData: nested groups, every column present, places as GeoJSON or WKT."""

from collections.abc import Callable, Collection, Sequence
from typing import Any
from urllib.parse import quote

from forms.cells import complete_zone
from forms.tables import Column, Table, parent_key, row_id
from server.rest.shapes import write_moment
from sync.records import Record, RepeatRow

Pick = Callable[[dict[str, Any]], dict[str, Any]]
SYSTEM = (
    "submissionDate", "updatedAt", "submitterId", "submitterName", "attachmentsPresent", "attachmentsExpected",
    "status", "reviewState", "deviceId", "edits", "formVersion", "deletedAt",
)  # fmt: skip
_GEO = ("geopoint", "geotrace", "geoshape")


def write_system(record: Record) -> dict[str, Any]:
    return {
        "submissionDate": write_moment(record.submitted_at),
        "updatedAt": write_moment(record.updated_at),
        "submitterId": None if record.submitter_id is None else str(record.submitter_id),
        "submitterName": record.submitter_name,
        "attachmentsPresent": record.present,
        "attachmentsExpected": record.expected,
        "status": record.status,
        "reviewState": record.review_state,
        "deviceId": record.device_id,
        "edits": record.edits,
        "formVersion": record.form_version,
        "deletedAt": None,
    }


def make_pick(columns: Sequence[Column], *, wkt: bool = False) -> Pick:
    """A function that picks these columns from a row's answers, with null for what is blank."""
    tree: dict[str, Any] = {}
    for column in columns:
        level = tree
        for name in column.place[:-1]:
            level = level.setdefault(name, {})
        level[column.place[-1]] = column.type
    return _compile(tree, wkt=wkt)


def _compile(tree: dict[str, Any], *, wkt: bool) -> Pick:
    plain = [name for name, kind in tree.items() if isinstance(kind, str) and kind not in (*_GEO, "dateTime")]
    special = [(name, kind) for name, kind in tree.items() if isinstance(kind, str) and name not in plain]
    groups = [(name, _compile(kind, wkt=wkt)) for name, kind in tree.items() if isinstance(kind, dict)]

    def pick(values: dict[str, Any]) -> dict[str, Any]:
        picked = {name: values.get(name) for name in plain}
        for name, kind in special:
            value = values.get(name)
            picked[name] = None if value is None else convert(str(value), kind, wkt=wkt)
        for name, inner in groups:
            found = values.get(name)
            picked[name] = inner(found if isinstance(found, dict) else {})
        return picked

    return pick


def convert(text: str, kind: str, *, wkt: bool = False) -> Any:
    if kind == "dateTime":
        return complete_zone(text)
    points = [point for part in text.split(";") if (point := _read_point(part))]
    if not points:
        return None
    return _write_wkt(points, kind) if wkt else _write_geojson(points, kind)


def _read_point(text: str) -> list[float] | None:
    """Latitude, longitude, altitude, accuracy, as Collect writes them."""
    try:
        numbers = [float(part) for part in text.split()]
    except ValueError:
        return None
    return numbers if len(numbers) >= 2 else None


def _write_wkt(points: list[list[float]], kind: str) -> str:
    written = ",".join(" ".join(f"{one:g}" if one % 1 else str(int(one)) for one in _turn(point)) for point in points)
    if kind == "geopoint":
        return f"POINT ({written})"
    return f"LINESTRING ({written})" if kind == "geotrace" else f"POLYGON (({written}))"


def _write_geojson(points: list[list[float]], kind: str) -> dict[str, Any]:
    places = [_turn(point) for point in points]
    accuracies = [point[3] if len(point) > 3 else None for point in points]
    if kind == "geopoint":
        made: dict[str, Any] = {"type": "Point", "coordinates": places[0]}
        return made | ({"properties": {"accuracy": accuracies[0]}} if accuracies[0] is not None else {})
    made = {"type": "LineString", "coordinates": places}
    if kind == "geoshape":
        made = {"type": "Polygon", "coordinates": [places]}
    return made | ({"properties": {"accuracies": accuracies}} if any(accuracies) else {})


def _turn(point: list[float]) -> list[float]:
    """Longitude comes first outside of Collect."""
    latitude, longitude, *more = point
    return [longitude, latitude, *more[:1]]


def put_at(row: dict[str, Any], place: Sequence[str], value: Any, suffix: str = "") -> None:
    level = row
    for name in place[:-1]:
        level = level.setdefault(name, {})
    level[f"{place[-1]}{suffix}"] = value


def _link(table: Table, instance_id: str, key: str) -> str:
    """The address of a row, from the service on."""
    if table.parent is None:
        # The colon that nearly all names have would send `quote` sign by sign through the rest.
        return f"Submissions('{'%3A'.join(map(quote, instance_id.split(':')))}')"
    above = _link(table.parent, instance_id, parent_key(table, key))
    return f"{above}/{'/'.join(table.place)}('{row_id(instance_id, key)}')"


class RowWriter:
    """Writes the rows of one table, with links to its repeats or with the repeats themselves."""

    def __init__(
        self, table: Table, picks: dict[str, Pick], *, expand: bool, system: Sequence[str], ids: Collection[str] | None
    ) -> None:
        self.table, self.picks, self.expand, self.system, self.ids = table, picks, expand, system, ids

    def write_record(self, record: Record, repeats: dict[int | None, list[tuple[Table, RepeatRow]]]) -> dict[str, Any]:
        row = self._name({"__id": record.instance_id})
        if self.system:
            told = write_system(record)
            row["__system"] = told if self.system is SYSTEM else {name: told[name] for name in self.system}
        row |= self.picks[""](record.read_answers())
        self._add_repeats(row, self.table, 0, record.instance_id, _link(self.table, record.instance_id, ""), repeats)
        return row

    def write_repeat(self, table: Table, one: RepeatRow, instance_id: str) -> dict[str, Any]:
        above = table.parent.odata_name.replace(".", "-") if table.parent else "Submissions"
        parent = row_id(instance_id, parent_key(table, one.key))
        row = self._name({"__id": row_id(instance_id, one.key), f"__{above}-id": parent})
        row |= self.picks[table.name](one.read_answers())
        self._add_repeats(row, table, one.number, instance_id, _link(table, instance_id, one.key), {})
        return row

    def _name(self, ids: dict[str, Any]) -> dict[str, Any]:
        return ids if self.ids is None else {name: value for name, value in ids.items() if name in self.ids}

    def _add_repeats(
        self, row: dict[str, Any], table: Table, number: int, instance_id: str, path: str,
        repeats: dict[int | None, list[tuple[Table, RepeatRow]]],
    ) -> None:  # fmt: skip
        for repeat in table.repeats:
            if repeat.name not in self.picks:
                continue
            here = f"{path}/{'/'.join(repeat.place)}"
            put_at(row, repeat.place, here, "@odata.navigationLink")
            if not self.expand:
                continue
            turns = []
            for of_table, one in repeats.get(number, ()):
                if of_table.name == repeat.name:
                    key = row_id(instance_id, one.key)
                    turn = {"__id": key} | self.picks[repeat.name](one.read_answers())
                    self._add_repeats(turn, repeat, one.number, instance_id, f"{here}('{key}')", repeats)
                    turns.append(turn)
            put_at(row, repeat.place, turns)
