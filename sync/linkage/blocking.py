"""Which records are worth comparing: hashed keys of what two records of one person are likely to share."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from hashlib import blake2b
from typing import NamedTuple

from sync.linkage.features import Features

# A key that more than one in so many of the records share that a model learns from is too common to be looked up. Of
# 50,000 invented records (means of three sets) each meets 25 others so instead of 60, at p95 60 instead of 172; .984 of
# them find their person instead of .988, and of the true pairs that can change a link .9971 are met instead of .9976.
_COMMON_SHARE = 400
# From 400,000 records on a share would be more than one new record can be weighed against in some milliseconds.
_FEWEST_COMMON, MOST_COMMON = 50, 1_000


class Key(NamedTuple):
    """One key. Two records meet where the hashes are the same and the years no further apart than either may be off."""

    hash: int
    year: int = 0
    spread: int = 0


def find_keys(record: Features, too_common: Set[int] = frozenset()) -> list[Key]:
    """The keys of a record, without those that the model found too common to be looked up.

    However many have written the same number, two records with an equal document are never strangers.
    """
    document = [Key(_hash(("document", record.document)))] if record.document else []
    others = (*_plain_keys(record), *_dated_keys(record))
    return document + [key for key in others if key.hash not in too_common]


def meet(one: Key, other: Key) -> bool:
    """Whether two keys make their records candidates; the same whichever comes first."""
    return one.hash == other.hash and abs(one.year - other.year) <= max(one.spread, other.spread)


def find_candidates(keys: Sequence[list[Key]]) -> Iterator[tuple[int, int]]:
    """Pairs of positions, smaller first, that share a key; each pair once, in order."""
    blocks: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for position, own in enumerate(keys):
        met: set[int] = set()
        for key in own:
            block = blocks[key.hash]
            met.update(
                other
                for other, year, spread in block
                if -(widest := max(spread, key.spread)) <= year - key.year <= widest
            )
            block.append((position, key.year, key.spread))
        for other in sorted(met - {position}):
            yield other, position


def find_too_common(keys: Iterable[list[Key]], most: int) -> frozenset[int]:
    """The keys that more than `most` records share."""
    counts = Counter(key.hash for own in keys for key in own)
    return frozenset(hashed for hashed, count in counts.items() if count > most)


def find_most_common(records: int) -> int:
    """How many records of so many may share a key that is looked up."""
    return min(MOST_COMMON, max(_FEWEST_COMMON, records // _COMMON_SHARE))


def _plain_keys(one: Features) -> Iterator[Key]:
    """Keys without a year: phone, birth day and mother, each with one more thing."""
    given, family, mother = one.given_1, one.family_key, one.mother_given
    for parts in (
        ("phone given", one.phone, given),
        ("phone family", one.phone, family),
        ("day family", one.birth_day, family),
        ("day given", one.birth_day, given),
        ("day sex nation", one.birth_day, one.sex, one.nation),
        ("day place", one.birth_day, one.place_key),
        ("day mother", one.birth_day, mother),
        ("phone mother", one.phone, mother),
        ("phone place", one.phone, one.place_key),
        ("mother place", mother, one.mother_family, one.place_key),
        ("mother family place", mother, family, one.place_key),
        ("mother given place", mother, given, one.place_key),
        ("mother given", mother, one.mother_family, given),
        ("mother family", mother, one.mother_family, family),
        ("names mother", family, given, mother),
        ("names place", family, given, one.place_key),
    ):
        if all(parts):
            yield Key(_hash(parts))


def _dated_keys(one: Features) -> Iterator[Key]:
    """Keys that hold within some years of birth; without any birth they would meet everybody and are left out."""
    if one.birth_year is None or one.birth_spread is None:
        return
    given, family, mother, others = one.given_1, one.family_key, one.mother_given, (one.given_2, one.given_3)
    names = [("names", *sorted((family, name))) for name in (given, *others) if family and name]
    for parts in (
        *names,
        ("family place", family, one.place_key),
        ("given place", given, one.place_key),
        ("family nation", family, one.nation, one.sex),
        ("given nation", given, one.nation, one.sex),
        ("given mother", given, mother),
        ("mother", mother, one.mother_family),
        ("phone", one.phone),
    ):
        if all(parts):
            yield Key(_hash(parts), one.birth_year, one.birth_spread)


def _hash(parts: tuple[str | None, ...]) -> int:
    """A signed 64-bit number: what a bigint column holds, and equal on every machine."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
