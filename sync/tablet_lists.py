"""What a tablet had of a list when it filled a record: found in the log of what it fetched (DeviceFetch).

The bytes are kept for no tablet. An entity list is made anew from what was served under which number, and the hash of
what the tablet fetched tells whether these are the very same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from sync.models import Device, DeviceFetch, Form, FormVersion
from sync.publishing import get_definition

# A tablet's clock may be wrong by so much without anybody noticing.
CLOCK_TOLERANCE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Filling:
    """On which tablet, with which form version, and from when to when a record was filled, as the record says."""

    device: Device
    version: FormVersion
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class State:
    """One state of a list that a tablet fetched, and when it did so first and last."""

    hash: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Onboard:
    """The state that a tablet had, by all that is known. `sure`: it can have had no other."""

    state: State
    sure: bool


def list_states(session: Session, filling: Filling, filename: str, *, shared: bool) -> list[State]:
    """List the states of a list that the tablet is known to have fetched.

    A `shared` list is one of entities: Collect keeps it once for all its forms, whichever of them brought it.
    """
    mine = {} if shared else {"form_id": filling.version.form.form_id, "version": filling.version.version}
    query = _FETCHED.filter_by(device_id=filling.device.id, name=filename, **mine)
    return [State(*row) for row in session.execute(query)]


def decide_onboard(states: Sequence[State], began: datetime, ended: datetime) -> Onboard | None:
    """Decide what was on board while a record was filled; a tablet may have updated itself meanwhile."""
    held = [_held_at(states, at) for at in (began - CLOCK_TOLERANCE, ended, ended + CLOCK_TOLERANCE)]
    latest = held[1][0] if held[1] else None
    return Onboard(latest, all(one == [latest] for one in held)) if latest else None


def _held_at(states: Sequence[State], moment: datetime) -> list[State]:
    """What a tablet may have held at a moment, first what is likeliest: the state that it surely fetched last."""
    known = [one for one in states if one.first_at <= moment]
    known.sort(key=lambda one: one.last_at if one.last_at <= moment else one.first_at, reverse=True)
    # Of a state that was fetched again later, nobody knows how often in between.
    return [one for place, one in enumerate(known) if place == 0 or one.last_at > moment]


def writes_list(session: Session, filling: Filling, name: str) -> bool:
    """Say whether the tablet may have rows of its own in an entity list: those that its records created or changed.

    Collect adds them to the list before the server knows of them. Without a trace of the form nothing is sure.
    """
    versions = session.scalars(_FORMS, {"device": filling.device.id}).all()
    declared = {one.list_name for version in versions for one in get_definition(session, version).entities}
    return filling.version not in versions or name in declared


_FETCHED = select(DeviceFetch.hash, DeviceFetch.first_at, DeviceFetch.last_at).where(DeviceFetch.kind == "list")
_FORMS = (
    select(FormVersion)
    .join(Form)
    .join(DeviceFetch, (DeviceFetch.form_id == Form.form_id) & (DeviceFetch.version == FormVersion.version))
    .where(DeviceFetch.device_id == bindparam("device"), DeviceFetch.kind == "form", FormVersion.state != "draft")
    .distinct()
)
