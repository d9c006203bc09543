"""Asking the site: a reviewer cannot tell whether two records are of one person, and the place can still find out.

A site is asked about its own record only, and is never told with whom it is compared: that may be somebody elsewhere.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import chain

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, update
from sqlalchemy.orm import Session, joinedload

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.golden import GOLDEN
from sync.link_urgency import mark_answered
from sync.models import LinkInquiry, Person, PersonRecord
from sync.policy import Viewer, access, may

LONGEST_NOTE = 500
ANSWERS = ("right", "wrong", "unknown")
# What sites are asked: neither answered nor taken back.
OPEN = and_(LinkInquiry.answered_at.is_(None), LinkInquiry.withdrawn_at.is_(None))


class InquiryRefused(FormsError):
    """A question to a site, or an answer, that cannot be kept."""

    messages = {
        "inquiry_no_site": N_("This record comes from no site that could be asked."),
        "inquiry_properties": N_("Choose what the site should make sure of."),
        "inquiry_open": N_("The site is asked this already, and has not answered yet."),
        "inquiry_note_long": N_("At most %(most)s characters are possible here."),
        "inquiry_answer_unknown": N_("Choose one of the answers."),
        "inquiry_answered": N_("This question was already answered."),
        "inquiry_withdrawn": N_("This question was taken back: nobody needs the answer any more."),
    }


def ask_site(
    session: Session, record: PersonRecord, other: PersonRecord, properties: Collection[str], note: str,
    actor_id: int, now: datetime,
) -> LinkInquiry:  # fmt: skip
    """Ask the site of a record to make sure of some of its properties, or raise InquiryRefused.

    What it is asked already is not asked again before it has answered.
    """
    if record.site_id is None:
        raise InquiryRefused("inquiry_no_site")
    chosen = [name for name in GOLDEN if name in properties]
    if not chosen:
        raise InquiryRefused("inquiry_properties")
    asked = _list_asked(session, record, other)
    wanted = [name for name in chosen if name not in asked]
    if not wanted:
        raise InquiryRefused("inquiry_open")
    inquiry = LinkInquiry(
        home_id=record.home_id, other_id=other.home_id, site_id=record.site_id, properties=wanted,
        note=_clean(note), asked_by_id=actor_id, asked_at=now, answer_note="",
    )  # fmt: skip
    session.add(inquiry)
    session.flush()
    add_audit_event(session, actor_id, "link.asked", f"link_inquiry:{inquiry.id}", now, properties=wanted)
    return inquiry


def answer_inquiry(
    session: Session, inquiry: LinkInquiry, answer: str, note: str, actor_id: int, now: datetime
) -> None:
    """Write down what the site found out, or raise InquiryRefused; the first answer stands."""
    if answer not in ANSWERS:
        raise InquiryRefused("inquiry_answer_unknown")
    _check_open(inquiry)
    inquiry.answer, inquiry.answer_note = answer, _clean(note)
    inquiry.answered_by_id, inquiry.answered_at = actor_id, now
    session.flush()
    mark_answered(session, inquiry)
    add_audit_event(session, actor_id, "link.answered", f"link_inquiry:{inquiry.id}", now, answer=answer)


def withdraw_inquiry(session: Session, inquiry: LinkInquiry, actor_id: int, now: datetime) -> None:
    """Take a question back that its site has not answered, or raise InquiryRefused: it is asked no more."""
    session.refresh(inquiry, with_for_update=True)
    _check_open(inquiry)
    inquiry.withdrawn_by_id, inquiry.withdrawn_at = actor_id, now
    session.flush()
    add_audit_event(session, actor_id, "link.inquiry_withdrawn", f"link_inquiry:{inquiry.id}", now)


def find_withdrawable(session: Session, viewer: Viewer, inquiry_id: int) -> LinkInquiry | None:
    """Find a question that the viewer may take back: who asked it, or who may take back what others did."""
    found = select(LinkInquiry).where(LinkInquiry.id == inquiry_id)
    return session.scalar(found if may(viewer, "links.withdraw_others") else found.where(_is_asked_by(viewer)))


def list_asked_by(session: Session, viewer: Viewer) -> Sequence[LinkInquiry]:
    """What the viewer asked and no site has answered, the newest first."""
    asked = select(LinkInquiry).where(_is_asked_by(viewer), OPEN).order_by(LinkInquiry.id.desc())
    return session.scalars(asked.options(joinedload(LinkInquiry.home), joinedload(LinkInquiry.site))).all()


def _is_asked_by(viewer: Viewer) -> ColumnElement[bool]:
    return LinkInquiry.asked_by_id == viewer.actor_id


def _check_open(inquiry: LinkInquiry) -> None:
    if inquiry.answered_at is not None:
        raise InquiryRefused("inquiry_answered")
    if inquiry.withdrawn_at is not None:
        raise InquiryRefused("inquiry_withdrawn")


def list_open_inquiries(session: Session, viewer: Viewer) -> Sequence[LinkInquiry]:
    """What the viewer's site is asked and has not answered, the oldest first; nothing for who may not answer."""
    if not may(viewer, "links.answer"):
        return []
    waiting = _scoped(viewer).where(OPEN)
    return session.scalars(waiting.options(joinedload(LinkInquiry.home)).order_by(LinkInquiry.id)).all()


def find_inquiry(session: Session, viewer: Viewer, inquiry_id: int) -> LinkInquiry | None:
    """Find a question to the viewer's own site."""
    return session.scalar(_scoped(viewer).where(LinkInquiry.id == inquiry_id))


def list_inquiries_about(session: Session, one: PersonRecord, other: PersonRecord) -> Sequence[LinkInquiry]:
    """What sites were asked about two records, with their answers, the oldest first."""
    ends = {one.home_id, other.home_id}
    asked = select(LinkInquiry).where(LinkInquiry.home_id.in_(ends), LinkInquiry.other_id.in_(ends))
    return session.scalars(asked.order_by(LinkInquiry.id)).all()


def _list_asked(session: Session, record: PersonRecord, other: PersonRecord) -> set[str]:
    """What the site of this record is asked about it, beside the other, and has not answered."""
    # Two reviewers may ask at once: the second one waits here, and then sees what the first one asked.
    session.execute(select(Person.id).where(Person.id == record.home_id).with_for_update())
    waiting = select(LinkInquiry.properties).where(
        LinkInquiry.home_id == record.home_id, LinkInquiry.other_id == other.home_id, OPEN
    )
    return set(chain.from_iterable(session.scalars(waiting)))


def forget_inquiry_notes(session: Session, submission_id: int) -> None:
    """Forget what was written to and by sites about the records of a submission whose answers are erased."""
    homes = select(PersonRecord.home_id).where(PersonRecord.submission_id == submission_id)
    about = or_(LinkInquiry.home_id.in_(homes), LinkInquiry.other_id.in_(homes))
    session.execute(update(LinkInquiry).where(about).values(note="", answer_note=""))


def _scoped(viewer: Viewer) -> Select[LinkInquiry]:
    """An answer is given at the place: a viewer of no site answers nothing."""
    if not access(viewer, "D3").reads or viewer.site_id is None:
        return select(LinkInquiry).where(false())
    return select(LinkInquiry).where(LinkInquiry.site_id == viewer.site_id)


def _clean(note: str) -> str:
    text = note.strip().replace("\0", "")
    if len(text) > LONGEST_NOTE:
        raise InquiryRefused("inquiry_note_long", most=LONGEST_NOTE)
    return text
