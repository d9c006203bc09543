"""Pairs of invented records that reach every level of every comparison, one by one or in any mixture."""

from datetime import date
from itertools import count, cycle, product
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from sync.linkage.batch import KEYS
from sync.linkage.comparisons import COMPARISONS, Part
from sync.linkage.features import Features
from sync.linkage.record import LinkRecord

Side = dict[str, Any]
Example = tuple[Side, Side]
MET = date(2026, 6, 1)


def _tell(column: str, *pairs: tuple[Any, Any]) -> list[Example]:
    return [({column: one}, {column: other}) for one, other in pairs]


def _day(year: int, month: int, day: int) -> Side:
    return {"birth_date": date(year, month, day)}


# By level, in the order of comparisons.py.
FAMILIES = _tell(
    "family_name", ("Diallo", "Diallo"), ("Diallo", "Jalloh"), ("Camara", "Kamera"), ("Dembele", "Lembele"),
    ("Diallo", ""), ("Diallo", "Ba"),
)  # fmt: skip
MOTHERS = _tell(
    "mother_name", ("Coumba Sarr", "Koumba Saar"), ("Coumba Sarr", "Toumba Sarr"), ("Coumba Sarr", "Coumba"),
    ("Coumba Sarr", "Coumba Diop"), ("Coumba Sarr", "Awa Sarr"), ("Coumba Sarr", ""), ("Coumba Sarr", "Awa Diop"),
)  # fmt: skip
PHONES = _tell("phone", ("+221 77 555 01 42", "775550142"), ("775550142", ""), ("775550142", "785550199"))
GIVEN = _tell(
    "given_name",
    *(("Fatoumata Binta", f"Fatoumatta{second}") for second in (" Binta", "", " Sira")),
    *(("Aminata Binta", f"Aminatou{second}") for second in (" Binta", "", " Sira")),
    ("Awa Sira", "Binta Sira"), ("Mariama", "Sira Mariama"), ("Lamine Awa", "Sira Lamine"),
    ("Mariama", "Nariama"), ("Mariama Awa", "Nariama Sira"), ("Awa", ""), ("Awa", "Binta"),
    ("Awa Sira", "Binta Coumba"),
)  # fmt: skip
# These say what the family name is as well.
CROSSED: list[Example] = [
    ({"family_name": "Tendeng", "given_name": one}, {"family_name": "Sagna", "given_name": other})
    for one, other in (("Sagna", "Tendeng"), ("Sagna Awa", "Tendeng Sira"))
]
BIRTHS: list[Example] = [
    (_day(1990, 5, 17), {}),
    (_day(1990, 5, 17), _day(1990, 5, 17)),
    (_day(1990, 5, 4), _day(1990, 4, 5)),
    (_day(1990, 5, 17), _day(1990, 5, 18)),
    (_day(1990, 5, 17), _day(1990, 9, 17)),
    (_day(1990, 5, 17), _day(1970, 5, 17)),
    (_day(1990, 5, 17), _day(1991, 9, 20)),
    (_day(1990, 5, 17), _day(1970, 9, 20)),
    *(({"age": 36}, {"age": age}) for age in (35, 33, 30, 20)),
    *((_day(1990, 1, 1), _day(year, 5, 17)) for year in (1990, 1991, 1993, 1970)),
    *(({"age_band": "25_59"}, told) for told in ({"age_band": "25_59"}, {"age_band": "18_24"}, {"age_band": "0_4"})),
    ({"age_band": "18_24"}, {"age": 28}),
]
SEXES = _tell("sex", ("2", "2"), ("2", ""), ("2", "1"))
NATIONS = _tell("nationality", ("SEN", "SEN"), ("SEN", ""), ("SEN", "GIN"))
PLACES = _tell("birth_place", ("Podor", "Podor"), ("Podor Nord", "Podor Sud"), ("Podor", "Podoor"), ("Podor", ""),
               ("Podor", "Matam"))  # fmt: skip
DOCUMENTS: list[Example] = [
    ({"document_type": one, "document_number": number}, {"document_type": other, "document_number": another})
    for one, number, other, another in (
        ("P", "A1234567", "P", "A1234567"), ("P", "A1234567", "", "A1234567"), ("P", "A1234567", "P", "A1234568"),
        ("P", "A12", "P", "A13"), ("P", "A1234567", "I", "A1234567"), ("P", "A1234567", "P", ""),
        ("P", "A1234567", "P", "B7654321"),
    )
]  # fmt: skip
_FIELDS = (FAMILIES, MOTHERS, PHONES, GIVEN, BIRTHS, SEXES, NATIONS, PLACES, DOCUMENTS)
# Alike in everything but the given name: what a household shares, on one day of birth.
TWINS: Example = (
    {"family_name": "Diallo", "mother_name": "Coumba Sarr", "given_name": "Awa", **_day(2020, 5, 17)},
    {"family_name": "Diallo", "mother_name": "Coumba Sarr", "given_name": "Binta", **_day(2020, 5, 17)},
)  # fmt: skip


def list_pairs() -> list[tuple[LinkRecord, LinkRecord]]:
    """Pairs that reach every cell there can be: all of a household and of an origin, the others in turn."""
    households, origins = product(FAMILIES, MOTHERS, PHONES), cycle(product(NATIONS, PLACES))
    others = (cycle(examples) for examples in (GIVEN, BIRTHS, SEXES, DOCUMENTS))
    mixed = [
        (*household, *origin, *rest) for household, origin, *rest in zip(households, origins, *others, strict=False)
    ]
    return [_make(number, *parts) for number, parts in enumerate([*mixed, *((one,) for one in (*CROSSED, TWINS))])]


def mix_pairs(many: int, seed: int) -> list[tuple[LinkRecord, LinkRecord]]:
    """So many pairs of which each field is one of the declared examples, by chance."""
    dice = Random(seed)
    return [_make(10_000 + number, *(dice.choice(examples) for examples in _FIELDS)) for number in range(many)]


def _make(number: int, *examples: Example) -> tuple[LinkRecord, LinkRecord]:
    sides = []
    for end in (0, 1):
        told: Side = {}
        for each in examples:
            told |= each[end]
        sides.append(LinkRecord(f"{number:05}{'ab'[end]}", recorded_on=MET, **told))
    return sides[0], sides[1]


def list_cells(one: Features, other: Features) -> set[tuple[str, int]]:
    """The cells that the pair reaches, and the levels of their parts."""
    return {(each.name, each.find_cell(one, other)) for each in COMPARISONS} | {
        (part.name, part.find_level(one, other)) for part in PARTS
    }


PARTS: list[Part] = [part for one in COMPARISONS for part in one.parts if len(one.parts) > 1]
_words = st.text("abdiklmnorstuwy", min_size=2, max_size=10)


@st.composite
def _slips(draw: st.DrawFn) -> tuple[str, str]:
    """A word, and the word after up to three slips."""
    word = draw(_words)
    other = word
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(other)))
        other = other[:place] + draw(st.sampled_from(["", "a", "m"])) + other[place + draw(st.integers(0, 1)) :]
    return word, other


def _slip_in(*columns: str) -> st.SearchStrategy[Example]:
    def tell(words: tuple[tuple[str, str], ...]) -> Example:
        one, other = (dict(zip(columns, said, strict=True)) for said in zip(*words, strict=True))
        return one, other

    return st.tuples(*[_slips()] * len(columns)).map(tell)


_NUMBERS = count()
# Declared examples in any mixture, either way round, or words with slips in their place.
mixtures: st.SearchStrategy[tuple[LinkRecord, LinkRecord]] = st.tuples(
    *(st.sampled_from(examples) for examples in _FIELDS),
    st.one_of(
        st.just(({}, {})),
        st.sampled_from([*CROSSED, TWINS]),
        _slip_in("family_name", "given_name"),
        _slip_in("mother_name", "birth_place", "document_number"),
    ),
    st.booleans(),
).map(lambda drawn: _make(next(_NUMBERS), *((each[::-1] if drawn[-1] else each) for each in drawn[:-1])))  # type: ignore[misc]


def let_meet(folder: Path, pairs: int) -> None:
    """Let the records 0 and 1, 2 and 3 and so on of what write_input left there be candidates, and of no others.

    They say the same few things, and by what they share each would meet hundreds. The records after them meet as usual.
    """
    known = pq.read_table(folder / KEYS, filters=[("record_id", ">=", 2 * pairs)])
    more = [{"record_id": number, "hash": number // 2, "year": 0, "spread": 0} for number in range(2 * pairs)]
    pq.write_table(pa.concat_tables([known, pa.Table.from_pylist(more, known.schema)]), folder / KEYS)
