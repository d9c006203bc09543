"""What people said of two records, as what models are taught and measured by: decisions, and checks of links.

How many pairs each label speaks for is here as well: a model's precision is not that of the links that were complained
about. Which pairs are drawn: link_checks.py and link_samples.py.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.link_checks import SHARE, list_checked
from sync.link_samples import list_chances
from sync.link_verdicts import IN_FORCE
from sync.linkage.calibration import Label
from sync.linkage.decision import Verdict
from sync.models import LinkDecision, LinkVerdict

# Whoever takes a record out or splits a person was shown no pair by anybody: only wrong links come to that.
_UNASKED = ("unlink", "split")
_Ends = tuple[str, str]


def read_decided(session: Session) -> list[Verdict]:
    """What people decided about two records; of two decisions about a pair the later one."""
    return [Verdict(*ends, kind == "same") for ends, kind in sorted(_read_latest(session).items())]


def read_labels(session: Session) -> list[Label]:
    """What people decided or found right in a check, each with for how many pairs it speaks.

    A check that finds a link wrong parts it, so the decision tells; one that two people find right stands in no other
    place. A question is put to all who may answer it, and speaks for itself alone; what was drawn, as a link to be
    checked or as a pair that nobody is asked about, speaks for all that it was drawn from, whatever people found.
    """
    checked = {_sort(one, other): right for one, other, right in list_checked(session)}
    chances = dict.fromkeys(checked, SHARE) | {_sort(*ends): chance for *ends, chance in list_chances(session)}
    kinds = dict.fromkeys((ends for ends, right in checked.items() if right), "same") | _read_latest(session)
    return [Label(*ends, kind == "same", _count(kind, chances.get(ends))) for ends, kind in sorted(kinds.items())]


def _count(kind: str, chance: float | None) -> float:
    if chance is not None:
        return 1 / chance
    return 0.0 if kind in _UNASKED else 1.0


def _read_latest(session: Session) -> dict[_Ends, str]:
    query = (
        select(LinkVerdict.record, LinkVerdict.other, LinkDecision.kind)
        .join(LinkDecision, LinkDecision.id == LinkVerdict.decision_id)
        .where(IN_FORCE, LinkVerdict.record < LinkVerdict.other)
        .order_by(LinkDecision.decided_at, LinkDecision.uuid)
    )
    return {(record, other): kind for record, other, kind in session.execute(query)}


def _sort(one: str, other: str) -> _Ends:
    return min(one, other), max(one, other)
