"""One registry for any order of arrival, of histories that tablets, a server and people live through.

One generated history: three tablets and a server through 20 to 48 steps, then its records and journal given to two
fresh servers, each time shuffled, a third of it twice, with pauses. Some go through the database, on both kinds.
"""

import os
import random
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.processing import process_pending
from sync.db import begin_write
from sync.entity_decisions import DecisionFact
from sync.entity_facts import ActFacts, DecisionFacts
from sync.entity_fold import entity_lines
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.journal import ActFact, IssuedFact, JournalFact, ReleaseFact, read_journal, receive_journal
from sync.link_model_facts import ModelFact
from sync.publishing import publish_form
from sync.quarantine import VerdictFact
from sync.rebuilding import rebuild_registry
from tests.sync.entities import entity_form
from tests.sync.factory import NOW
from tests.sync.histories.facts import Fact, Record, Release, Undoing, Verdict
from tests.sync.histories.faults import tell_fault
from tests.sync.histories.life import Life
from tests.sync.histories.plans import LIST, START, draw_plan
from tests.sync.test_processing import clear

SOAK = int(os.environ.get("TERAL_SOAK", "1"))
BLOCK = 125
LATER = START + timedelta(days=3)

FORM = """
| survey |
| | type | name | label | save_to |
| | end | end | | |
| | integer | repas | Repas | |
| | begin_repeat | sejours | Séjours | |
| | text | sexe | Sexe | sexe |
| | text | urgence | Urgence | urgence |
| | text | etat | État | etat |
| | text | note | Note | note |
| | text | site_id | Site | site_id |
{also}| | end_repeat | | | |
| entities |
{entity}
| settings |
| | form_id | version |
| | {form_id} | 1 |
"""
ARRIVAL = FORM.format(
    form_id="arrivee", also="", entity="| | list_name | label |\n| | dossiers | concat('Dossier ', ${sexe}) |"
)
ROUND = FORM.format(
    form_id="tournee",
    also="| | text | dossier | Dossier | |\n",
    entity="| | list_name | entity_id |\n| | dossiers | ${dossier} |",
)


@pytest.mark.parametrize("block", range(2))
def test_any_order_of_a_generated_history_gives_one_registry(block: int) -> None:
    tell_faults(range(block * BLOCK, (block + 1) * BLOCK))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(16 * SOAK))
def test_any_order_of_thousands_of_histories_gives_one_registry(block: int) -> None:
    tell_faults(range(10_000 + block * BLOCK, 10_000 + (block + 1) * BLOCK))


def tell_faults(seeds: range) -> None:
    for seed in seeds:
        fault = tell_fault(seed)
        assert fault is None, fault


@pytest.mark.both_databases
def test_a_generated_history_gives_the_same_registry_in_a_database(session: Session) -> None:
    check_in_database(session, range(1))


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize("block", range(4 * SOAK))
def test_generated_histories_give_the_same_registry_in_a_database(session: Session, block: int) -> None:
    check_in_database(session, range(100 + block * 8, 108 + block * 8))


def read_facts_of_records(session: Session) -> list[JournalFact]:
    """The journal, but for the model that ships: a registry without persons has none before it is told anew."""
    return [one for one in read_journal(session) if not isinstance(one, ModelFact)]


def check_in_database(session: Session, seeds: range) -> None:
    for written in (ARRIVAL, ROUND):
        publish_form(session, entity_form(written), {}, None, NOW)
    session.commit()
    for seed in seeds:
        life = Life().live(draw_plan(seed))
        deliver(session, life, seed)
        assert sorted(entity_lines(session)) == life.server.lines(), "\n".join([f"history {seed}", *life.story])
        journal = read_facts_of_records(session)
        rebuild(session)
        assert sorted(entity_lines(session)) == life.server.lines(), f"history {seed}, told anew"
        assert read_facts_of_records(session) == journal, f"history {seed}: numbers after a rebuild"
        clear(session)


def deliver(session: Session, life: Life, seed: int) -> None:
    """Everything shuffled, a third of it twice, with pauses, after the numbers that were served."""
    draw = random.Random(seed)
    facts = [*life.facts, *draw.sample(life.facts, len(life.facts) // 3)]
    draw.shuffle(facts)
    receive(session, *issued_facts(life))
    for fact in facts:
        if isinstance(fact, Record):
            send(session, fact)
        else:
            receive(session, journal_fact(life, fact))
        if draw.random() < 0.4:
            process_pending()
    process_pending()
    session.expire_all()


def issued_facts(life: Life) -> list[JournalFact]:
    return [
        IssuedFact(LIST, name, one.number, list(one.added), list(one.removed), "", {}, NOW)
        for name, numbers in life.server.issued.items()
        for one in numbers
    ]


def journal_fact(life: Life, fact: Fact) -> JournalFact:
    if isinstance(fact, Verdict):
        record = life.server.records[fact.sha256]
        named = (record.form_id, record.instance_id, record.sha256)
        return VerdictFact(*named, kind=fact.kind, reason="vu avec le poste", decided_at=fact.decided_at)
    if isinstance(fact, Release):
        return ReleaseFact(LIST, fact.entity, fact.record, NOW)
    if isinstance(fact, Undoing):
        return decision_fact(fact.entity, life.server.decisions[fact.entity][fact.uuid], undone=True)
    assert isinstance(fact, tuple)
    entity, said = fact
    if isinstance(said, DecisionFacts):
        return decision_fact(entity, said, undone=False)
    assert isinstance(said, ActFacts)
    return ActFact(
        LIST, entity, said.uuid, said.action, said.base_version, said.label, dict(said.properties), said.acted_at
    )


def decision_fact(entity: str, one: DecisionFacts, *, undone: bool) -> DecisionFact:
    names = (one.uuid, LIST, entity, one.property_name, one.value, one.shown, one.shown_version, one.decided_at)
    return DecisionFact(*names, undone_at=NOW if undone else None)


def send(session: Session, record: Record) -> None:
    begin_write(session)
    incoming = IncomingRecord(record.form_id, "1", record.instance_id, record.deprecated_id)
    receive_submission(session, incoming, Upload(record.body, record.sha256), Sender(), LATER)
    session.commit()


def receive(session: Session, *facts: JournalFact) -> None:
    begin_write(session)
    receive_journal(session, facts, LATER)
    session.commit()


def rebuild(session: Session) -> None:
    session.commit()
    begin_write(session)
    rebuild_registry(session, attachment_store(), {}, LATER)
    session.commit()
    session.expire_all()
