"""What a tablet had of a list when it filled a record, by the log of its fetches."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from sync.devices import Contact, Fetch, record_contacts
from sync.models import Device, FormVersion
from sync.publishing import find_form_version
from sync.tablet_lists import Filling, State, decide_onboard, list_states, writes_list
from tests.sync.entities import publish_entity_forms
from tests.sync.factory import NOW, add_device, add_site


def at(hour: float) -> datetime:
    return NOW + timedelta(hours=hour)


def state(name: str, first: float, last: float | None = None) -> State:
    return State(name, at(first), at(first if last is None else last))


@pytest.mark.parametrize(
    ("states", "began", "ended", "expected"),
    [
        pytest.param([], 1, 2, None, id="nothing fetched"),
        pytest.param([state("a", 3)], 1, 2, None, id="fetched afterwards alone"),
        pytest.param([state("a", 0)], 1, 2, ("a", True), id="fetched before"),
        pytest.param([state("a", 0, 5)], 1, 2, ("a", True), id="fetched again, the same"),
        pytest.param([state("a", -9), state("b", 0), state("c", 3)], 1, 2, ("b", True), id="the last before counts"),
        pytest.param([state("a", -9), state("b", 1.5)], 1, 2, ("b", False), id="changed while it was filled"),
        pytest.param([state("a", -9), state("b", 2.1)], 1, 2, ("a", False), id="changed so soon that clocks decide"),
        pytest.param([state("a", 0.9)], 1, 2, ("a", False), id="first fetched so late that clocks decide"),
        pytest.param([state("a", -9, 9), state("b", 0)], 1, 2, ("b", False), id="the older one may have come back"),
    ],
)
def test_the_state_on_board(states: list[State], began: float, ended: float, expected: tuple[str, bool] | None) -> None:
    onboard = decide_onboard(states, at(began), at(ended))
    assert (onboard and (onboard.state.hash, onboard.sure)) == expected


@pytest.fixture
def device(session: Session) -> Device:
    publish_entity_forms(session)
    return add_device(session, add_site(session, "KLK", kind="centre"))


def fetch(session: Session, device: Device, kind: str, form_id: str, name: str = "", hour: float = 0) -> None:
    fetched = {Fetch(kind, form_id, "1", name, f"{form_id} {name} {hour}"): at(hour)}
    record_contacts(session, [Contact(device.id, at(hour), kind, fetches=fetched)], at(hour))


def filling(session: Session, device: Device, form_id: str = "assistance") -> Filling:
    return Filling(device, version_of(session, form_id), at(1), at(2))


def version_of(session: Session, form_id: str) -> FormVersion:
    version = find_form_version(session, form_id, "1")
    assert version is not None
    return version


@pytest.mark.both_databases
def test_an_entity_list_is_the_tablets_whichever_form_brought_it(session: Session, device: Device) -> None:
    fetch(session, device, "list", "vigie", "dossiers.csv")
    mine = filling(session, device)
    assert len(list_states(session, mine, "dossiers.csv", shared=True)) == 1
    assert list_states(session, mine, "dossiers.csv", shared=False) == []


def test_what_other_tablets_fetched_says_nothing(session: Session, device: Device) -> None:
    fetch(session, add_device(session, device.site, "KLK-2"), "list", "assistance", "dossiers.csv")
    assert list_states(session, filling(session, device), "dossiers.csv", shared=True) == []


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("fetched", "name", "writes"),
    [
        pytest.param(["assistance"], "dossiers", True, id="its form changes rows"),
        pytest.param(["assistance", "arrivee"], "evenements", False, id="its forms write another list"),
        pytest.param([], "evenements", True, id="no trace of its form"),
    ],
)
def test_a_tablet_may_have_rows_of_its_own(
    session: Session, device: Device, fetched: list[str], name: str, writes: bool
) -> None:
    for form_id in fetched:
        fetch(session, device, "form", form_id)
    assert writes_list(session, filling(session, device), name) is writes
