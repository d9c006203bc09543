"""What a model reads of records that come and go: their identities, the keys by which they are found, their pairs."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from sqlalchemy import Connection

from sync import link_rows as rows
from sync.link_models import Linking
from sync.link_rows import Membership, PairRow
from sync.linkage.blocking import Key, find_keys
from sync.linkage.features import Features, pack
from sync.linkage.judging import judge
from sync.linkage.record import LinkRecord


def place_records(
    connection: Connection, linking: Linking, left: Collection[int], came: Mapping[int, LinkRecord]
) -> set[int]:
    """Give records the identities that the model reads of them; return the identities whose company changed."""
    before = rows.find_memberships(connection, linking.model_id, {*left, *came})
    features = {home: linking.model.cleaner.clean(record) for home, record in came.items()}
    identities = _find_or_add(connection, linking, features)
    placed = {home: Membership(identities[home], record.site_id) for home, record in came.items()}
    changed = {home for home in {*before, *placed} if before.get(home) != placed.get(home)}
    moved = {home: placed[home] for home in changed & placed.keys()}
    rows.place_members(connection, linking.model_id, changed & before.keys(), moved)
    old = Counter(before[home].identity for home in changed & before.keys())
    more = Counter(one.identity for one in moved.values())
    more.subtract(old)
    rows.count_records(connection, more)
    partners = rows.drop_unused(connection, linking.model_id, old, linking.model.cleaner) if old else []
    return {*old, *partners}


def _find_or_add(connection: Connection, linking: Linking, features: Mapping[int, Features]) -> dict[int, int]:
    """The identity of each record; new ones get their keys and pairs."""
    names = {home: rows.find_fingerprint(pack(one)) for home, one in features.items()}
    known = rows.find_identities(connection, linking.model_id, set(names.values())) if names else {}
    new = {names[home]: one for home, one in features.items() if names[home] not in known}
    if new:
        told = [(one, judge(one, one).corroborated) for one in new.values()]
        ids = rows.add_identities(connection, linking.model_id, linking.scorer, told)
        known |= dict(zip(new, ids, strict=True))
        _find_pairs(connection, linking, dict(zip(ids, new.values(), strict=True)))
    return {home: known[name] for home, name in names.items()}


def _find_pairs(connection: Connection, linking: Linking, new: Mapping[int, Features]) -> None:
    """Weigh identities against all that share a key with them, and write down what is worth a look."""
    keys = _find_keys(linking, new)
    rows.add_keys(connection, linking.model_id, keys)
    rows.add_words(connection, linking.model_id, linking.model.cleaner, new)
    _add_pairs(connection, linking, new, keys, set())


def _find_keys(linking: Linking, own: Mapping[int, Features]) -> dict[int, list[Key]]:
    return {identity: find_keys(one, linking.model.too_common) for identity, one in own.items()}


def _add_pairs(
    connection: Connection,
    linking: Linking,
    own: Mapping[int, Features],
    keys: Mapping[int, Iterable[Key]],
    known: Collection[tuple[int, int]],
) -> None:
    met = {(min(pair), max(pair)) for pair in rows.find_candidates(connection, linking.model_id, keys)}
    features = rows.read_features(connection, {end for pair in met for end in pair} - own.keys()) | dict(own)
    rows.add_pairs(connection, _weigh(linking, features, sorted(met.difference(known))))


def _weigh(linking: Linking, features: Mapping[int, Features], met: Iterable[tuple[int, int]]) -> Iterator[PairRow]:
    """The pairs of these that are worth a look."""
    compare, least = linking.scorer.compare, linking.kept_from
    for one, other in met:
        left, right = features[one], features[other]
        if (bits := compare(left, right, least)) >= least:
            found = judge(left, right)
            yield PairRow(one, other, bits, found.corroborated, found.conflict)


def find_overlooked(connection: Connection, linking: Linking, homes: Collection[int]) -> None:
    """Find pairs that were too light to be kept while the registry was larger, or were overlooked."""
    identities = set(rows.find_members(connection, linking.model_id, homes).values())
    known = {(min(pair[:2]), max(pair[:2])) for pair in rows.read_pairs(connection, identities, float("-inf"))}
    features = rows.read_features(connection, identities)
    _add_pairs(connection, linking, features, _find_keys(linking, features), known)
