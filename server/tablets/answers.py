"""Answers that a person could give to a question, the likely ones first. Which one the form accepts, it says itself."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from random import Random

from forms.definition import Field
from server.tablets.patterns import sample_pattern
from server.tablets.people import NATIONALITIES
from server.tablets.zones import write_passport

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_BOUND = re.compile(r"\.\s*(>=|<=|>|<)\s*(-?\d+)\b")
_PATTERN = re.compile(r"""regex\(\s*\.\s*,\s*("[^"]*"|'[^']*')\s*\)""")
_WIDEST = 1500
_SAMPLES = 600
_WORDS = ("rien à signaler", "vu avec le chef de poste", "attend un parent", "à revoir demain", "sans bagage", "calme")


@dataclass(slots=True)
class Asked:
    """One question in its record. `person` is what the registry's names say of the person at hand."""

    question: Field
    choices: list[str]
    now: datetime
    rng: Random
    person: dict[str, str]
    site: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def rule(self) -> str:
        return self.question.constraint or ""


def list_answers(asked: Asked) -> Iterator[str]:
    """Answers to try, at most some hundreds."""
    control = asked.question.control
    if control in ("select", "rank") or asked.choices:
        return _choices(asked)
    if control == "select1":
        return iter(())
    if control == "trigger":
        return iter(("OK",))
    return _BY_TYPE.get(asked.question.type, _texts)(asked)


def _choices(asked: Asked) -> Iterator[str]:
    choices, rng = asked.choices, asked.rng
    if asked.question.control == "rank":
        yield " ".join(rng.sample(choices, len(choices)))
        return
    if asked.question.control == "select":
        for _ in range(20 if choices else 0):
            yield " ".join(rng.sample(choices, min(len(choices), 1 + int(rng.expovariate(0.8)))))
        return
    known = [asked.person.get(asked.question.person or ""), asked.site]
    if asked.question.encounter in ("origin", "destination"):
        known.append(rng.choice(NATIONALITIES))
    yield from (one for one in known if one in choices)
    yield from rng.sample(choices, len(choices))


def _integers(asked: Asked) -> Iterator[str]:
    least, most = _bounds(asked)
    if asked.question.person in asked.person:
        yield asked.person[asked.question.person or ""]
    for _ in range(12):
        yield str(min(most, least + int(asked.rng.expovariate(0.4))))
    yield from (text for text in _NUMBER.findall(asked.rule) if "." not in text)
    yield from map(str, range(least, min(most, least + _WIDEST) + 1))


def _bounds(asked: Asked) -> tuple[int, int]:
    least, most = 0, 10**6
    for sign, text in [*_BOUND.findall(asked.rule), *_range_bounds(asked)]:
        if sign[0] == ">":
            least = max(least, int(text) + (sign == ">"))
        else:
            most = min(most, int(text) - (sign == "<"))
    return least, max(least, most)


def _range_bounds(asked: Asked) -> list[tuple[str, str]]:
    """What a slider says of its ends."""
    ends = ((">=", asked.attributes.get("start")), ("<=", asked.attributes.get("end")))
    return [(sign, text.partition(".")[0]) for sign, text in ends if text]


def _decimals(asked: Asked) -> Iterator[str]:
    if asked.attributes.get("step"):
        yield asked.attributes["start"]
    yield from (f"{int(text)}.{asked.rng.randrange(1, 10)}" for text in islice(_integers(asked), 12))
    yield from _NUMBER.findall(asked.rule)
    yield from _integers(asked)


def _texts(asked: Asked) -> Iterator[str]:
    zone = _zone_line(asked)
    if zone:
        yield zone
    if asked.question.person in asked.person:
        yield asked.person[asked.question.person or ""]
    patterns = _PATTERN.findall(asked.rule)
    if patterns:
        yield from (_sample(pattern[1:-1], asked.rng) for pattern in patterns for _ in range(_SAMPLES))
    yield from (str(asked.rng.randrange(10**6)),) if asked.question.type == "barcode" else ()
    yield asked.rng.choice(_WORDS)
    yield from (quoted for quoted in re.findall(r"'([^']+)'", asked.rule))
    yield from (asked.rng.choice("ABCDEFGH") * length for length in range(1, 60))


def _sample(pattern: str, rng: Random) -> str:
    try:
        return sample_pattern(pattern, rng)
    except (ValueError, IndexError, KeyError):
        return ""


def _zone_line(asked: Asked) -> str:
    """Questions that the library calls mrz1, mrz2 and mrz_scan are about the passport of the person at hand."""
    name, person = asked.question.name, asked.person
    if not name.startswith("mrz") or "family_name" not in person:
        return ""
    # Both lines are written for the same document, whichever is asked first.
    lines = write_passport(person, Random(person["document_number"]), asked.now.date())  # noqa: S311
    return {"mrz1": lines[0], "mrz2": lines[1], "mrz3": ""}.get(name, "".join(lines))


def _dates(asked: Asked) -> Iterator[str]:
    if asked.question.person in asked.person:
        yield asked.person[asked.question.person or ""]
    today, rng = asked.now.date(), asked.rng
    yield (today - timedelta(days=rng.randrange(0, 3))).isoformat()
    yield from ((today + timedelta(days=days)).isoformat() for days in (0, -1, 1, -7, 7, -30, 30, -365, 365))
    yield from ((today - timedelta(days=rng.randrange(60 * 365))).isoformat() for _ in range(40))
    for text in re.findall(r"\d{4}-\d{2}-\d{2}", asked.rule):
        yield from ((date.fromisoformat(text) + timedelta(days=days)).isoformat() for days in (0, 1, -1, 40))


def _moments(asked: Asked) -> Iterator[str]:
    for minutes in (asked.rng.randrange(1, 15), 0, 60, 1440, -60, -1440, 10_080):
        yield _spell_now(asked.now - timedelta(minutes=minutes))
    yield from (f"{text}T{_clock(asked.now)}" for text in _dates(asked))


def _times(asked: Asked) -> Iterator[str]:
    yield from (_clock(asked.now - timedelta(hours=hours)) for hours in range(24))


def _spell_now(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT}{_clock(moment)}"


def _clock(moment: datetime) -> str:
    """JavaRosa's clock: milliseconds, then Z or the zone."""
    zone = moment.strftime("%z")
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}{'Z' if zone == '+0000' else f'{zone[:3]}:{zone[3:]}'}"


def _points(asked: Asked) -> Iterator[str]:
    yield make_point(asked.rng)


def _lines(asked: Asked) -> Iterator[str]:
    points = [make_point(asked.rng) for _ in range(4)]
    yield "; ".join([*points, points[0]] if asked.question.type == "geoshape" else points)


def make_point(rng: Random) -> str:
    """A fix somewhere in Senegal."""
    latitude, longitude = rng.uniform(12.6, 16.5), rng.uniform(-16.9, -12.2)
    return f"{latitude:.6f} {longitude:.6f} {rng.uniform(0, 60):.1f} {rng.uniform(3, 12):.1f}"


_BY_TYPE: dict[str, Callable[[Asked], Iterator[str]]] = {
    "int": _integers, "decimal": _decimals, "date": _dates, "dateTime": _moments, "time": _times,
    "geopoint": _points, "geotrace": _lines, "geoshape": _lines, "boolean": lambda _asked: iter(("1", "0")),
}  # fmt: skip
