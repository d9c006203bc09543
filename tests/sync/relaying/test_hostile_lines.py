"""Whatever a relay tells, the centre takes it or says that it does not: on both databases, in every kind of line."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.errors import FormsError
from server.extensions import attachment_store
from sync.entity_decisions import DecisionFact
from sync.journal import ActFact, IssuedFact, JournalFact, ReleaseFact
from sync.journal import write_line as write_fact
from sync.judging import judge
from sync.link_decisions import LinkFact
from sync.models import Entity, Erasure, Relay, Submission
from sync.numbering import FIRST_SHARED
from sync.processing import apply_verdicts, list_work
from sync.programme.headcount_rows import EVENTS
from sync.quarantine import VerdictFact
from sync.relaying.lines import FactLine, RelayRefused, parse_lines, write_line
from sync.relaying.up import take_up
from tests.sync.factory import NOW, add_submission
from tests.sync.relaying.test_lines import LINES, RECORD
from tests.sync.relaying.test_words import ERASED

UUID = "7a0c1d7e-0000-4000-8000-000000000001"
FACTS: list[JournalFact] = [
    IssuedFact("dossiers", UUID, FIRST_SHARED + 1, ["passage uuid:1 1"], [], "Dossier", {"lit": "1"}, NOW),
    ActFact("dossiers", UUID, UUID, "create", None, "Dossier", {"lit": "1"}, NOW),
    ReleaseFact("dossiers", UUID, "passage uuid:1 1", NOW),
    DecisionFact(UUID, "dossiers", UUID, "lit", "2", [("passage uuid:1 1", "1")], 1, NOW),
    VerdictFact("passage", "uuid:1", "0" * 64, "reject", "fausse fiche", NOW),
    LinkFact(UUID, "same", ["A"], ["B"], None, None, "vu", None, NOW, False, None, None),
    LinkFact(UUID, "value", ["A"], [], "sex", "1", "vu", None, NOW, False, None, None),
    LinkFact(
        "7a0c1d7e-0000-4000-8000-000000000002", "apart", ["A"], ["C"], None, None, "vu", "f" * 16, NOW, True, NOW, NOW,
        "Awa", "Binta", "Awa", [("birth", 12.5, [("birth", "the same day")])],
    ),
]  # fmt: skip
TOLD = [json.loads(write_line(one)) for one in LINES if not isinstance(one, FactLine)]
RETAINED = {
    "persons": [
        {
            "path": "/data/personnes[1]", "position": 1, "sex": "2", "age": 31, "birth_date": "1995-01-01",
            "place": "/data/personnes[2]",
        }
    ],
    "encounters": [{"path": "/data", "kind": "passage", "at": "2026-03-02T09:30:00+00:00"}],
    "entities": [
        {
            "list_name": "dossiers", "id": UUID, "action": "create", "path": "/data", "label": None,
            "values": {"lit": "1"}, "base_version": 1, "trunk_version": None, "branch_id": UUID, "problems": ["x"],
        }
    ],
    "findings": [
        {"path": "/data/nom", "kind": "required", "grade": "error", "code": "required", "params": {}, "message": {}}
    ],
    "keep": {"person": ["sex"], "encounter": [], "entity": ["lit"]},
    "started_at": None,
    "ended_at": "2026-03-02T09:30:00+00:00",
}  # fmt: skip
ERASED_RECORD = json.loads(write_line(replace(RECORD, erased={**ERASED, "retained": RETAINED})))
TOLD.append(ERASED_RECORD)
FACTS_TOLD = [json.loads(write_fact(one)) for one in FACTS]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**400, 1.5, float("nan"), float("inf")]),
    st.sampled_from(
        ["", "\0", "a\0b", "\ud800", "x" * 300, "\N{GRINNING FACE}" * 40, "x" * 70_000, "0001-01-01T00:00Z"]
    ),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-20T08:00:00", "uuid:1"]),
    st.sampled_from(
        [[], {}, [[]], [["a"]], [1], {"a": 1}, {"\0": "x"}, [None], ["\ud800"], {"a": "\0"}, ["x" * 300] * 3]
    ),
    st.integers(),
    st.text(max_size=8),
)


def places(told: Any, path: Sequence[Any] = ()) -> Iterator[Sequence[Any]]:
    """Every place in what is told at which something else may stand."""
    inner = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def spoil(told: dict[str, Any], path: Sequence[Any], odd: Any) -> dict[str, Any]:
    spoiled = at = deepcopy(told)
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = odd
    return spoiled


def write(told: dict[str, Any]) -> str:
    """As a line; a fact goes as a text within one."""
    return json.dumps({"line": "fact", "fact": json.dumps(told)} if "fact" in told else told)


@st.composite
def hostile(draw: st.DrawFn) -> str:
    told = draw(st.sampled_from(TOLD + FACTS_TOLD))
    for _ in range(draw(st.integers(1, 2))):
        told = spoil(told, draw(st.sampled_from(list(places(told)))), draw(ODD))
    return write(told)


@pytest.fixture
def ready(session: Session, relay: Relay) -> Relay:
    """A relay of whose record and event the lines speak."""
    row = add_submission(session, RECORD.instance_id, form_id=RECORD.form_id, site_id=relay.site_id)
    row.xml_sha256 = RECORD.xml_sha256
    session.add(Entity(list_name=EVENTS, uuid="x", properties={}, site_code=relay.site.code, version=1, exists=True))
    take_up(session, relay, [RECORD], NOW)
    return relay


def tell(session: Session, relay: Relay, *texts: str) -> int:
    """How many lines the centre took. None of what it took stays, so that each is told to the same centre."""
    part = session.begin_nested()
    try:
        receipts = take_up(session, relay, parse_lines(texts), NOW).receipts
        return sum(bool(write_line(one).encode()) for one in receipts)
    finally:
        part.rollback()


@pytest.mark.both_databases
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=hostile())
def test_a_line_is_taken_or_refused_and_nothing_else_happens(session: Session, ready: Relay, text: str) -> None:
    with suppress(FormsError):
        assert tell(session, ready, text) <= 1


@st.composite
def hostile_retained(draw: st.DrawFn) -> str:
    return write(spoil(ERASED_RECORD, draw(st.sampled_from(list(places(ERASED_RECORD, ())))), draw(ODD)))


@pytest.mark.both_databases
@settings(max_examples=20, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=hostile_retained())
@example(text=write(ERASED_RECORD))
def test_what_is_taken_of_an_erasure_can_be_judged(session: Session, ready: Relay, text: str) -> None:
    part = session.begin_nested()
    try:
        with suppress(FormsError):
            take_up(session, ready, parse_lines([text]), NOW)
        for submission_id in session.scalars(select(Erasure.submission_id)).all():
            (work,) = list_work(session, attachment_store(), [submission_id])
            apply_verdicts(session, [judge(work)], NOW)
            assert session.get_one(Submission, submission_id).processed_at == NOW
    finally:
        part.rollback()


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("path", "odd"),
    [
        (["persons", 0, "age"], "31"), (["persons", 0, "path"], "x" * 256), (["persons", 0, "sex"], 2),
        (["encounters", 0, "at"], "hier"), (["entities", 0, "list_name"], "x" * 256),
        (["entities", 0, "branch_id"], "x" * 37), (["entities", 0, "action"], "erase"),
        (["entities", 0, "values"], {"lit": 1}), (["entities", 0, "problems"], ["x" * 65]),
        (["entities", 0, "base_version"], 2**31), (["findings", 0, "kind"], "other"), (["keep", "person"], "sex"),
        (["ended_at"], "2026-03-02T09:30:00"), (["persons"], [RETAINED["persons"][0]] * 2),
        (["persons"], [RETAINED["persons"][0], {"path": "/data/personnes[2]", "position": 2}]),
    ],
)  # fmt: skip
def test_what_no_server_retains_is_refused_in_words(session: Session, ready: Relay, path: list[Any], odd: Any) -> None:
    text = write(spoil(ERASED_RECORD, ["erased", "retained", *path], odd))
    with pytest.raises(FormsError, match="What was retained of a record"):
        take_up(session, ready, parse_lines([text]), NOW)
    assert session.scalar(select(Erasure.submission_id)) is None


@pytest.mark.both_databases
def test_the_same_facts_as_they_should_be_are_taken(session: Session, ready: Relay) -> None:
    assert tell(session, ready, *map(write, FACTS_TOLD)) == len(FACTS)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"line":' * 2000, json.dumps({"line": "fact", "fact": "x" * 2_000_001})]
)
def test_what_is_too_deep_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(RelayRefused):
        parse_lines([text])
