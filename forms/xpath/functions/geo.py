"""Places: area, distance and geofence on JavaRosa's sphere, and Collect's own intersects."""

import itertools
import math
import re
from collections.abc import Callable, Iterable

from forms.node import Node
from forms.xpath.environment import Environment, value_of
from forms.xpath.errors import CannotVerify
from forms.xpath.functions.nodesets import nodes_of
from forms.xpath.part import Part, Scope, builder, function, refuse_kind, scalar
from forms.xpath.syntax import Number, Syntax
from forms.xpath.values import JAVA_SPACE, Value, java_double, to_text

RADIUS_M = 6_378_100
CIRCUMFERENCE_M = 2 * RADIUS_M * math.pi
# Double.parseDouble takes an exponent and a type letter.
JAVA_NUMBER = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)", re.ASCII)

Point = tuple[float, float]


def parse_java_double(text: str) -> float | None:
    """What Double.parseDouble reads, or None."""
    text = text.strip(JAVA_SPACE)
    if JAVA_NUMBER.fullmatch(text) is None:
        return None
    return float(text.rstrip("fFdD") if text[-1] in "fFdD" else text)


def parse_geopoint(text: str) -> tuple[float, float, float, float] | None:
    """Latitude, longitude, altitude, accuracy; what is missing is 0. None if it is no geopoint."""
    numbers = [parse_java_double(piece) for piece in text.split(" ") if piece]
    if len(numbers) > 4 or None in numbers:
        return None
    padded = [number or 0.0 for number in numbers] + [0.0] * 4
    return padded[0], padded[1], padded[2], padded[3]


def parse_geopoints(text: str) -> list[tuple[float, float, float, float]] | None:
    """The points of a trace or shape, or None."""
    points = [parse_geopoint(part.strip(JAVA_SPACE)) for part in java_split(text)]
    return None if None in points else [point for point in points if point is not None]


def java_split(text: str) -> list[str]:
    """String.split(";"): empty pieces at the end do not count, but the empty text is one piece."""
    pieces = text.split(";")
    while len(pieces) > 1 and not pieces[-1]:
        pieces.pop()
    return pieces if pieces[0] or len(pieces) > 1 or not text else []


def geopoint_text(point: tuple[float, float, float, float]) -> str:
    """How a geopoint reads in an expression: four Java doubles, or "" when all are 0."""
    return " ".join(map(java_double, point)) if any(point) else ""


def _points(texts: Iterable[str], name: str) -> list[Point]:
    found = [parse_geopoint(text) for text in texts]
    if None in found:
        raise CannotVerify("cannot_use_function", name=name)
    return [point[:2] for point in found if point is not None]


def _shape(found: list[Node], environment: Environment, name: str) -> list[Point]:
    """One node is a trace or shape; several are the points of one."""
    texts = [to_text(value_of(node, environment)) for node in found]
    if len(texts) == 1:
        points = parse_geopoints(texts[0])
        if points is None:
            raise CannotVerify("cannot_use_function", name=name)
        return [point[:2] for point in points]
    return _points(texts, name)


@builder("area", "enclosed-area", counts=lambda count: count == 1)
def area(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The area that a shape, or the points of a repeat, enclose."""
    nodes = nodes_of(parts[0], "area")

    def evaluate(node: Node, environment: Environment) -> Value:
        return area_m2(_shape(nodes(node, environment), environment, "area"))

    return scalar(syntax, evaluate, "number")


def area_m2(points: list[Point]) -> float:
    """The area inside the points, projected to the plane at the first of them."""
    if len(points) < 3:
        return 0.0
    latitude, longitude = points[0]
    ys = [(lat - latitude) * CIRCUMFERENCE_M / 360.0 for lat, _long in points[1:]]
    xs = [(long - longitude) * CIRCUMFERENCE_M * math.cos(math.radians(lat)) / 360.0 for lat, long in points[1:]]
    return abs(sum((ys[i - 1] * xs[i] - xs[i - 1] * ys[i]) / 2 for i in range(1, len(xs))))


@builder("distance", counts=lambda count: count >= 1)
def distance(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The length of a trace, of the way through the points of a repeat, or through all arguments."""
    find = _points_of_one(parts[0]) if len(parts) == 1 else _points_of_all(parts)
    return scalar(syntax, lambda node, environment: length_m(find(node, environment)), "number")


def _points_of_all(parts: list[Part]) -> Callable[[Node, Environment], list[Point]]:
    texts = [part.text() for part in parts]
    return lambda node, environment: _points([text(node, environment) for text in texts], "distance")


def _points_of_one(part: Part) -> Callable[[Node, Environment], list[Point]]:
    if isinstance(part.syntax, Number):
        raise refuse_kind("distance")
    raw = part.raw

    def find(node: Node, environment: Environment) -> list[Point]:
        found = raw(node, environment)
        if isinstance(found, list):
            return _shape(found, environment, "distance")
        if not isinstance(found, str):
            raise CannotVerify("cannot_use_function", name="distance")
        return _points(java_split(found), "distance")

    return find


def length_m(points: list[Point]) -> float:
    """The length of the way through the points, by the spherical law of cosines."""
    total = 0.0
    for start, end in itertools.pairwise(points):
        total += _distance_m(start, end)
    return total


def _distance_m(start: Point, end: Point) -> float:
    turn = math.radians(start[1] - end[1])
    first, second = math.radians(start[0]), math.radians(end[0])
    cosine = math.sin(first) * math.sin(second) + math.cos(first) * math.cos(second) * math.cos(turn)
    return math.acos(cosine) * RADIUS_M if -1 <= cosine <= 1 else math.nan


@builder("geofence", counts=lambda count: count == 2)
def geofence(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """Whether a point lies inside a shape."""
    point, nodes = parts[0].text(), nodes_of(parts[1], "geofence")

    def evaluate(node: Node, environment: Environment) -> Value:
        (here,) = _points([point(node, environment)], "geofence")
        return inside(here, _shape(nodes(node, environment), environment, "geofence"))

    return scalar(syntax, evaluate, "boolean")


def inside(point: Point, shape: list[Point]) -> bool:
    """Whether a point lies in a closed shape: a ray from it crosses the edges an odd number of times."""
    latitude, longitude = point
    within = False
    for (lat1, long1), (lat2, long2) in itertools.pairwise(shape):
        if (lat2 > latitude) != (lat1 > latitude):
            crossing = (long1 - long2) * (latitude - lat2) / (lat1 - lat2) + long2
            within ^= longitude < crossing
    return within


@function("intersects", least=1, kind="boolean")
def intersects(value: Value) -> Value:
    """Whether a trace or shape crosses itself (a function of Collect's, unknown to JavaRosa)."""
    points: list[Point] = []
    for vertex in to_text(value).split(";"):
        if not vertex:
            return False
        points.append(_vertex(vertex))
    return len(points) >= 3 and _crosses_itself(points)


def _vertex(text: str) -> Point:
    numbers = [parse_java_double(piece) for piece in text.strip().split(" ")[:4]]
    if None in numbers:
        raise CannotVerify("cannot_use_function", name="intersects")
    return numbers[0] or 0.0, (numbers[1] or 0.0) if len(numbers) > 1 else 0.0


Segment = tuple[Point, Point]


def _crosses_itself(points: list[Point]) -> bool:
    segments = [(start, end) for start, end in itertools.pairwise(points) if start != end]
    closed, last = points[0] == points[-1], len(segments) - 1
    for first in range(len(segments)):
        for second in range(first + 1, len(segments)):
            joined = second == first + 1
            if closed and first == 0 and second == last and len(segments) != 2:
                continue
            if _segments_meet(segments[first], segments[second], joined):
                return True
    return False


def _segments_meet(one: Segment, other: Segment, joined: bool) -> bool:
    (a, b), (c, d) = one, other
    turn_a, turn_d = _turn(a, c, d), _turn(a, b, d)
    if (turn_a == 0 and _between(a, other)) or (turn_d == 0 and _between(d, one)):
        return True
    if joined and b == c:
        return False
    turn_b, turn_c = _turn(b, c, d), _turn(a, b, c)
    if turn_a * turn_b < 0 and turn_c * turn_d < 0:
        return True
    return (turn_b == 0 and _between(b, other)) or (turn_c == 0 and _between(c, one))


def _turn(a: Point, b: Point, c: Point) -> int:
    product = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (product > 0) - (product < 0)


def _between(point: Point, segment: Segment) -> bool:
    (x1, y1), (x2, y2) = segment
    return min(x1, x2) <= point[0] <= max(x1, x2) and min(y1, y2) <= point[1] <= max(y1, y2)
