"""The rows behind linkage, read and written many at once. What they mean is link_fold.py's work.

A record is spoken of by its home (models/linkage.py); an identity is what a model reads of records that say the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from sync.among import Numbers, among
from sync.db import add_rows
from sync.link_verdicts import drop_questions
from sync.linkage.blocking import MOST_COMMON, Key, find_keys
from sync.linkage.features import Cleaner, Features, pack, unpack
from sync.linkage.score import Scorer
from sync.linkage.words import list_words
from sync.models import (
    LinkChange,
    LinkIdentity,
    LinkKey,
    LinkMember,
    LinkPair,
    LinkWord,
    Person,
    PersonRecord,
    Submission,
)


class PairRow(NamedTuple):
    """Two identities that are worth a look, as seen from the first."""

    one: int
    other: int
    bits: float
    corroborated: bool
    conflict: bool


class Identity(NamedTuple):
    """An identity as the fold weighs it. `own_bits` and those of pairs are without the prior."""

    id: int
    records: int
    own_bits: float
    own_corroborated: bool

    @property
    def own_pair(self) -> PairRow:
        """Two records that say the same."""
        return PairRow(self.id, self.id, self.own_bits, self.own_corroborated, conflict=False)


class Membership(NamedTuple):
    """Where a record stands under a model: its identity, and its site."""

    identity: int
    site_id: int | None


class RecordRow(NamedTuple):
    """A record in the registry, with the person that it is linked to by now."""

    identity: int
    home: int
    reference: str
    person: int
    ended_at: datetime | None
    instance_id: str
    path: str
    site_id: int | None

    @property
    def order(self) -> tuple[bool, datetime | None, str, str]:
        """What records are ordered by: the first one names its person."""
        return self.ended_at is None, self.ended_at, self.instance_id, self.path

    @property
    def visit(self) -> tuple[int, date] | None:
        """Where and on which day it was made, as LinkRecord tells it."""
        return (self.site_id, self.ended_at.date()) if self.site_id and self.ended_at else None


# Statements are built once: SQLAlchemy's building and hashing would cost more than SQLite's running them.
_member, _identity, _pair, _key = (one.__table__ for one in (LinkMember, LinkIdentity, LinkPair, LinkKey))
_of_model = _member.c.model_id == bindparam("model_id")
_MEMBERS = select(_member.c.home_id, _member.c.identity_id, _member.c.site_id).where(
    _of_model, among(_member.c.home_id)
)
_FORGET_MEMBERS = delete(LinkMember).where(_of_model, among(_member.c.home_id))
_BY_FINGERPRINT = select(_identity.c.fingerprint, _identity.c.id).where(
    _identity.c.model_id == bindparam("model_id"),
    _identity.c.fingerprint.in_(bindparam("fingerprints", expanding=True)),
)
_ADD_IDENTITY = insert(LinkIdentity).returning(LinkIdentity.fingerprint, LinkIdentity.id)
_COUNT = (
    update(LinkIdentity)
    .where(_identity.c.id == bindparam("key"))
    .values(records=_identity.c.records + bindparam("more"))
)
_UNUSED = select(_identity.c.id, _identity.c.features).where(among(_identity.c.id), _identity.c.records == 0)
_FORGET_IDENTITIES = delete(LinkIdentity).where(among(_identity.c.id))
_FORGET_KEY = delete(LinkKey).where(
    _key.c.model_id == bindparam("of_model"),
    _key.c.hash == bindparam("of_hash"),
    _key.c.year == bindparam("of_year"),
    _key.c.identity_id == bindparam("of_identity"),
)
_FORGET_WORD = delete(LinkWord).where(
    LinkWord.__table__.c.model_id == bindparam("of_model"),
    LinkWord.__table__.c.word == bindparam("of_word"),
    LinkWord.__table__.c.identity_id == bindparam("of_identity"),
)
_PAIRS = select(*(_pair.c[name] for name in ("one_id", "other_id", "bits", "corroborated", "conflict"))).where(
    among(_pair.c.one_id), _pair.c.bits >= bindparam("least")
)
_FORGET_PAIR = delete(LinkPair).where(_pair.c.one_id == bindparam("one"), _pair.c.other_id == bindparam("another"))
_IDENTITIES = select(*(_identity.c[name] for name in ("id", "records", "own_bits", "own_corroborated"))).where(
    among(_identity.c.id)
)
_RECORDS = (
    select(
        _member.c.identity_id, _member.c.home_id, Person.reference, PersonRecord.person_id, PersonRecord.ended_at,
        Submission.instance_id, PersonRecord.path, PersonRecord.site_id,
    )
    .join(Person, Person.id == _member.c.home_id)
    .join(PersonRecord, PersonRecord.home_id == _member.c.home_id)
    .join(Submission, Submission.id == PersonRecord.submission_id)
    .where(_of_model)
)  # fmt: skip
_OF_IDENTITIES = _RECORDS.where(among(_member.c.identity_id))
_OF_HOMES = _RECORDS.where(among(_member.c.home_id))
_OF_PERSONS = _RECORDS.where(among(PersonRecord.person_id))
_LINKED = _OF_IDENTITIES.where(PersonRecord.person_id != _member.c.home_id)
_ranked = (
    select(
        _member.c.identity_id,
        _member.c.home_id,
        func.row_number().over(partition_by=_member.c.identity_id, order_by=Person.reference).label("place"),
    )
    .join(Person, Person.id == _member.c.home_id)
    .where(_of_model, among(_member.c.identity_id))
    .subquery()
)
_FIRST = _RECORDS.join(_ranked, _ranked.c.home_id == _member.c.home_id).where(_ranked.c.place <= 2)
_MOVE = (
    update(PersonRecord)
    .where(PersonRecord.__table__.c.home_id == bindparam("home"))
    .values(person_id=bindparam("person"))
)
_PROBE = ("mine", "hash", "year", "low", "high", "spread")
# One question for all keys of all records: each row of it walks a piece of the clustered key table. SQLite is to read
# each out of the JSON once, and not for every record that has the key.
_MEET = {
    "sqlite": text("""
        WITH p AS MATERIALIZED (
            SELECT value ->> 0 AS mine, value ->> 1 AS hash, value ->> 2 AS year, value ->> 3 AS low,
                   value ->> 4 AS high, value ->> 5 AS spread
            FROM json_each(:probes)
        )
        SELECT p.mine, k.identity_id FROM p CROSS JOIN link_keys AS k
        WHERE k.model_id = :model_id AND k.hash = p.hash AND k.year BETWEEN p.low AND p.high
        AND abs(k.year - p.year) <= max(k.spread, p.spread)
    """),
    "postgresql": text("""
        SELECT p.mine, k.identity_id
        FROM unnest(CAST(:mine AS integer[]), CAST(:hash AS bigint[]), CAST(:year AS integer[]),
                    CAST(:low AS integer[]), CAST(:high AS integer[]), CAST(:spread AS integer[]))
             AS p (mine, hash, year, low, high, spread)
        JOIN link_keys AS k ON k.model_id = :model_id AND k.hash = p.hash AND k.year BETWEEN p.low AND p.high
        WHERE abs(k.year - p.year) <= greatest(k.spread, p.spread)
    """).bindparams(*(bindparam(name, type_=Numbers()) for name in _PROBE)),
}
_FEATURES = select(_identity.c.id, _identity.c.features).where(among(_identity.c.id))
_CROWDED = select(func.count()).select_from(
    select(_key.c.hash)
    .where(_key.c.model_id == bindparam("model_id"))
    .group_by(_key.c.hash)
    .having(func.count() > MOST_COMMON)
    .subquery()
)
# How far apart two years of birth may ever be and still meet: the widest spread of features.py.
_WIDEST = 4


def find_members(connection: Connection, model_id: int, homes: Collection[int]) -> dict[int, int]:
    """The identities that these records have under the model, by home."""
    return {home: one.identity for home, one in find_memberships(connection, model_id, homes).items()}


def find_memberships(connection: Connection, model_id: int, homes: Collection[int]) -> dict[int, Membership]:
    """Where these records stand under the model, by home."""
    rows = connection.execute(_MEMBERS, {"model_id": model_id, "ids": homes})
    return {home: Membership(identity, site) for home, identity, site in rows}


def place_members(
    connection: Connection, model_id: int, homes: Collection[int], placed: Mapping[int, Membership]
) -> None:
    """Take these records out of their identities, and put those that are placed into theirs."""
    if homes:
        connection.execute(_FORGET_MEMBERS, {"model_id": model_id, "ids": homes})
    if placed:
        rows = [
            {"model_id": model_id, "home_id": home, "identity_id": one.identity, "site_id": one.site_id}
            for home, one in placed.items()
        ]
        add_rows(connection, LinkMember, rows)


def count_records(connection: Connection, more: Mapping[int, int]) -> None:
    """Add to how many records say an identity."""
    rows = [{"key": key, "more": count} for key, count in sorted(more.items()) if count]
    if rows:
        connection.execute(_COUNT, rows)


def find_fingerprint(packed: bytes) -> bytes:
    """The name of an identity: equal where the packed features are."""
    return blake2b(packed, digest_size=16).digest()


def find_identities(connection: Connection, model_id: int, fingerprints: Collection[bytes]) -> dict[bytes, int]:
    """Which of these identities are here already."""
    given = {"model_id": model_id, "fingerprints": list(fingerprints)}
    return {bytes(row.fingerprint): row.id for row in connection.execute(_BY_FINGERPRINT, given)}


def add_identities(
    connection: Connection, model_id: int, scorer: Scorer, new: Sequence[tuple[Features, bool]]
) -> list[int]:
    """Make identities, each with whether two such records are corroborated; nobody says them yet."""
    rows: list[dict[str, Any]] = []
    for features, corroborated in new:
        packed = pack(features)
        row = {"model_id": model_id, "fingerprint": find_fingerprint(packed), "features": packed, "records": 0}
        rows.append(row | {"own_bits": scorer.compare(features, features), "own_corroborated": corroborated})
    # Given back in any order they come in one statement; in the order given SQLite would take a statement for each.
    ids = {bytes(fingerprint): identity for fingerprint, identity in connection.execute(_ADD_IDENTITY, rows)}
    return [ids[row["fingerprint"]] for row in rows]


def add_keys(connection: Connection, model_id: int, keys: Mapping[int, Iterable[Key]]) -> None:
    """Make identities findable by their keys."""
    rows = [
        {"model_id": model_id, "hash": key.hash, "year": key.year, "identity_id": identity, "spread": key.spread}
        for identity, own in keys.items()
        for key in dict.fromkeys(own)
    ]
    add_rows(connection, LinkKey, rows)


def add_words(connection: Connection, model_id: int, cleaner: Cleaner, new: Mapping[int, Features]) -> None:
    """Make identities findable by people (lookup.py)."""
    rows = [
        {"model_id": model_id, "word": word, "identity_id": identity, "year": one.birth_year}
        for identity, one in new.items()
        for word in sorted(list_words(cleaner, one))
    ]
    add_rows(connection, LinkWord, rows)


def count_crowded(connection: Connection, model_id: int) -> int:
    """How many keys more identities share by now than any should: the model was made for another registry."""
    return int(connection.execute(_CROWDED, {"model_id": model_id}).scalar_one())


def find_candidates(connection: Connection, model_id: int, keys: Mapping[int, Iterable[Key]]) -> set[tuple[int, int]]:
    """Identities that share a key with these: pairs of one of these and another, each once."""
    probes = [
        (mine, key.hash, key.year, key.year - widest, key.year + widest, key.spread)
        for mine, own in keys.items()
        for key in own
        for widest in [_WIDEST if key.spread else 0]
    ]
    if not probes:
        return set()
    given: dict[str, Any] = {"probes": orjson.dumps(probes).decode()}
    if (dialect := connection.dialect.name) == "postgresql":
        given = dict(zip(_PROBE, zip(*probes, strict=True), strict=True))
    rows = connection.execute(_MEET[dialect], {"model_id": model_id} | given).all()
    return {(mine, other) for mine, other in rows if mine != other}


def read_features(connection: Connection, identities: Collection[int]) -> dict[int, Features]:
    """What a model reads of records with these identities."""
    rows = connection.execute(_FEATURES, {"ids": identities}).all()
    return {number: unpack(packed) for number, packed in rows}


def add_pairs(connection: Connection, pairs: Iterable[PairRow]) -> None:
    """Write pairs down, both ways round."""
    rows = [
        {"one_id": one, "other_id": other, "bits": pair.bits, "corroborated": pair.corroborated,
         "conflict": pair.conflict}
        for pair in pairs
        for one, other in ((pair.one, pair.other), (pair.other, pair.one))
    ]  # fmt: skip
    add_rows(connection, LinkPair, rows)


def read_pairs(connection: Connection, identities: Collection[int], least: float) -> list[PairRow]:
    """The pairs of these identities that weigh at least so much without the prior, as seen from each of them."""
    rows = connection.execute(_PAIRS, {"ids": identities, "least": least})
    return [PairRow(*row) for row in rows]


def drop_unused(connection: Connection, model_id: int, identities: Collection[int], cleaner: Cleaner) -> list[int]:
    """Forget those of these identities that no record says any more, with all that was found of them.

    Returns the identities that were pairs of theirs.
    """
    unused = {row.id: unpack(row.features) for row in connection.execute(_UNUSED, {"ids": identities})}
    if not unused:
        return []
    pairs = [(row.one, row.other) for row in read_pairs(connection, unused, float("-inf"))]
    both = [{"one": one, "another": other} for left, right in pairs for one, other in ((left, right), (right, left))]
    if both:
        connection.execute(_FORGET_PAIR, both)
    drop_questions(connection, unused)
    _forget_findable(connection, model_id, unused, cleaner)
    connection.execute(_FORGET_IDENTITIES, {"ids": unused})
    return [other for _, other in pairs if other not in unused]


def _forget_findable(connection: Connection, model_id: int, gone: Mapping[int, Features], cleaner: Cleaner) -> None:
    keys = [
        {"of_model": model_id, "of_hash": key.hash, "of_year": key.year, "of_identity": identity}
        for identity, features in gone.items()
        for key in find_keys(features)
    ]
    if keys:
        connection.execute(_FORGET_KEY, keys)
    words = [
        {"of_model": model_id, "of_word": word, "of_identity": identity}
        for identity, features in gone.items()
        for word in list_words(cleaner, features)
    ]
    if words:
        connection.execute(_FORGET_WORD, words)


def read_identities(connection: Connection, identities: Collection[int]) -> dict[int, Identity]:
    """These identities, by id."""
    rows = connection.execute(_IDENTITIES, {"ids": identities})
    return {row.id: Identity(*row) for row in rows}


def read_records(connection: Connection, model_id: int, identities: Collection[int]) -> list[RecordRow]:
    """All records that say one of these identities."""
    return _read_records(connection, _OF_IDENTITIES, model_id, identities)


def read_records_at(connection: Connection, model_id: int, homes: Collection[int]) -> list[RecordRow]:
    """The records of these homes that are in the registry."""
    return _read_records(connection, _OF_HOMES, model_id, homes)


def read_records_of(connection: Connection, model_id: int, persons: Collection[int]) -> list[RecordRow]:
    """All records that are linked to these persons by now."""
    return _read_records(connection, _OF_PERSONS, model_id, persons)


def read_first_records(
    connection: Connection, model_id: int, identities: Collection[int]
) -> dict[int, list[RecordRow]]:
    """For each identity the two records with the least references of those that say it."""
    first: dict[int, list[RecordRow]] = {}
    for one in sorted(_read_records(connection, _FIRST, model_id, identities), key=lambda record: record.reference):
        first.setdefault(one.identity, []).append(one)
    return first


def read_linked_records(connection: Connection, model_id: int, identities: Collection[int]) -> list[RecordRow]:
    """The records that say one of these identities and are linked to an earlier one, and the latter."""
    linked = _read_records(connection, _LINKED, model_id, identities)
    return linked + read_records_at(connection, model_id, {one.person for one in linked})


def _read_records(connection: Connection, query: Any, model_id: int, ids: Collection[int]) -> list[RecordRow]:
    rows = connection.execute(query, {"model_id": model_id, "ids": ids}) if ids else ()
    return [RecordRow(*row) for row in rows]


def move_records(connection: Connection, moves: Mapping[int, int]) -> None:
    """Link records to other persons, by home."""
    if moves:
        connection.execute(_MOVE, [{"home": home, "person": person} for home, person in sorted(moves.items())])


def add_changes(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what linking moved."""
    add_rows(connection, LinkChange, rows)
