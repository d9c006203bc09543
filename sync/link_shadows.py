"""A model that reads along, beside the active one on the records that came last: where would it have said otherwise?

By the heaviest other record alone. What all rules together would change is a run's work (link_runs.py).
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from math import inf

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from sync import link_rows as rows
from sync.link_models import Linking, find_linking, list_linkings
from sync.models import PersonRecord

# What a weight comes to: heavy enough for a link, for a question, or of nobody known.
ZONES = ("link", "question", "new")
_NEWEST = 1000


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many of the newest records stand where, by what the active model says and then by what the shadow says."""

    records: int
    counts: Counter[tuple[str, str]]

    @property
    def differing(self) -> int:
        """Those of which the two models say different things."""
        return sum(count for (active, shadow), count in self.counts.items() if active != shadow)


def compare_on_traffic(session: Session, model_id: int, now: datetime) -> Traffic | None:
    """The newest records that both have read, or None of a model that is the active one or reads nothing."""
    active = find_linking(session)
    if active is None or active.model_id == model_id:
        return None
    connection = session.connection()
    shadow = next((one for one in list_linkings(connection, now) if one.model_id == model_id), None)
    if shadow is None:
        return None
    newest = select(PersonRecord.home_id).order_by(PersonRecord.id.desc()).limit(_NEWEST)
    homes = session.scalars(newest).all()
    said, otherwise = (_place(connection, linking, homes) for linking in (active, shadow))
    counts = Counter((said[home], otherwise[home]) for home in said.keys() & otherwise.keys())
    return Traffic(counts.total(), counts)


def _place(connection: Connection, linking: Linking, homes: Collection[int]) -> dict[int, str]:
    """Where these records stand by the weight of the heaviest other record."""
    members = rows.find_members(connection, linking.model_id, homes)
    known = rows.read_identities(connection, set(members.values()))
    heaviest = {one.id: one.own_bits if one.records > 1 else -inf for one in known.values()}
    for pair in rows.read_pairs(connection, known, linking.least):
        heaviest[pair.one] = max(heaviest[pair.one], pair.bits)
    prior = linking.scorer.prior_bits
    return {home: _zone(linking, heaviest[identity] + prior) for home, identity in members.items()}


def _zone(linking: Linking, bits: float) -> str:
    if bits >= linking.model.link_at:
        return "link"
    return "question" if bits >= linking.model.review_at else "new"
