"""A relay at work: what it tells its centre and takes from it when a link comes. What goes to and fro is sync's word.

The link is slow and breaks: nothing is locked while it is used, and whatever arrived on either side stays.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.credentials import revoke_secrets
from server.config import ConfigError, Settings
from server.extensions import attachment_store
from server.transactions import Transactions
from sync.models import IssuedVersion, Submission, Upstream
from sync.numbering import SLOTS
from sync.peer_answers import PeerError
from sync.peer_pace import Pace
from sync.peers import PeerRefused, check_address
from sync.relay import CentreLink
from sync.relaying.down import find_lack, find_needed, take_down
from sync.relaying.exchange import Answer
from sync.relaying.lines import FormLine, HeadLine, Line, ReceiptLine, RecordLine, RelayRefused, of_kind, receipt_for
from sync.relaying.pieces import keep_file
from sync.relaying.receipts import CENTRE, forget_owed, list_owed, note_receipts
from sync.relaying.up import describe_relay, list_up, list_waiting

log = logging.getLogger(__name__)

# How many lines are told at once: few to begin with, and more with each time that they arrive.
_FIRST = 4
_AT_ONCE = 100
_ours = Transactions()
MayGoOn = Callable[[], bool]


def is_relay(settings: Settings) -> bool:
    return bool(settings.upstream_number)


def note_number(settings: Settings) -> None:
    """Let this server be the relay of its number from its first day on; refuse what would mix up version numbers."""
    if not is_relay(settings):
        return
    if not 0 < settings.upstream_number < SLOTS:
        raise ConfigError(f"TERAL_UPSTREAM_NUMBER is a number from 1 to {SLOTS - 1}.")
    _ours.write(partial(_note_number, number=settings.upstream_number))


def _note_number(session: Session, number: int) -> None:
    known = session.scalar(select(Upstream))
    if known is None and session.scalar(select(IssuedVersion.number).limit(1)) is not None:
        raise ConfigError("This server has served entity lists on its own already: make the relay a new server.")
    if known is not None and known.number != number:
        raise ConfigError(f"TERAL_UPSTREAM_NUMBER was {known.number} when this relay began, and stays so.")
    if known is None:
        session.add(Upstream(number=number))


def open_link(settings: Settings, pace: Pace | None = None) -> CentreLink:
    """The line to the centre, as the settings describe it; nothing is sent yet."""
    missing = [name for name in ("upstream_url", "upstream_user", "upstream_password") if not getattr(settings, name)]
    if missing:
        raise ConfigError(f"TERAL_{missing[0].upper()} is needed to reach the centre.")
    try:
        check_address(settings.upstream_url)
    except PeerRefused as refused:
        raise ConfigError(f"TERAL_UPSTREAM_URL: {refused}") from refused
    # As in peers.py: pyodk is for those who call another server.
    from sync.peer_client import Login, PeerClient

    login = Login(settings.upstream_user, settings.upstream_password)
    pace = pace or Pace(bytes_s=settings.upstream_kb * 1024)
    return CentreLink(PeerClient(settings.upstream_url.rstrip("/"), 1, login, pace))


def is_due(settings: Settings, now: datetime) -> bool:
    """Whether it is time for another try."""
    if not is_relay(settings) or not settings.upstream_url:
        return False
    tried_at = _ours.read(lambda session: session.scalar(select(Upstream.tried_at)))
    return tried_at is None or now - tried_at >= timedelta(minutes=settings.upstream_minutes)


def forward(link: CentreLink, may_go_on: MayGoOn = lambda: True) -> dict[str, Any]:
    """Tell the centre all that it has not taken, take its news, and say how far it came. A link may break anywhere."""
    run = Forwarding(link, may_go_on)
    problem = ""
    try:
        run.go()
    except PeerError as error:
        problem = error.code
    finally:
        link.client.close()
    return run.finish(problem)


@dataclass
class Forwarding:
    """One time that a link is used."""

    link: CentreLink
    may_go_on: MayGoOn
    sent: int = 0
    files: int = 0
    taken: int = 0
    problems: list[str] = field(default_factory=list)

    def go(self) -> None:
        # Revocations come first: they are few, and somebody's safety may hang on them.
        self.take_news()
        self.tell()
        # What we just told may be news already. Forms come last: they are large, and tablets have the older ones.
        self.take_forms(self.take_news())

    def tell(self) -> None:
        """Records first, all of them, and their files afterwards: a photograph never stands before a person."""
        lines: Iterable[Line] = _ours.read(_read_untold)
        for with_files in (False, True):
            lines = [line for some in _batches(lines) for line in self._tell_some(some, with_files=with_files)]

    def _tell_some(self, lines: Sequence[Line], *, with_files: bool) -> Sequence[Line]:
        """Tell lines, send what of them the centre lacks, and return those that it has not taken whole."""
        if not self.may_go_on():
            return lines
        left, answer = self._exchange(lines)
        records = of_kind(left, RecordLine)
        wanted = [one for one in records if one.xml_sha256 in answer.records]
        for one in wanted:
            self._send_record(one)
        if wanted:
            left, answer = self._exchange(left)
        return self._send_files(left, answer) if with_files and answer.files else left

    def _send_record(self, line: RecordLine) -> None:
        xml = _ours.read(partial(read_xml, line=line))
        if not xml:
            # Its answers were erased since we listed it: that is what is told next time.
            return
        try:
            self.link.send_record(line.form_id, xml)
            self.sent += 1
        except PeerError as error:
            self._pass_over(error)

    def _pass_over(self, error: PeerError) -> None:
        """What the centre refuses waits here and is shown; it must not stand before all that comes after it."""
        if error.is_lasting:
            raise error
        log.warning("the centre did not take something: %s %s", error.code, error.problem or error.status)
        self.problems.append(error.code)

    def _send_files(self, lines: Sequence[Line], answer: Answer) -> Sequence[Line]:
        awaited = dict(answer.files)
        for one in of_kind(lines, RecordLine):
            for _name, _type, sha256, size in one.files:
                held = awaited.pop(sha256, None)
                if held is not None and self.may_go_on():
                    self._send_file(sha256, size, held)
        return self._exchange(lines)[0]

    def _send_file(self, sha256: str, size: int, held: int) -> None:
        try:
            self.link.send_file(attachment_store(), sha256, size, held, self.may_go_on)
            self.files += 1
        except PeerError as error:
            self._pass_over(error)
        except (OSError, RelayRefused) as error:
            # Its record waits here until somebody brings the file back from a copy.
            log.warning("a file in folder %s cannot be sent: %s", sha256[:2], type(error).__name__)
            self.problems.append("relay_file")

    def _exchange(self, lines: Sequence[Line]) -> tuple[list[Line], Answer]:
        answer = self._tell_each(lines)
        receipts = of_kind(answer.lines, ReceiptLine)
        _ours.write(partial(note_receipts, peer_id=CENTRE, receipts=receipts))
        taken = {(one.line_name, one.digest) for one in receipts}
        told = [(one, receipt_for(one)) for one in lines]
        return [one for one, its in told if (its.line_name, its.digest) not in taken], answer

    def _tell_each(self, lines: Sequence[Line]) -> Answer:
        """Tell all at once, or where one of them is refused all the others."""
        try:
            return self.link.exchange(lines)
        except PeerError as error:
            if len(lines) <= 1:
                self._pass_over(error)
                return Answer([], [], {})
            if error.code != "peer_refused":
                raise
        middle = len(lines) // 2
        first, second = self._tell_each(lines[:middle]), self._tell_each(lines[middle:])
        return Answer([*first.lines, *second.lines], [*first.records, *second.records], {**first.files, **second.files})

    def take_news(self) -> list[FormLine]:
        """Take what the centre tells until it tells nothing that we can take; return the forms to be fetched."""
        here, receipts = _ours.read(_describe_here), _ours.read(_list_owed)
        needed: list[FormLine] = []
        while self.may_go_on():
            answer = self.link.exchange([*here, *receipts])
            news = [one for one in answer.lines if not isinstance(one, ReceiptLine | HeadLine)]
            needed = _ours.read(partial(find_needed, lines=news))
            receipts = self._take([one for one in news if one not in needed], {})
            _ours.write(partial(_note_heard, told=answer.lines, now=datetime.now(UTC)))
            if not receipts:
                break
        return needed

    def take_forms(self, forms: Sequence[FormLine]) -> None:
        """Fetch forms one by one, since what one of them meets stops no other, and confirm those that are here."""
        receipts = [one for form in forms if self.may_go_on() for one in self._take_form(form)]
        if receipts:
            self.link.exchange(receipts)

    def _take_form(self, form: FormLine) -> list[ReceiptLine]:
        try:
            lack = _ours.read(partial(find_lack, line=form))
            for name, sha256 in lack.files.items():
                self._fetch_file(form, name, sha256)
            return self._take([form], {form.sha256: self.link.fetch_form(form)} if lack.xml else {})
        except PeerError as error:
            self._pass_over(error)
            return []

    def _fetch_file(self, form: FormLine, name: str, sha256: str) -> None:
        """Each file is kept as it comes, so that it is fetched no second time when the link breaks at the next."""
        with self.link.fetch_file(form, name) as content:
            keep = partial(keep_file, store=attachment_store(), content=content, now=datetime.now(UTC))
            if not _ours.write(partial(keep, sha256=sha256)):
                raise PeerError("peer_confused")

    def _take(self, news: Sequence[Line], forms: Mapping[str, bytes]) -> list[ReceiptLine]:
        if not news:
            return []
        take = partial(take_told, lines=news, forms=forms, now=datetime.now(UTC))
        receipts, refused = _ours.write(take)
        self.taken += len(receipts)
        self.problems += ["relay_news" for _ in refused]
        return receipts

    def finish(self, problem: str) -> dict[str, Any]:
        """Note how it ended, for whoever asks how the relay fares."""
        waiting = _ours.read(_read_waiting)
        problem = problem or next(iter(self.problems), "")
        _ours.write(partial(_note_try, problem=problem, waiting=waiting))
        done = {"sent": self.sent, "files": self.files, "taken": self.taken, "waiting": len(waiting)}
        return {**done, "problem": problem} if problem else done


def take_told(
    session: Session, lines: Sequence[Line], forms: Mapping[str, bytes], now: datetime
) -> tuple[list[ReceiptLine], list[str]]:
    """Take in what the centre tells, and let no secret live on of a tablet that the centre revoked."""
    taken = take_down(session, lines, forms, now)
    revoke_secrets(session, now)
    return taken


def _read_untold(session: Session) -> list[Line]:
    return list(list_up(session))


def _read_waiting(session: Session) -> list[RecordLine]:
    return list(list_waiting(session))


def _describe_here(session: Session) -> list[Line]:
    now = datetime.now(UTC)
    head = HeadLine(now, session.scalars(select(Upstream.told_at)).one())
    return [head, describe_relay(session, _read_waiting(session), now)]


def _list_owed(session: Session) -> list[ReceiptLine]:
    return list_owed(session, CENTRE)


def read_xml(session: Session, line: RecordLine) -> bytes:
    """The bytes of a record that is told of; none where its answers were erased."""
    query = select(Submission.xml).where(
        Submission.xml_sha256 == line.xml_sha256,
        Submission.form_id == line.form_id,
        Submission.instance_id == line.instance_id,
        Submission.is_draft.is_(False),
    )
    return session.scalars(query).one()


def _note_heard(session: Session, told: Sequence[Line], now: datetime) -> None:
    upstream = session.scalars(select(Upstream)).one()
    upstream.heard_at = now
    note_receipts(session, CENTRE, of_kind(told, ReceiptLine))
    for head in of_kind(told, HeadLine):
        upstream.told_at = head.at
        forget_owed(session, CENTRE, head.took or head.at)


def _note_try(session: Session, problem: str, waiting: Sequence[RecordLine]) -> None:
    upstream = session.scalars(select(Upstream)).one()
    upstream.tried_at, upstream.problem = datetime.now(UTC), problem
    upstream.waiting = len(waiting)
    upstream.oldest_at = min((one.received_at for one in waiting), default=None)


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Small ones first: a link may last for seconds, and of what it carried only in part all goes again."""
    rest, size = iter(lines), _FIRST
    while some := list(islice(rest, size)):
        yield some
        size = min(2 * size, _AT_ONCE)


@dataclass(frozen=True, slots=True)
class UpstreamStatus:
    """How a relay stands with its centre: what waits is what was left, and what came since."""

    number: int
    heard_at: datetime | None
    tried_at: datetime | None
    problem: str
    waiting: int
    oldest_at: datetime | None


def read_upstream(session: Session) -> UpstreamStatus | None:
    """How this relay stands with its centre; None where this server is no relay."""
    row = session.scalar(select(Upstream))
    if row is None:
        return None
    fresh = select(func.count(), func.min(Submission.received_at)).where(Submission.is_draft.is_(False))
    since = fresh.where(Submission.received_at > row.tried_at) if row.tried_at else fresh
    count, first_at = session.execute(since).one()
    oldest_at = row.oldest_at or first_at
    return UpstreamStatus(row.number, row.heard_at, row.tried_at, row.problem, row.waiting + count, oldest_at)


def current_settings() -> Settings:
    settings: Settings = current_app.extensions["teral_settings"]
    return settings
