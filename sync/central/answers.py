"""What a peer is told about the records that came from it: our findings as a comment, our verdict as a review state.

Nothing of an answer is quoted. A person's word there stands, unless somebody here decided; and whether a comment came
through is looked up before it is said again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from forms.errors import N_, Finding, word_finding
from sync.central.bridge import Bridge, Step
from sync.models import PeerRecord, Submission, SubmissionFinding
from sync.reviews import LONGEST_COMMENT

HEADING = N_("Findings of validation:")
_AT_ONCE = 500
_DECIDED = {"accept": "approved", "reject": "rejected"}
_UNSAID = (None, "edited")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we think of a record, and what the peer knows of that."""

    record_id: int
    form_id: str
    instance_id: str
    judged_at: datetime
    comment: str
    state: str | None
    is_told: bool

    @property
    def sha256(self) -> str | None:
        return hashlib.sha256(self.comment.encode()).hexdigest() if self.comment else None


def find_untold(bridge: Bridge) -> Iterator[Step]:
    """A step for each record of the peer that was judged since it was last told."""
    last = 0
    while verdicts := bridge.ours.read(partial(_read_verdicts, bridge=bridge, last=last)):
        last = verdicts[-1].record_id
        for one in verdicts:
            kind = "" if one.is_told and one.state is None else "answers_out"
            yield Step(kind, one.instance_id, partial(_tell, bridge, one))


def _read_verdicts(session: Session, bridge: Bridge, last: int) -> list[Verdict]:
    judged = PeerRecord.judged_at.is_distinct_from(Submission.processed_at)
    query = (
        select(PeerRecord, Submission)
        .join(Submission, Submission.id == PeerRecord.submission_id)
        .where(PeerRecord.peer_id == bridge.peer.id, PeerRecord.id > last, Submission.processed_at.is_not(None), judged)
        .order_by(PeerRecord.id)
        .limit(_AT_ONCE)
    )
    rows = session.execute(query).all()
    comments = _word_findings(session, bridge, rows)
    return [_make_verdict(known, row, comments.get(row.id, "")) for known, row in rows]


def _make_verdict(known: PeerRecord, row: Submission, comment: str) -> Verdict:
    sha256 = hashlib.sha256(comment.encode()).hexdigest() if comment else None
    state = decide_state(row.state, row.decision, known.review_state, known.told_state)
    return Verdict(
        record_id=known.id,
        form_id=known.form_id,
        instance_id=known.instance_id,
        judged_at=row.processed_at or row.received_at,
        comment=comment,
        state=state,
        is_told=sha256 in (None, known.told_sha256),
    )


def decide_state(state: str, decision: str | None, there: str | None, told: str | None) -> str | None:
    """The review state to set there, None to leave it: what stands there was said by somebody, or is ours already."""
    wanted = _DECIDED.get(decision or "")
    if wanted is None:
        if there not in (*_UNSAID, told):
            return None
        wanted = {"quarantined": "hasIssues", "merged": "approved", "incomplete": "approved"}.get(state)
    return wanted if wanted != there else None


def _word_findings(session: Session, bridge: Bridge, rows: Sequence[Row[PeerRecord, Submission]]) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    ids = [row.id for _, row in rows]
    query = select(SubmissionFinding).where(SubmissionFinding.submission_id.in_(ids)).order_by(SubmissionFinding.id)
    for one in session.scalars(query):
        finding = Finding(one.path, "structure", "error", one.code, one.params, message=one.message)
        words = word_finding(finding, bridge.translate, "fr")
        found.setdefault(one.submission_id, []).append(f"- {one.path}: {words}")
    return {submission_id: _cut([bridge.translate(HEADING), *lines]) for submission_id, lines in found.items()}


def _cut(lines: list[str]) -> str:
    text = "\n".join(lines)
    return text if len(text) <= LONGEST_COMMENT else text[: LONGEST_COMMENT - 1] + "…"


def _tell(bridge: Bridge, verdict: Verdict) -> None:
    names = {"form_id": verdict.form_id, "instance_id": verdict.instance_id}
    if not verdict.is_told:
        path = bridge.client.path("forms/{form_id}/submissions/{instance_id}/comments", **names)
        if verdict.comment not in [one["body"] for one in bridge.client.ask_rows(path, "body")]:
            bridge.client.call("POST", path, json={"body": verdict.comment})
    if verdict.state is not None:
        bridge.client.review(state=verdict.state, **names)
    bridge.ours.write(partial(_note, verdict=verdict))


def _note(session: Session, verdict: Verdict) -> None:
    known = session.get_one(PeerRecord, verdict.record_id)
    known.judged_at, known.told_sha256 = verdict.judged_at, verdict.sha256
    if verdict.state is not None:
        known.review_state = known.told_state = verdict.state
