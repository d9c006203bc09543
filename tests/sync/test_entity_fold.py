"""Entities follow from what counts, whatever the order of arrival, and no tablet is served an older number."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.db import begin_write
from sync.entity_fold import force_overdue, has_overdue
from sync.models import Entity, EntityContribution, IssuedVersion, Submission
from sync.processing import MAX_ATTEMPTS
from sync.quarantine import reject, replay
from sync.registry import registry_digest
from sync.releasing import release_submission
from tests.sync.entities import add_arrival, add_update, publish_entity_forms
from tests.sync.factory import NOW
from tests.sync.test_processing import clear, settle


@pytest.fixture
def published(session: Session) -> None:
    publish_entity_forms(session)


def the_entity(session: Session) -> Entity:
    return session.scalars(select(Entity)).one()


def flagged(session: Session) -> list[str]:
    """The records that are applied although something is missing before them."""
    forced = select(EntityContribution).where(EntityContribution.forced)
    return [one.submission.instance_id for one in session.scalars(forced)]


def waiting(session: Session) -> list[str]:
    return sorted(
        session.scalars(select(EntityContribution.waits_for).where(EntityContribution.waits_for.is_not(None)))
    )


@pytest.mark.both_databases
def test_an_arrival_makes_a_stay_and_an_update_changes_it(session: Session, published: None) -> None:
    add_arrival(session)
    settle(session)
    assert (the_entity(session).label, the_entity(session).version) == ("Dossier 1", 1)
    add_update(session, "uuid:u", 1, values={"urgence": "2"})
    settle(session)
    entity = the_entity(session)
    assert (entity.properties["urgence"], entity.properties["sexe"], entity.version) == ("2", "1", 2)


@pytest.mark.both_databases
def test_an_update_before_its_creation_waits_and_is_released(session: Session, published: None) -> None:
    add_update(session, "uuid:u", 1, on="A", values={"urgence": "3"})
    settle(session)
    assert (waiting(session), the_entity(session).exists) == (["creation"], False)
    add_arrival(session)
    settle(session)
    entity = the_entity(session)
    assert (waiting(session), entity.properties["urgence"], entity.version) == ([], "3", 2)


def test_an_edit_says_anew_what_its_original_said(session: Session, published: None) -> None:
    add_arrival(session)
    add_update(session, "uuid:u", 1, values={"urgence": "3", "etat": "arrive"})
    settle(session)
    add_update(session, "uuid:v", 1, deprecated_id="uuid:u", values={"urgence": "1"})
    settle(session)
    assert the_entity(session).properties["urgence"] == "1"


def test_a_rejected_creation_takes_the_stay_away_and_replay_brings_it_back_under_a_new_number(
    session: Session, published: None
) -> None:
    row = add_arrival(session)
    settle(session)
    reject(session, row, None, "Saisie de formation", NOW)
    settle(session)
    assert the_entity(session).exists is False
    replay(session, row, None, "", NOW)
    settle(session)
    assert (the_entity(session).exists, the_entity(session).version) == (True, 3)


def held(session: Session) -> Submission:
    return add_update(session, "uuid:u", 6, on="A", values={"urgence": "1"})


def rejected(session: Session) -> Submission:
    row = add_update(session, "uuid:u", 6, on="A")
    reject(session, row, None, "Saisie de formation", NOW)
    return row


def unclear(session: Session) -> Submission:
    return add_update(session, "uuid:u", 6, on="A", deprecated_id="uuid:lost")


def quarantined(session: Session) -> Submission:
    return add_update(session, "uuid:u", 6, on="A", values={"repas": "vingt"})


def of_an_unknown_form(session: Session) -> Submission:
    row = add_update(session, "uuid:u", 6, on="A", values={"urgence": "3"})
    row.form_id = "assistance_2"
    return row


def of_an_unknown_version(session: Session) -> Submission:
    row = add_update(session, "uuid:u", 6, on="A", values={"urgence": "3"})
    row.version = "2"
    return row


def breaking(session: Session) -> Submission:
    row = add_update(session, "uuid:u", 6, on="A", values={"urgence": "3"})
    row.attempts = MAX_ATTEMPTS
    return row


def twin(session: Session) -> Submission:
    add_update(session, "uuid:u", 1, on="B", values={"urgence": "1"})
    return add_update(session, "uuid:u", 6, on="A", values={"urgence": "3"})


@pytest.mark.parametrize(
    ("send", "state"),
    [
        (held, "merged"), (rejected, "rejected"), (unclear, "held"), (quarantined, "quarantined"),
        (of_an_unknown_form, "quarantined"), (of_an_unknown_version, "quarantined"), (breaking, "quarantined"),
        (twin, None),
    ],
    ids=[
        "held", "rejected", "edit without its original", "quarantined", "of an unknown form", "of an unknown version",
        "that no try judged", "a twin",
    ],
)  # fmt: skip
def test_whatever_becomes_of_an_update_its_tablet_is_served_its_own_version(
    session: Session, published: None, send: Callable[[Session], Submission], state: str | None
) -> None:
    add_arrival(session)
    row = send(session)
    settle(session)
    assert the_entity(session).version == 7
    assert state in (row.state, None)


@pytest.mark.both_databases
def test_an_update_whose_form_is_published_late_is_applied_then(session: Session, published: None) -> None:
    add_arrival(session)
    row = of_an_unknown_version(session)
    settle(session)
    assert the_entity(session).properties["urgence"] == "0"
    row.version = "1"
    release_submission(session, row, "form_published", None, NOW)
    add_update(session, "uuid:v", 5, on="A", trunk=5, values={"etat": "transfere"})
    settle(session)
    assert waiting(session) == ["branch version 6", "version 5"]


def test_what_waited_for_too_long_is_applied_and_falls_into_place_later(session: Session, published: None) -> None:
    add_arrival(session)
    add_update(session, "uuid:a2", 2, on="A", hour=2, values={"urgence": "2"})
    settle(session)
    assert (has_overdue(session, -9999, NOW), has_overdue(session, 9999, NOW)) == (True, False)
    session.rollback()
    begin_write(session)
    assert force_overdue(session, days=-9999, now=NOW) == 1
    session.commit()
    assert (the_entity(session).properties["urgence"], waiting(session), flagged(session)) == ("2", [], ["uuid:a2"])
    add_update(session, "uuid:a1", 1, on="A", hour=1, values={"urgence": "3"})
    settle(session)
    assert (the_entity(session).properties["urgence"], flagged(session)) == ("2", [])


def test_an_edit_stands_where_its_original_stood_though_it_saw_more(session: Session, published: None) -> None:
    add_arrival(session)
    add_update(session, "uuid:a1", 1, on="A", hour=1, values={"urgence": "3"})
    add_update(session, "uuid:a2", 2, on="A", hour=2, values={"urgence": "1"})
    # On the tablet the edited form reads the versions anew, and so names a base that its original had made.
    add_update(session, "uuid:a1e", 3, on="A", hour=9, deprecated_id="uuid:a1", values={"urgence": "2", "sexe": "9"})
    settle(session)
    entity = the_entity(session)
    assert (entity.properties["urgence"], entity.properties["sexe"], waiting(session)) == ("1", "9", [])


def test_an_edit_that_says_nothing_of_a_stay_takes_back_what_its_original_said(
    session: Session, published: None
) -> None:
    add_arrival(session)
    add_update(session, "uuid:a", 1, values={"urgence": "3"})
    settle(session)
    add_update(session, "uuid:b", 1, deprecated_id="uuid:a", silent=True)
    settle(session)
    assert (the_entity(session).properties["urgence"], the_entity(session).version) == ("0", 3)


def test_a_change_of_nothing_changes_nothing(session: Session, published: None) -> None:
    add_arrival(session, stay="bracelet-12")
    settle(session)
    assert session.scalars(select(Entity)).all() == []


def test_concurrent_identities_open_a_conflict_with_both_values(session: Session, published: None) -> None:
    add_arrival(session)
    add_update(session, "uuid:a", 1, on="A", hour=1, values={"sexe": "2"})
    add_update(session, "uuid:b", 1, on="B", hour=2, values={"sexe": "9"})
    settle(session)
    (conflict,) = the_entity(session).conflicts
    assert (conflict.property_name, [value for _key, value in conflict.candidates]) == ("sexe", ["2", "9"])


def test_a_number_never_changes_its_meaning(session: Session, published: None) -> None:
    add_arrival(session)
    settle(session)
    add_update(session, "uuid:a", 1, values={"sexe": "2"})
    settle(session)
    issued = session.execute(select(IssuedVersion.number, IssuedVersion.properties)).all()
    assert [(number, values["sexe"]) for number, values in issued] == [(1, "1"), (2, "2")]


Send = Callable[[Session], object]
A1: dict[str, Any] = {"on": "A", "hour": 1, "values": {"sexe": "2", "urgence": "3"}}
HISTORY: list[Send] = [
    lambda session: add_arrival(session),
    lambda session: add_update(session, "uuid:a1", 1, **A1),
    lambda session: add_update(session, "uuid:a2", 2, on="A", hour=2, values={"urgence": "1"}),
    lambda session: add_update(session, "uuid:b1", 1, on="B", hour=1, values={"sexe": "9", "urgence": "2"}),
    lambda session: add_update(session, "uuid:b1e", 1, on="B", hour=3, deprecated_id="uuid:b1", values={"sexe": "0"}),
    lambda session: add_update(session, "uuid:a2", 2, on="A", hour=2, values={"urgence": "0"}),
]


@pytest.mark.both_databases
@pytest.mark.parametrize("step", [101, pytest.param(11, marks=pytest.mark.slow)], ids=["few", "many"])
def test_any_order_of_arrival_gives_the_same_entities(session: Session, published: None, step: int) -> None:
    digests = set()
    for order in list(permutations(HISTORY))[::step]:
        for send in order:
            send(session)
            settle(session)
        digests.add(registry_digest(session))
        assert the_entity(session).exists
        clear(session)
    assert len(digests) == 1
