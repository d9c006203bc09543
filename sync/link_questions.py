"""What is left to people: questions of the components themselves, and of pairs that no component decides."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from sqlalchemy import Connection

from sync import link_rows as rows
from sync.link_around import Around
from sync.link_rows import Identity, PairRow, RecordRow
from sync.link_verdicts import Asked, read_verdicts
from sync.linkage.decision import Decision, Reason


def list_asked(around: Around, decisions: Sequence[Decision]) -> list[Asked]:
    """What the components themselves leave to people."""
    by_reference = {one.reference: one for one in around.records.values()}
    asked = []
    for question in chain.from_iterable(one.questions for one in decisions):
        one, other = by_reference[question.pair.one], by_reference[question.pair.other]
        ends = (one.home, other.home, one.identity, other.identity)
        asked.append(Asked(*ends, question.pair.bits, question.reason))
    return asked


def list_between(connection: Connection, around: Around, before: Sequence[Asked]) -> list[Asked]:
    """Pairs that no component decides: too light, or of one that is too large. Asked of one record for each identity.

    A hundred records that say the same would otherwise ask the same question a hundred times.
    """
    pairs = _list_undecided(around)
    first = _find_first(connection, around, before, {end for pair in pairs for end in pair[:2]})
    found = []
    for pair in pairs:
        ends = first[pair.one][:2] if pair.one == pair.other else [first[pair.one][0], first[pair.other][0]]
        one, other = sorted(ends, key=lambda record: record.reference)
        if one.person != other.person:
            bits = around.bits(pair.bits)
            reason: Reason = "size" if bits >= around.linking.rules.link_at else "weight"
            found.append((one, other, Asked(one.home, other.home, one.identity, other.identity, bits, reason)))
    return _drop_answered(connection, around, found) if around.judged else [asked for _, _, asked in found]


def _find_first(
    connection: Connection, around: Around, before: Sequence[Asked], identities: set[int]
) -> dict[int, list[RecordRow]]:
    """The two records with the least references of each identity.

    Of a crowded one the question that is open names them, if they are still here; a new record may come before them.
    """
    model_id = around.linking.model_id
    named = {
        one.one_identity: (one.one, one.other)
        for one in before
        if one.one_identity == one.other_identity and one.one_identity in around.crowded & identities
    }
    found = rows.read_records_at(connection, model_id, set(chain.from_iterable(named.values())))
    still = Counter(one.identity for one in found)
    sure = {identity for identity in named if still[identity] == 2}
    fresh = {home for home, one in around.records.items() if one.identity in sure}
    found += rows.read_records_at(connection, model_id, fresh - {one.home for one in found})
    first = rows.read_first_records(connection, model_id, identities - sure)
    for one in sorted(found, key=lambda record: record.reference):
        if one.identity in sure and len(kept := first.setdefault(one.identity, [])) < 2:
            kept.append(one)
    return first


def _list_undecided(around: Around) -> list[PairRow]:
    own = [one.own_pair for one in _list_shared(around)]
    return [pair for pair in chain(around.pairs.values(), own) if not around.is_decided(pair)]


def _list_shared(around: Around) -> list[Identity]:
    """Identities that several records say, and whose records are worth a look at each other."""
    return [one for one in around.identities.values() if one.records > 1 and one.own_bits >= around.linking.least]


def _drop_answered(
    connection: Connection, around: Around, found: Sequence[tuple[RecordRow, RecordRow, Asked]]
) -> list[Asked]:
    """Without what people have said already, of these records or of others of the same two persons."""
    persons = {end.person for one, other, _ in found for end in (one, other)}
    mates = rows.read_records_of(connection, around.linking.model_id, persons)
    person_of = {one.reference: one.person for one in mates}
    verdicts = read_verdicts(connection, person_of)
    answered = {(person_of[one.record], one.person) for one in verdicts}
    return [asked for one, other, asked in found if (one.person, other.person) not in answered]
