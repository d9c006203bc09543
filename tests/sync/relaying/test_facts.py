"""What a post decided holds of what is its own, and of nothing else, whatever names it knows."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.entity_decisions import DecisionFact
from sync.erasure_facts import ErasedFact
from sync.journal import ActFact, IssuedFact, JournalFact, ReleaseFact, read_journal, write_line
from sync.link_decisions import LinkFact, Word, decide_same, describe_link_decision
from sync.link_model_facts import ModelFact
from sync.link_models import add_model
from sync.linkage.model import default_model
from sync.models import (
    Actor,
    Entity,
    EntityAct,
    EntityContribution,
    EntityDecision,
    EntityRelease,
    IssuedVersion,
    LinkDecision,
    Relay,
    RelayedEntity,
)
from sync.numbering import FIRST_SHARED
from sync.relaying.facts import take_facts
from sync.relaying.lines import EntityLine, FactLine, RelayRefused, receipt_for
from sync.relaying.receipts import note_receipts
from sync.relaying.up import list_up
from tests.sync.factory import NOW, add_site, add_submission
from tests.sync.people import AWA, add_record

STAY = "5f0c1f3e-1d2a-4b6c-8d3e-000000000001"
NAMED = ("dossiers", STAY)
OURS = FIRST_SHARED + 1
FACTS: dict[str, JournalFact] = {
    "number": IssuedFact(*NAMED, OURS, [], [], "", {}, NOW),
    "act": ActFact(*NAMED, "a" * 36, "delete", None, None, {}, NOW),
    "decision": DecisionFact("d" * 36, *NAMED, "lit", "2", [], 1, NOW),
}
KEPT = (IssuedVersion, EntityAct, EntityDecision, EntityRelease)


def tell(session: Session, relay: Relay, *facts: JournalFact) -> None:
    take_facts(session, relay, [FactLine(write_line(one)) for one in facts], NOW)


def count_kept(session: Session) -> int:
    """How much of what was told is here; the fold issues numbers of its own beside."""
    rows = [row for model in KEPT for row in session.scalars(select(model))]
    return sum(getattr(one, "number", OURS) == OURS for one in rows)


def add_stay(session: Session, site_code: str = "DKR", **facts: object) -> Entity:
    """A stay that the centre knows."""
    entity = Entity(list_name=NAMED[0], uuid=STAY, properties={}, site_code=site_code, version=1, exists=True, **facts)
    session.add(entity)
    session.flush()
    return entity


def say(session: Session, entity: Entity, site_id: int) -> None:
    """A record from this site speaks of the stay."""
    row = add_submission(session, "uuid:1", site_id=site_id)
    said = {"list_name": NAMED[0], "path": "/data", "root_id": "uuid:1", "action": "update", "properties": {}}
    session.add(EntityContribution(entity_id=entity.id, submission_id=row.id, **said))
    session.flush()


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", FACTS)
def test_a_post_says_nothing_of_the_entities_of_others(session: Session, relay: Relay, kind: str) -> None:
    say(session, add_stay(session), add_site(session, "DKR").id)
    with pytest.raises(RelayRefused, match="own tablets"):
        tell(session, relay, FACTS[kind])
    assert count_kept(session) == 0


@pytest.mark.parametrize(
    "how", ["not here", "only updates", "at its site", "given", "was given", "spoken of", "served"]
)
def test_a_post_speaks_of_what_is_its_own(session: Session, relay: Relay, how: str) -> None:
    if how == "only updates":
        say(session, add_stay(session), add_site(session, "DKR").id)
        entity = session.scalars(select(Entity)).one()
        entity.version, entity.exists = 0, False
    elif how != "not here":
        entity = add_stay(session, "ROS" if how == "at its site" else "DKR")
    if how == "given":
        session.add(RelayedEntity(relay_id=relay.site_id, entity_id=entity.id))
    elif how == "was given":
        gone = EntityLine(*NAMED, 1, "", {}, [], NOW)
        note_receipts(session, relay.site_id, [receipt_for(gone)])
    elif how == "spoken of":
        say(session, entity, relay.site_id)
    elif how == "served":
        number = {"number": OURS, "added": [], "removed": [], "label": "", "properties": {}, "issued_at": NOW}
        session.add(IssuedVersion(entity_id=entity.id, **number))
    tell(session, relay, *FACTS.values())
    assert count_kept(session) == 3


def test_under_the_name_of_a_decision_nobody_undoes_that_of_others(session: Session, relay: Relay) -> None:
    decided = {"uuid": "d" * 36, "property_name": "lit", "value": "1", "shown": [], "shown_version": 1}
    session.add(EntityDecision(entity_id=add_stay(session).id, decided_at=NOW, **decided))
    own = replace(FACTS["decision"], entity=STAY[:-1] + "2", undone_at=NOW)
    with pytest.raises(RelayRefused, match="own tablets"):
        tell(session, relay, own)
    assert session.scalars(select(EntityDecision)).one().undone_at is None


@pytest.mark.parametrize("of", ["own", "another's"])
def test_a_post_releases_its_own_records(session: Session, relay: Relay, of: str) -> None:
    say(session, add_stay(session), relay.site_id if of == "own" else add_site(session, "DKR").id)
    fact = ReleaseFact(*NAMED, "passage uuid:1 1", NOW)
    if of == "own":
        tell(session, relay, fact)
    else:
        with pytest.raises(RelayRefused, match="own tablets"):
            tell(session, relay, fact)
    assert count_kept(session) == (of == "own")


def link(left: str, right: str) -> LinkFact:
    return LinkFact("l" * 36, "same", [left], [right], None, None, "vu", None, NOW, False, None, None)


@pytest.mark.both_databases
def test_a_post_links_the_records_of_its_own_tablets(session: Session, relay: Relay) -> None:
    own, other = (add_record(session, **AWA, site_id=at) for at in (relay.site_id, add_site(session, "DKR").id))
    with pytest.raises(RelayRefused, match="own tablets"):
        tell(session, relay, link(own.reference, other.reference))
    tell(session, relay, link(own.reference, "NOT-HERE"))
    assert session.scalars(select(LinkDecision)).one().right == ["NOT-HERE"]


def test_people_of_a_post_are_shown_as_such(session: Session, relay: Relay) -> None:
    """Whoever has the same name at the centre decided nothing of it."""
    session.add(Actor(kind="user", display_name="Awa", created_at=NOW))
    tell(session, relay, replace(link("A", "B"), actor="Awa", undone_at=NOW, undone_by="Binta"))
    fact = describe_link_decision(session.scalars(select(LinkDecision)).one())
    assert (fact.actor, fact.confirmed_by, fact.undone_by) == ("Awa (ROS)", None, "Binta (ROS)")


def test_a_post_undoes_no_link_of_others(session: Session, relay: Relay) -> None:
    one, other = (add_record(session, **AWA, site_id=add_site(session, code).id) for code in ("DKR", "DIA"))
    decision = decide_same(session, one.reference, other.reference, Word(None, NOW))
    undone = replace(describe_link_decision(decision), left=["X"], right=["Y"], undone_at=NOW)
    with pytest.raises(RelayRefused, match="own tablets"):
        tell(session, relay, undone)
    assert decision.undone_at is None


@pytest.mark.parametrize("kind", ["erasure", "model"])
def test_a_post_erases_no_record_by_its_journal_and_chooses_no_model(session: Session, relay: Relay, kind: str) -> None:
    """An erasure comes with its record; one that waited could be meant for another post's."""
    facts: dict[str, JournalFact] = {
        "erasure": ErasedFact("passage", "uuid:1", "0" * 64, {"persons": []}, "demande", NOW),
        "model": ModelFact(default_model().version, default_model().to_json(), NOW, "Awa", [(NOW, "Awa", "vu", NOW)]),
    }
    with pytest.raises(RelayRefused) as refused:
        tell(session, relay, facts[kind])
    assert refused.value.code == "relay_foreign"


def test_a_post_tells_the_centre_of_no_model(session: Session) -> None:
    add_model(session, default_model(), None, NOW)
    assert any(isinstance(one, ModelFact) for one in read_journal(session))
    assert list(list_up(session)) == []
