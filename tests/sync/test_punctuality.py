"""How long records were on their way, and with which versions they were filled: a sample of the newest."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from sync.models import Device, Submission
from sync.publishing import publish_form
from sync.punctuality import Drift, Lag, Sample, select_sample
from tests.sync.factory import NOW, add_device, add_site, add_submission, form_file

HOUR = 3600.0


@pytest.fixture
def device(session: Session) -> Device:
    return add_device(session, add_site(session))


def arrive(session: Session, device: Device, number: int, hours: float | None, **facts: object) -> Submission:
    row = add_submission(session, f"uuid:{number}", device=device, **facts)
    row.ended_at = None if hours is None else row.received_at - timedelta(hours=hours)
    session.flush()
    return row


def sample(session: Session) -> Sample:
    return Sample(session.execute(select_sample(NOW + timedelta(minutes=1))).all())


def test_nothing_says_nothing(session: Session) -> None:
    assert (sample(session).lag(), sample(session).lags_by("site_id")) == (None, {})


@pytest.mark.both_databases
def test_the_middle_and_the_slow_tenth(session: Session, device: Device) -> None:
    for number in range(11):
        arrive(session, device, number, float(number))
    lag = sample(session).lag()
    # The record that took no time at all tells nothing: its clock may be wrong.
    assert lag is not None
    assert (lag.median_s, lag.p90_s) == pytest.approx((5.5 * HOUR, 9.1 * HOUR))


def test_one_record_is_its_own_tenth(session: Session, device: Device) -> None:
    arrive(session, device, 1, 2.0)
    assert sample(session).lags_by("device_id") == {device.id: Lag(2 * HOUR, 2 * HOUR)}


@pytest.mark.parametrize("hours", [None, -3.0], ids=["no end", "a clock that is ahead"])
def test_a_record_without_a_sound_end_tells_no_lag(session: Session, device: Device, hours: float | None) -> None:
    arrive(session, device, 1, hours)
    assert sample(session).lag() is None


@pytest.mark.parametrize(
    "facts", [{"is_draft": True}, {"received_at": NOW - timedelta(days=8)}], ids=["a test", "long ago"]
)
def test_tests_and_old_records_are_not_in_it(session: Session, device: Device, facts: dict[str, object]) -> None:
    arrive(session, device, 1, 1.0, **facts)
    assert sample(session).rows == []


def test_the_newest_record_says_which_version_a_tablet_has(session: Session, device: Device) -> None:
    for version in ("1", "2"):
        publish_form(session, form_file(version), {}, None, NOW)
    arrive(session, device, 1, 1.0, version="2", received_at=NOW - timedelta(days=1))
    arrive(session, device, 2, 1.0, version="1")
    arrive(session, device, 3, 1.0, form_id="unheard")
    assert sample(session).list_drift(session) == [Drift(device.id, "passage", "1", "2")]
    arrive(session, device, 4, 1.0, version="2", received_at=NOW + timedelta(seconds=1))
    assert sample(session).list_drift(session) == []
