"""What a model that reads along would have said of the records that came last."""

from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.link_models import add_model, find_linking, keep_model
from sync.link_shadows import Traffic, compare_on_traffic
from sync.linkage.model import LinkModel, default_model
from tests.sync.factory import NOW
from tests.sync.meetings import AWA, AWA_AGAIN, BINTA, MODOU, meet, prepare

TIMID = replace(default_model(), link_at=200.0)
# By its words nobody is like anybody.
BLIND = replace(default_model(), link_at=300.0, review_at=299.0)


@pytest.fixture
def met(session: Session) -> None:
    prepare(session)
    meet(session, "uuid:1", AWA)
    meet(session, "uuid:2", AWA)
    meet(session, "uuid:3", AWA_AGAIN)
    meet(session, "uuid:4", MODOU)


def compare(session: Session, model: LinkModel, *, reads: bool = True) -> Traffic | None:
    row = add_model(session, model, None, NOW)
    if reads:
        keep_model(session, model.version, None, NOW)
    session.commit()
    process_pending()
    return compare_on_traffic(session, row.id, NOW)


@pytest.mark.both_databases
def test_a_shadow_stands_beside_the_active_model_on_the_newest_records(session: Session, met: None) -> None:
    traffic = compare(session, TIMID)
    assert traffic == Traffic(4, Counter({("link", "question"): 3, ("new", "new"): 1}))
    assert traffic.differing == 3
    meet(session, "uuid:5", BINTA)
    again = compare(session, TIMID)
    assert again == Traffic(5, Counter({("link", "question"): 3, ("new", "new"): 2}))


def test_a_model_of_other_thresholds_asks_about_nobody(session: Session, met: None) -> None:
    assert compare(session, BLIND) == Traffic(4, Counter({("link", "new"): 3, ("new", "new"): 1}))


def test_what_reads_nothing_stands_beside_nothing(session: Session, met: None) -> None:
    active = find_linking(session)
    assert active
    assert compare_on_traffic(session, active.model_id, NOW) is None
    assert compare(session, TIMID, reads=False) is None


def test_before_the_first_record_there_is_no_traffic(session: Session) -> None:
    assert compare_on_traffic(session, 1, NOW) is None
