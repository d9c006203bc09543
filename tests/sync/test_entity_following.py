"""A referral is where its stay is, whichever of the two comes first and whichever is changed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.entity_acts import NewEntity, add_entities, change_entity
from sync.entity_lists import Receiver, read_view, register_list, render_earlier_csv, render_entity_csv
from sync.models import Entity
from tests.sync.entities import STAY
from tests.sync.factory import NOW

REFERRAL = "5f0c1f3e-1d2a-4b6c-8d3e-000000000002"


@pytest.fixture
def lists(session: Session) -> Session:
    register_list(session, "dossiers", ["site_id", "etat"])
    register_list(session, "orientations", ["site_id", "dossier", "statut"])
    return session


def open_stay(session: Session) -> None:
    add_entities(session, "dossiers", [NewEntity("D", {"site_id": "KLK", "etat": "arrive"}, STAY)], None, NOW)


def refer(session: Session, site: str = "KLK") -> None:
    values = {"site_id": site, "dossier": STAY, "statut": "envoyee"}
    add_entities(session, "orientations", [NewEntity("O", values, REFERRAL)], None, NOW)


def refer_from_nowhere(session: Session) -> None:
    """A tablet whose settings name no site leaves the answer blank."""
    refer(session, "")


def transfer(session: Session, to: str = "STL") -> None:
    change_entity(session, "dossiers", STAY, None, {"site_id": to}, None, None, NOW + timedelta(hours=1))


def answer(session: Session) -> None:
    change_entity(session, "orientations", REFERRAL, None, {"statut": "recue"}, None, None, NOW + timedelta(hours=2))


def holders(session: Session) -> list[str]:
    """The centres whose tablets get the referral."""
    views = {code: read_view(session, "orientations", Receiver(code, "centre"), NOW) for code in ("KLK", "STL", "DKR")}
    return [code for code, view in views.items() if REFERRAL in render_entity_csv(session, view).decode()]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "order",
    [
        (open_stay, refer, transfer, answer),
        (open_stay, transfer, refer, answer),
        (refer, open_stay, transfer, answer),
        (refer, answer, open_stay, transfer),
        (open_stay, refer, answer, transfer),
        (open_stay, refer_from_nowhere, transfer, answer),
        (open_stay, transfer, refer_from_nowhere, answer),
        (refer_from_nowhere, answer, open_stay, transfer),
    ],
)
def test_a_referral_is_where_its_stay_is(lists: Session, order: tuple[Callable[[Session], None], ...]) -> None:
    for act in order:
        act(lists)
    assert holders(lists) == ["STL"]


def test_a_referral_of_no_site_whose_stay_is_not_here_is_nowhere(lists: Session) -> None:
    refer_from_nowhere(lists)
    assert holders(lists) == []
    open_stay(lists)
    assert holders(lists) == ["KLK"]


def test_a_tablet_is_told_at_each_move(lists: Session) -> None:
    open_stay(lists)
    refer(lists)
    seen = [read_view(lists, "orientations", Receiver(code, "centre"), NOW).generations for code in ("KLK", "STL")]
    transfer(lists)
    now = [read_view(lists, "orientations", Receiver(code, "centre"), NOW).generations for code in ("KLK", "STL")]
    assert all(before != after for before, after in zip(seen, now, strict=True))
    transfer(lists, "DKR")
    assert holders(lists) == ["DKR"]


def test_a_referral_without_a_stay_here_is_where_it_was_asked_for(lists: Session) -> None:
    refer(lists)
    assert holders(lists) == ["KLK"]
    assert lists.scalars(select(Entity.site_code)).one() == "KLK"


def test_what_a_centre_had_of_it_is_known_afterwards(lists: Session) -> None:
    open_stay(lists)
    refer(lists)
    transfer(lists)
    view = read_view(lists, "orientations", Receiver("STL", "centre"), NOW)
    assert REFERRAL in render_earlier_csv(lists, view, NOW).decode()
