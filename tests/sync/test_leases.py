"""Of several processes one holds a lease, until it leaves it or the lease runs out."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from sync.leases import leave_lease, take_lease

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=2)


def test_a_lease_has_one_holder_at_a_time(session: Session) -> None:
    assert take_lease(session, "peer:ministry", "a", NOW, LATER)
    assert not take_lease(session, "peer:ministry", "b", NOW, LATER)
    assert take_lease(session, "peer:ministry", "a", NOW, LATER)
    assert take_lease(session, "peer:another", "b", NOW, LATER)
    assert take_lease(session, "peer:ministry", "b", LATER + timedelta(seconds=1), LATER + timedelta(minutes=2))
    leave_lease(session, "peer:ministry", "a")
    assert not take_lease(session, "peer:ministry", "a", LATER, LATER)
    leave_lease(session, "peer:ministry", "b")
    assert take_lease(session, "peer:ministry", "a", LATER, LATER)
