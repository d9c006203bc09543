"""The short way to the driver tells what SQLAlchemy tells, values and errors alike, on both databases."""

import pytest
from sqlalchemy import bindparam, exists, literal_column, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from sync.models import Blob, Device, Site, Submission
from sync.prepared import Prepared
from tests.sync.arrivals import receive
from tests.sync.factory import add_device, add_site

pytestmark = pytest.mark.both_databases

RECORD = select(
    Submission.id, Submission.is_draft, Submission.received_at, Submission.processed_at, Submission.xml,
    select(Site.code).limit(1).scalar_subquery().label("site"),
    exists().where(Device.id == bindparam("device")).label("known"),
).where(Submission.instance_id == bindparam("name"), Submission.is_draft == bindparam("draft"))  # fmt: skip


def test_values_are_those_that_sqlalchemy_reads(session: Session) -> None:
    device = add_device(session, add_site(session), "ROSSO-01")
    receive(session, "uuid:1")
    values = {"name": "uuid:1", "draft": False, "device": device.id}
    connection = session.connection()
    row, told = Prepared(RECORD).first(connection, values), connection.execute(RECORD, values).one()
    assert row._asdict() == told._asdict()
    assert [type(value) for value in row] == [type(value) for value in told]
    assert (row.is_draft, row.known, row.received_at.tzinfo is not None) == (False, True, True)


def test_no_row_is_none(session: Session) -> None:
    assert Prepared(RECORD).first(session.connection(), {"name": "uuid:2", "draft": False, "device": 0}) is None


def test_values_change_from_call_to_call(session: Session) -> None:
    for number in (1, 2):
        receive(session, f"uuid:{number}")
    asked = Prepared(select(Submission.instance_id).where(Submission.id == bindparam("id")))
    rows = [asked.first(session.connection(), {"id": row.id}) for row in session.query(Submission)]
    assert [row.instance_id for row in rows] == ["uuid:1", "uuid:2"]


def test_failure_tells_its_cause_as_sqlalchemy_does(session: Session) -> None:
    broken = select(Blob.sha256).where(literal_column("nothing") == 1)
    with pytest.raises(DBAPIError) as told:
        Prepared(broken).first(session.connection(), {})
    session.rollback()
    with pytest.raises(DBAPIError, match="nothing") as wanted:
        session.execute(broken)
    assert type(told.value) is type(wanted.value)
    assert str(told.value.orig) == str(wanted.value.orig)


def test_lost_connection_is_let_go(session: Session) -> None:
    connection = session.get_bind().connect()
    assert connection.connection.driver_connection is not None
    connection.connection.driver_connection.close()
    with pytest.raises(DBAPIError, match="closed") as told:
        Prepared(select(Blob.sha256)).first(connection, {})
    assert (told.value.connection_invalidated, connection.invalidated) == (True, True)
    connection.close()
    assert session.execute(text("SELECT 1")).scalar() == 1
