"""What people at a post say of records and head-counts there, as it goes up: comments, marks, explanations, erasures.

Their decisions are facts of the journal (up.py). The centre takes in what is said of what is the relay's own.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sync.authors import find_author
from sync.erasure import ErasureFact, ErasureRefused, describe_erasure, receive_erasure
from sync.intake import IncomingRecord, Upload, receive_submission
from sync.models import (
    Actor,
    Entity,
    Erasure,
    HeadcountExplanation,
    Relay,
    RelayedRecord,
    Submission,
    SubmissionComment,
    SubmissionMark,
)
from sync.programme.headcount_rows import EVENTS, ExplanationFact, receive_explanation
from sync.publishing import find_form_version
from sync.registry import lock_registry
from sync.relaying.belonging import as_sender, check_own, find_own_site, find_relayed, name_author
from sync.relaying.lines import CommentLine, ExplanationLine, MarkLine, RecordLine, RelayRefused, receipt_for
from sync.reviews import receive_comment, receive_mark
from sync.told import fill_in, widths_of

Word = CommentLine | MarkLine | ExplanationLine
_WIDTHS = {"deprecated_id": widths_of(Submission)["deprecated_id"]}


@dataclass(frozen=True, slots=True)
class _Erased(ErasureFact):
    """With the place of the record among edits, for a server to which the record itself never came."""

    deprecated_id: str | None = None


def list_words(session: Session) -> Iterator[Word]:
    """Every comment, mark and explanation of this relay, the oldest comment first."""
    yield from _list_comments(session)
    yield from _list_marks(session)
    yield from _list_explanations(session)


def _list_comments(session: Session) -> Iterator[CommentLine]:
    comments = select(SubmissionComment, Submission).join(Submission).where(Submission.is_draft.is_(False))
    found = comments.options(joinedload(SubmissionComment.actor)).order_by(SubmissionComment.id)
    for one, record in session.execute(found):
        author = one.actor.display_name
        yield CommentLine(*_name(record), author=author, body=one.body, written_at=one.created_at)


def _list_marks(session: Session) -> Iterator[MarkLine]:
    marks = select(SubmissionMark, Submission, Actor.display_name).join(Submission).outerjoin(Actor)
    marked = marks.where(Submission.is_draft.is_(False)).order_by(SubmissionMark.submission_id)
    for mark, record, name in session.execute(marked):
        yield MarkLine(*_name(record), author=name or "", mark=mark.mark, marked_at=mark.marked_at)


def _list_explanations(session: Session) -> Iterator[ExplanationLine]:
    names = {row.id: row.display_name for row in session.execute(select(Actor.id, Actor.display_name))}
    for one in session.scalars(select(HeadcountExplanation).order_by(HeadcountExplanation.id)):
        yield ExplanationLine(
            event=one.event_uuid,
            numbers=one.numbers,
            reason=one.reason,
            author=names.get(one.actor_id or 0, ""),
            explained_at=one.explained_at,
            withdrawn_by=names.get(one.withdrawn_by_id or 0),
            withdrawn_at=one.withdrawn_at,
        )


def _name(record: Submission) -> tuple[str, str, str]:
    return record.form_id, record.instance_id, record.xml_sha256


def take_word(session: Session, relay: Relay, line: Word, now: datetime) -> bool:
    """Keep a word; say whether that of which it is said is here, else the relay is to tell it again.

    Raises RelayRefused for what is none of the relay's.
    """
    if isinstance(line, ExplanationLine):
        return _take_explanation(session, relay, line, now)
    known = find_relayed(session, relay, line.xml_sha256, line.form_id, line.instance_id)
    record = session.get(Submission, known.submission_id) if known is not None and known.submission_id else None
    if known is None or record is None:
        return False
    check_own(session, relay, record)
    author = _find_author(session, relay, line.author, now)
    if isinstance(line, MarkLine):
        _take_mark(session, known, record, line, author, now)
    elif session.get(Erasure, record.id) is None:
        # What was said about answers that are erased goes with them.
        receive_comment(session, _find_root(session, record).id, line.body, author.id, line.written_at)
    session.flush()
    return True


def _take_mark(
    session: Session, known: RelayedRecord, record: Submission, line: MarkLine, author: Actor, now: datetime
) -> None:
    """Let a mark stand unless a later one does; by a fast clock a line whose receipt was lost would be a later one."""
    digest = receipt_for(line).digest
    if known.mark_digest != digest:
        known.mark_digest = digest
        receive_mark(session, record.id, line.mark, author.id, min(line.marked_at, now))


def _take_explanation(session: Session, relay: Relay, line: ExplanationLine, now: datetime) -> bool:
    named = select(Entity.site_code).where(Entity.list_name == EVENTS, Entity.uuid == line.event, Entity.exists)
    event = session.execute(named).one_or_none()
    if event is None:
        return False
    if find_own_site(session, relay, event.site_code).code != event.site_code:
        raise RelayRefused("relay_foreign")
    fact = ExplanationFact(
        numbers=line.numbers,
        reason=line.reason,
        actor_id=_find_author(session, relay, line.author, now).id,
        explained_at=line.explained_at,
        withdrawn_by_id=_find_author(session, relay, line.withdrawn_by, now).id if line.withdrawn_by else None,
        withdrawn_at=line.withdrawn_at,
    )
    receive_explanation(session, line.event, fact)
    return True


def _find_author(session: Session, relay: Relay, name: str, now: datetime) -> Actor:
    """Somebody at the post: the centre knows no accounts of posts."""
    return find_author(session, name_author(relay, name), now)


def _find_root(session: Session, record: Submission) -> Submission:
    """The record with which a chain of edits began: the centre may hold more of it than the post."""
    seen = [record]
    while (earlier := _find_earlier(session, seen[-1])) is not None and earlier not in seen:
        seen.append(earlier)
    return seen[-1]


def _find_earlier(session: Session, record: Submission) -> Submission | None:
    if record.deprecated_id is None:
        return None
    named = {"form_id": record.form_id, "instance_id": record.deprecated_id, "is_draft": record.is_draft}
    return session.scalar(select(Submission).filter_by(**named).order_by(Submission.id).limit(1))


def describe_erased(record: Submission, erasure: Erasure) -> dict[str, Any]:
    """What is told of a record whose answers were erased: enough for it to stand in the registry as it does here."""
    fact = describe_erasure(erasure)
    return {**asdict(fact), "erased_at": fact.erased_at.isoformat(), "deprecated_id": record.deprecated_id}


def take_erased(
    session: Session, relay: Relay, known: RelayedRecord, line: RecordLine, told: dict[str, Any], now: datetime
) -> int:
    """Erase a record that was erased at the post, or keep what is left of one that never came; return its row."""
    lock_registry(session)
    erased = _read_erased(told)
    record = session.get(Submission, known.submission_id) if known.submission_id else None
    record = record or _keep_name(session, known, line, erased, now)
    check_own(session, relay, record)
    receive_erasure(session, record, erased, now)
    session.flush()
    return record.id


def _keep_name(session: Session, known: RelayedRecord, line: RecordLine, erased: _Erased, now: datetime) -> Submission:
    """A record without its answers, in its place among edits and twins."""
    version = find_form_version(session, line.form_id, line.version)
    record = IncomingRecord(
        form_id=line.form_id,
        version=line.version,
        instance_id=line.instance_id,
        deprecated_id=erased.deprecated_id,
        form_version_id=version.id if version else None,
    )
    receipt = receive_submission(session, record, Upload(b"", line.xml_sha256), as_sender(known), now)
    return session.get_one(Submission, receipt.submission_id)


def _read_erased(told: dict[str, Any]) -> _Erased:
    try:
        return fill_in(_Erased, told, _WIDTHS)
    except (KeyError, TypeError, ValueError) as wrong:
        raise ErasureRefused("erasure_retained") from wrong
