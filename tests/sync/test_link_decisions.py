"""People have the last word about whose records are whose, and can take every word back."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from server.extensions import db
from sync.audit import AuditEvent
from sync.journal import parse_lines, read_journal, receive_journal, write_line
from sync.link_decisions import (
    LinkDecisionRefused,
    LinkFact,
    Shown,
    Word,
    confirm_decision,
    decide_apart,
    decide_same,
    decide_unsure,
    describe_link_decision,
    list_decisions,
    receive_link_decision,
    set_golden_value,
    split_person,
    undo_link_decision,
    unlink_record,
)
from sync.link_models import find_linking
from sync.linkage.explain import Step
from sync.models import Actor, LinkDecision
from sync.policy import Viewer
from sync.quarantine import DecisionRefused
from sync.registry import registry_digest
from tests.sync.factory import NOW
from tests.sync.meetings import AWA, AWA_AGAIN, BINTA, MODOU, meet, persons, prepare, reference, shown_reference
from tests.sync.people import AWA as SHE
from tests.sync.people import add_record
from tests.sync.test_registry import forget

STEWARD = Viewer(1, "data_steward")
ONE, TWO, THREE = reference("uuid:1"), reference("uuid:2"), reference("uuid:3")


def word(minutes: int = 0, actor_id: int | None = None, *, needs_second: bool = False) -> Word:
    return Word(actor_id, NOW + timedelta(minutes=minutes), "vu avec le poste", needs_second=needs_second)


def set_value(session: Session, name: str, value: str) -> LinkDecision:
    return set_golden_value(session, STEWARD, ONE, name, value, word())


def add_people(session: Session, *names: str) -> list[int]:
    """Somebody of each name; Awa and Binta where none is told."""
    people = [Actor(kind="user", display_name=name, created_at=NOW) for name in names or ("Awa", "Binta")]
    session.add_all(people)
    session.flush()
    return [one.id for one in people]


@pytest.fixture
def published(session: Session) -> None:
    prepare(session)


@pytest.fixture
def strangers(session: Session, published: None) -> None:
    meet(session, "uuid:1", MODOU, day=3)
    meet(session, "uuid:2", BINTA, day=2)


@pytest.fixture
def linked(session: Session, published: None) -> None:
    meet(session, "uuid:1", AWA, day=3)
    meet(session, "uuid:2", AWA_AGAIN, day=2)
    assert persons(session) == {frozenset({ONE, TWO})}


@pytest.mark.both_databases
def test_a_person_links_and_takes_it_back(session: Session, strangers: None) -> None:
    before = registry_digest(session)
    decision = decide_same(session, ONE, TWO, word())
    assert persons(session) == {frozenset({ONE, TWO})}
    assert shown_reference(session, "uuid:2") == ONE
    undo_link_decision(session, decision, None, NOW)
    assert registry_digest(session) == before
    assert shown_reference(session, "uuid:2") == TWO


def test_records_kept_apart_stay_apart(session: Session, linked: None) -> None:
    decide_apart(session, ONE, TWO, word())
    assert len(persons(session)) == 2
    meet(session, "uuid:3", replace(AWA, telephone="775550142"))
    assert not any({ONE, TWO} <= one for one in persons(session))


def test_the_later_of_two_words_holds(session: Session, linked: None) -> None:
    decide_same(session, ONE, TWO, word(2))
    decide_apart(session, ONE, TWO, word(1))
    assert len(persons(session)) == 1
    decide_apart(session, ONE, TWO, word(3))
    assert len(persons(session)) == 2


def test_a_word_about_a_record_waits_for_it(session: Session, published: None) -> None:
    meet(session, "uuid:1", MODOU)
    decide_same(session, ONE, TWO, word())
    assert persons(session) == {frozenset({ONE})}
    meet(session, "uuid:2", BINTA)
    assert persons(session) == {frozenset({ONE, TWO})}


def test_a_record_is_taken_out_of_its_person(session: Session, linked: None) -> None:
    meet(session, "uuid:3", AWA)
    unlink_record(session, STEWARD, THREE, [ONE, TWO], word())
    assert persons(session) == {frozenset({ONE, TWO}), frozenset({THREE})}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_record_that_comes_before_the_registry_is_locked_parts_nothing(session: Session, linked: None) -> None:
    session.commit()
    waiting = [True]

    def overtake(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if waiting and "pg_advisory_xact_lock" in statement:
            waiting.clear()
            with Session(db.engine) as other:
                meet(other, "uuid:3", AWA)

    event.listen(db.engine, "before_cursor_execute", overtake)
    with pytest.raises(LinkDecisionRefused) as refused:
        unlink_record(session, STEWARD, ONE, [TWO], word())
    assert (waiting, refused.value.code) == ([], "link_person_changed")


def test_a_document_of_both_sides_lets_a_split_wait(session: Session, linked: None) -> None:
    meet(session, "uuid:3", replace(AWA, papier="passport", numero="A00123456"))
    meet(session, "uuid:4", replace(AWA, papier="passport", numero="A00123456"))
    shown = reference("uuid:4")
    with pytest.raises(DecisionRefused):
        split_person(session, STEWARD, [ONE, THREE], [TWO, shown], Word(None, NOW))
    assert split_person(session, STEWARD, [ONE, THREE], [TWO, shown], word()).needs_second
    assert persons(session) == {frozenset({ONE, TWO, THREE, shown})}
    assert not split_person(session, STEWARD, [ONE, TWO], [THREE, shown], word()).needs_second


def test_a_person_is_split_and_whole_again(session: Session, linked: None) -> None:
    meet(session, "uuid:3", AWA)
    decision = split_person(session, STEWARD, [ONE, THREE], [TWO], word())
    assert persons(session) == {frozenset({ONE, THREE}), frozenset({TWO})}
    undo_link_decision(session, decision, None, NOW)
    assert persons(session) == {frozenset({ONE, TWO, THREE})}


def test_a_split_names_all_records(session: Session, linked: None) -> None:
    meet(session, "uuid:3", AWA)
    with pytest.raises(LinkDecisionRefused) as refused:
        split_person(session, STEWARD, [ONE], [TWO], word())
    assert refused.value.code == "link_person_changed"


def test_a_grave_word_holds_when_a_second_person_confirms_it(session: Session, strangers: None) -> None:
    first, second = (
        Actor(kind="user", display_name="A", created_at=NOW),
        Actor(kind="user", display_name="B", created_at=NOW),
    )
    session.add_all([first, second])
    session.flush()
    decision = decide_same(session, ONE, TWO, word(actor_id=first.id, needs_second=True))
    assert len(persons(session)) == 2
    with pytest.raises(LinkDecisionRefused) as refused:
        decide_apart(session, TWO, ONE, word(actor_id=second.id, needs_second=True))
    assert refused.value.code == "link_decision_waiting"
    with pytest.raises(LinkDecisionRefused) as refused:
        confirm_decision(session, decision, first.id, NOW)
    assert refused.value.code == "link_decision_own"
    confirm_decision(session, decision, second.id, NOW)
    assert len(persons(session)) == 1


def test_nothing_follows_from_not_knowing(session: Session, strangers: None) -> None:
    decide_unsure(session, ONE, TWO, word())
    assert len(persons(session)) == 2


def test_decisions_are_found_by_their_records(session: Session, strangers: None) -> None:
    decision = decide_same(session, ONE, TWO, word())
    assert list_decisions(session, [TWO]) == list_decisions(session, [ONE]) == [decision]
    assert list_decisions(session, [THREE]) == []


def test_another_server_takes_a_decision_in_once(session: Session, strangers: None) -> None:
    decision = decide_same(session, ONE, TWO, word())
    fact = describe_link_decision(decision)
    undo_link_decision(session, decision, None, NOW)
    for _ in range(2):
        receive_link_decision(session, fact, NOW)
    assert len(persons(session)) == 2
    receive_link_decision(session, replace(fact, uuid="0" * 36), NOW)
    receive_link_decision(session, replace(fact, uuid="0" * 36), NOW)
    assert len(persons(session)) == 1
    assert len(session.scalars(select(LinkDecision)).all()) == 2


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"left": []}, "link_records_missing"),
        ({"right": []}, "link_records_missing"),
        ({"kind": "value", "property_name": "sex", "value": "1"}, "link_records_missing"),
        ({"left": ["A"] * 101, "right": ["B"] * 100}, "link_records_many"),
        ({"kind": "value", "right": [], "property_name": "mrz", "value": "1"}, "link_value_unknown"),
        ({"kind": "value", "right": [], "property_name": "age", "value": "old"}, "link_value_unreadable"),
    ],
)
def test_a_decision_that_nobody_could_take_here_is_not_taken_in(
    session: Session, strangers: None, told: dict[str, Any], code: str
) -> None:
    fact = describe_link_decision(decide_same(session, ONE, TWO, word()))
    with pytest.raises(LinkDecisionRefused, check=lambda error: error.code == code):
        receive_link_decision(session, replace(fact, uuid="0" * 36, **told), NOW)


def test_a_fresh_server_takes_decisions_from_the_journal(session: Session, linked: None) -> None:
    decide_apart(session, ONE, TWO, word())
    undo_link_decision(session, set_value(session, "sex", "1"), None, NOW)
    before = registry_digest(session)
    lines = tell_links(session)
    forget(session)
    session.commit()
    receive_journal(session, parse_lines(lines), NOW)
    meet(session, "uuid:2", AWA_AGAIN, day=2)
    meet(session, "uuid:1", AWA, day=3)
    assert (len(lines), registry_digest(session)) == (2, before)


def tell_links(session: Session) -> list[str]:
    return [write_line(fact) for fact in read_journal(session) if isinstance(fact, LinkFact)]


def tell_names(decision: LinkDecision) -> list[str | None]:
    fact = describe_link_decision(decision)
    return [fact.actor, fact.confirmed_by, fact.undone_by]


@pytest.mark.both_databases
def test_who_decided_and_what_they_were_shown_is_told_to_a_fresh_server(session: Session, linked: None) -> None:
    awa, binta = add_people(session)
    shown = Shown("f" * 16, [Step("prior", -9.0, -9.0), Step("birth", 12.345, 3.345, (("birth", "the same day"),))])
    first = decide_same(session, ONE, TWO, replace(word(0, awa), shown=shown, needs_second=True))
    confirm_decision(session, first, binta, NOW)
    undo_link_decision(session, decide_apart(session, ONE, THREE, word(1, awa)), binta, NOW)
    before, lines = registry_digest(session), tell_links(session)
    forget(session)
    receive_journal(session, parse_lines(lines), NOW)
    meet(session, "uuid:2", AWA_AGAIN, day=2)
    meet(session, "uuid:1", AWA, day=3)
    assert (registry_digest(session), tell_links(session)) == (before, lines)
    told = session.scalars(select(LinkDecision).order_by(LinkDecision.decided_at)).all()
    assert [tell_names(one) for one in told] == [["Awa", "Binta", None], ["Awa", None, "Binta"]]
    assert told[0].weights == [["prior", -9.0, []], ["birth", 12.345, [["birth", "the same day"]]]]


@pytest.mark.parametrize("name", ["actor_id", "confirmed_by_id", "weights"])
def test_the_digest_sees_who_decided_and_by_which_weights(session: Session, linked: None, name: str) -> None:
    awa, binta = add_people(session)
    decision = decide_same(session, ONE, TWO, word(0, awa, needs_second=True))
    confirm_decision(session, decision, binta, NOW)
    before = registry_digest(session)
    setattr(decision, name, [["prior", 1.0, []]] if name == "weights" else add_people(session, "Coumba")[0])
    session.flush()
    assert registry_digest(session) != before


def test_what_an_older_server_told_is_read_and_completed_by_a_newer_one(session: Session, strangers: None) -> None:
    [awa] = add_people(session, "Awa")
    shown = Shown("f" * 16, [Step("prior", -9.0, -9.0)])
    decision = decide_same(session, ONE, TWO, replace(word(0, awa), shown=shown))
    undo_link_decision(session, decision, awa, NOW)
    newer = write_line(describe_link_decision(decision))
    told = json.loads(newer)
    older = json.dumps({name: value for name, value in told.items() if name not in ("actor", "undone_by", "weights")})
    forget(session)
    for line, names, weights in ((older, [None] * 3, []), (newer, ["Awa", None, "Awa"], [["prior", -9.0, []]])):
        receive_journal(session, parse_lines([line]), NOW)
        [kept] = session.scalars(select(LinkDecision))
        assert (tell_names(kept), kept.weights, write_line(describe_link_decision(kept))) == (names, weights, line)


def test_of_two_who_undid_a_decision_the_first_one_did(session: Session, strangers: None) -> None:
    fact = describe_link_decision(decide_same(session, ONE, TWO, word()))
    late, early = (
        replace(fact, undone_at=NOW + timedelta(minutes=at), undone_by=name) for at, name in ((9, "Binta"), (3, "Awa"))
    )
    for one in (late, early, late):
        receive_link_decision(session, one, NOW)
    assert describe_link_decision(session.scalars(select(LinkDecision)).one()) == early


def test_nobody_confirms_under_an_account_what_they_decided_elsewhere(session: Session, strangers: None) -> None:
    [awa] = add_people(session, "Awa")
    fact = describe_link_decision(decide_same(session, ONE, TWO, word(0, awa, needs_second=True)))
    receive_link_decision(session, replace(fact, uuid="0" * 36, left=[TWO], right=[THREE]), NOW)
    told = session.scalars(select(LinkDecision).where(LinkDecision.uuid == "0" * 36)).one()
    account = Actor(kind="user", display_name="Awa", created_at=NOW)
    session.add(account)
    session.flush()
    with pytest.raises(LinkDecisionRefused) as refused:
        confirm_decision(session, told, account.id, NOW)
    assert refused.value.code == "link_decision_own"


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        pytest.param(lambda s: decide_same(s, ONE, ONE, word()), "link_records_missing", id="one record"),
        pytest.param(lambda s: unlink_record(s, STEWARD, ONE, [], word()), "link_side_empty", id="alone"),
        pytest.param(lambda s: unlink_record(s, STEWARD, THREE, [ONE], word()), "link_person_changed", id="not here"),
        pytest.param(lambda s: split_person(s, STEWARD, [], [ONE], word()), "link_side_empty", id="none chosen"),
        pytest.param(lambda s: split_person(s, STEWARD, [ONE], [], word()), "link_side_empty", id="all chosen"),
        pytest.param(lambda s: set_value(s, "mrz", "x"), "link_value_unknown", id="no property"),
        pytest.param(lambda s: set_value(s, "age", "old"), "link_value_unreadable", id="no value"),
        pytest.param(lambda s: set_value(s, "phone", "x" * 4001), "link_text_long", id="long"),
        pytest.param(lambda s: decide_same(s, ONE, TWO, Word(None, NOW, "x" * 4001)), "link_text_long", id="reason"),
    ],
)
def test_what_cannot_be_decided(
    session: Session, strangers: None, verb: Callable[[Session], object], code: str
) -> None:
    with pytest.raises(LinkDecisionRefused) as refused:
        verb(session)
    assert refused.value.code == code


def test_a_decision_is_undone_once(session: Session, strangers: None) -> None:
    decision = decide_same(session, ONE, TWO, word())
    undo_link_decision(session, decision, None, NOW)
    for verb in (
        lambda: undo_link_decision(session, decision, None, NOW),
        lambda: confirm_decision(session, decision, 1, NOW),
    ):
        with pytest.raises(LinkDecisionRefused) as refused:
            verb()
        assert refused.value.code == "link_decision_undone"


def test_every_word_is_in_the_audit(session: Session, strangers: None) -> None:
    decision = decide_same(session, ONE, TWO, word())
    undo_link_decision(session, decision, None, NOW)
    actions = session.scalars(select(AuditEvent.action).where(AuditEvent.target == f"link_decision:{decision.id}"))
    assert list(actions) == ["link.decided", "link.undone"]


@pytest.mark.parametrize("many", [1, 2])
def test_who_parts_a_person_keeps_what_held_it_together(session: Session, many: int) -> None:
    records = [add_record(session, **SHE, birth_date=date(1991, 4, 12)) for _ in range(3)]
    chosen, others = ([one.reference for one in some] for some in (records[:many], records[many:]))
    parted = (
        unlink_record(session, STEWARD, chosen[0], others, Word(None, NOW))
        if many == 1
        else split_person(session, STEWARD, chosen, others, Word(None, NOW))
    )
    linking = find_linking(session)
    assert linking is not None
    assert parted.model_version == linking.model.version
    assert {tuple(map(tuple, levels)) for _, _, levels in parted.weights} == {((a, b),) for a in chosen for b in others}
    assert [(name, bits > 15) for name, bits, _ in parted.weights] == [("pair", True)] * 2
    assert describe_link_decision(parted).weights[0][0] == "pair"


def test_a_value_keeps_the_model_version(session: Session) -> None:
    one = add_record(session, **SHE)
    linking = find_linking(session)
    assert linking is not None
    made = set_golden_value(session, STEWARD, one.reference, "age", "31", Word(None, NOW))
    assert made.model_version == linking.model.version
