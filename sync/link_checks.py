"""Four eyes on links that were made without any: a fixed share of them is looked at by two people, blind of each other.

How many of those both found right is the measured precision of automatic links.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.link_verdicts import STANDING
from sync.models import LinkCheck, LinkDecision, LinkVerdict, Person, PersonRecord
from sync.policy import Viewer, may
from sync.scopes import scope_people

ANSWERS = ("same", "apart", "unsure")
# References are evenly spread over 32 first signs: these three are a sample that nobody can choose, in one range of an
# index.
_SAMPLE_BELOW, SHARE = "3", 3 / 32
_EYES = 2
_Z = 1.96  # 19 times of 20 the true share lies within


class CheckRefused(FormsError):
    """A check that cannot be kept."""

    messages = {
        "link_check_unknown": N_("Choose one of the answers."),
        "link_check_done": N_("You have already checked this link."),
        "link_check_parted": N_("This check has parted the records. Undo that decision: the check goes with it."),
    }


@dataclass(frozen=True, slots=True)
class Precision:
    """How many of the links that two people checked were right, and between which shares the truth may lie."""

    checked: int
    right: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.right / self.checked if self.checked else 0.0


def find_next_check(session: Session, viewer: Viewer) -> tuple[int, int] | None:
    """The homes of a sampled link's two records that the viewer has not checked and one more person should."""
    row = session.execute(_select_unchecked(viewer).order_by(PersonRecord.home_id).limit(1)).first()
    return (row[0], row[1]) if row else None


def is_to_check(session: Session, viewer: Viewer, one: PersonRecord, other: PersonRecord) -> bool:
    """Whether the viewer should check this link."""
    mine = _select_unchecked(viewer).where(PersonRecord.home_id == one.home_id)
    return session.execute(mine).first() == (one.home_id, other.home_id)


def add_check(
    session: Session, one: PersonRecord, other: PersonRecord, answer: str, actor_id: int, now: datetime
) -> None:
    """Keep what somebody said of a link, or raise CheckRefused. It changes no link: that is a decision's work."""
    if answer not in ANSWERS:
        raise CheckRefused("link_check_unknown")
    if session.get(LinkCheck, (one.home_id, other.home_id, actor_id)) is not None:
        raise CheckRefused("link_check_done")
    session.add(
        LinkCheck(
            home_id=one.home_id, other_id=other.home_id, actor_id=actor_id, answer=answer, checked_at=now
        )
    )  # fmt: skip
    session.flush()
    target = f"link_check:{one.home_id}:{other.home_id}"
    add_audit_event(session, actor_id, "link.checked", target, now, answer=answer)


def find_check(session: Session, viewer: Viewer, one: int, other: int, actor_id: int) -> LinkCheck | None:
    """Find what somebody said of the link of two homes, if the viewer may take it back: their own, or another's."""
    mine = viewer.actor_id == actor_id or may(viewer, "links.withdraw_others")
    return session.get(LinkCheck, (one, other, actor_id)) if mine else None


def list_own_checks(session: Session, viewer: Viewer, limit: int = 20) -> Sequence[LinkCheck]:
    """What the viewer said of links, the newest first."""
    mine = select(LinkCheck).where(LinkCheck.actor_id == viewer.actor_id)
    return session.scalars(mine.order_by(LinkCheck.checked_at.desc(), LinkCheck.home_id).limit(limit)).all()


def withdraw_check(session: Session, check: LinkCheck, actor_id: int, now: datetime) -> None:
    """Take a check back, so that the link awaits those eyes again, or raise CheckRefused where it parted the two."""
    home, other = aliased(Person), aliased(Person)
    parted = (
        select(LinkDecision.id)
        .join(LinkVerdict, LinkVerdict.decision_id == LinkDecision.id)
        .join(home, home.reference == LinkVerdict.record)
        .join(other, other.reference == LinkVerdict.other)
        .where(home.id == check.home_id, other.id == check.other_id)
        .where(LinkDecision.kind == "apart", LinkDecision.undone_at.is_(None))
    )
    if check.answer == "apart" and session.scalar(parted.limit(1)):
        raise CheckRefused("link_check_parted")
    _drop(session, check, actor_id, now)


def withdraw_parting_checks(session: Session, decision: LinkDecision, undone_at: datetime) -> None:
    """Take back the checks that found a link wrong, with the decision that parted it: it stands again, unchecked."""
    ends = select(Person.id).where(Person.reference.in_([*decision.left, *decision.right]))
    found = select(LinkCheck).where(LinkCheck.home_id.in_(ends), LinkCheck.other_id.in_(ends))
    parting = found.where(LinkCheck.answer == "apart", LinkCheck.checked_at <= undone_at)
    for check in session.scalars(parting).all():
        _drop(session, check, decision.undone_by_id, undone_at)


def _drop(session: Session, check: LinkCheck, actor_id: int | None, now: datetime) -> None:
    session.delete(check)
    session.flush()
    target = f"link_check:{check.home_id}:{check.other_id}"
    add_audit_event(session, actor_id, "link.check_withdrawn", target, now, answer=check.answer)


def measure_precision(session: Session) -> Precision:
    """The precision over all links that enough people checked.

    A link is right when two found it so, wrong when anybody found it wrong; who could not tell does not count.
    """
    same, apart = (func.count().filter(LinkCheck.answer == answer) for answer in ("same", "apart"))
    links = select(same.label("same"), apart.label("apart")).group_by(LinkCheck.home_id, LinkCheck.other_id).subquery()
    is_wrong, is_right = links.c.apart > 0, and_(links.c.apart == 0, links.c.same >= _EYES)
    wrong, right = session.execute(select(func.count().filter(is_wrong), func.count().filter(is_right))).one()
    return compute_precision(right + wrong, right)


def list_checked(session: Session) -> Iterator[tuple[str, str, bool]]:
    """The references of each link that anybody checked, and whether enough people found it right."""
    home, other = aliased(Person), aliased(Person)
    same, apart = (func.count().filter(LinkCheck.answer == answer) for answer in ("same", "apart"))
    checked = (
        select(home.reference, other.reference, same, apart)
        .select_from(LinkCheck)
        .join(home, home.id == LinkCheck.home_id)
        .join(other, other.id == LinkCheck.other_id)
        .group_by(home.reference, other.reference)
    )
    for one, another, right, wrong in session.execute(checked):
        yield one, another, right >= _EYES and not wrong


def compute_precision(checked: int, right: int) -> Precision:
    """The share of the checked that is right, and between which shares the truth may lie."""
    return Precision(checked, right, *_find_interval(right, checked))


def _find_interval(right: int, checked: int) -> tuple[float, float]:
    """Wilson's interval: it stays honest for few checks and for shares near one."""
    if not checked:
        return 0.0, 1.0
    share, spread = right / checked, _Z * _Z / checked
    middle = share + spread / 2
    half = _Z * sqrt(share * (1 - share) / checked + spread / (4 * checked))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


_first = aliased(PersonRecord)


def _select_unchecked(viewer: Viewer) -> Select[int, int]:
    """Sampled records that nobody's word linked to the first record of their person, and that await the viewer's eyes.

    Whoever made the records readable to the viewer made both so.
    """
    home = Person.__table__.alias("home")
    checks = select(func.count()).where(
        LinkCheck.home_id == PersonRecord.home_id, LinkCheck.other_id == PersonRecord.person_id
    )
    mine = checks.where(LinkCheck.actor_id == viewer.actor_id)
    said = exists().where(
        LinkVerdict.record == home.c.reference, LinkVerdict.decision_id == LinkDecision.id, STANDING,
        LinkDecision.kind == "same",
    )  # fmt: skip
    found = (
        select(PersonRecord.home_id, PersonRecord.person_id)
        .join(home, home.c.id == PersonRecord.home_id)
        .join(_first, _first.home_id == PersonRecord.person_id)
        .where(home.c.reference < _SAMPLE_BELOW, PersonRecord.person_id != PersonRecord.home_id, ~said)
        .where(checks.scalar_subquery() < _EYES, mine.scalar_subquery() == 0)
    )
    return scope_people(scope_people(found, viewer), viewer, _first)
