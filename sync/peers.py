"""Peers as administrators see them: added, changed, paused, resumed, resent from a date; their runs, told and counted.

What is said to a peer is central/'s work. Names of credentials are kept here, credentials nowhere.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from forms.errors import N_, FormsError
from sync.audit import add_audit_event
from sync.leases import leave_lease, make_holder, take_lease
from sync.models import DIRECTIONS, Actor, Peer, PeerForm, PeerList, PeerRecord, PeerRun, Site

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PROJECT = re.compile(r"[1-9][0-9]{0,8}")
_LONGEST_ADDRESS = 255


class PeerRefused(FormsError):
    """Something that a peer cannot be."""

    messages = {
        "peer_name": N_("A name has 1 to 32 small letters, digits or underscores, and begins with a letter."),
        "peer_name_taken": N_("Another peer has this name."),
        "peer_unknown": N_("There is no peer %(name)s."),
        "peer_address": N_("An address begins with https:// and names a server."),
        "peer_address_plain": N_("Only a server on the local network may have an address with http://."),
        "peer_project": N_("The project is a whole number, as it stands in the address of its page."),
        "peer_direction": N_("A peer is read from, written to, or both."),
        "peer_login_missing": N_(
            "The credentials %(name)s are neither in the file that TERAL_PEERS names nor in "
            "TERAL_PEER_%(variable)s_USERNAME, TERAL_PEER_%(variable)s_PASSWORD and TERAL_PEER_%(variable)s_ADDRESS."
        ),
        "peer_login_elsewhere": N_("The credentials %(name)s are for a server at another address."),
        "peer_working": N_("An exchange with %(name)s is under way. Wait until it ends."),
        "peer_broken": N_("The exchange broke off through a fault of this server; its log names it."),
        "peer_since": N_("A date such as 2026-11-20 is needed here."),
        "peer_site": N_("There is no site %(site)s."),
    }


@dataclass(frozen=True, slots=True)
class PeerDetails:
    """What can be said and changed about a peer, as typed; names of forms and lists one a line, or with commas."""

    address: str
    project: str = "1"
    direction: str = "pull"
    credentials: str = ""
    pulls: str = ""
    publishes: str = ""
    lists: str = ""
    site: str = ""

    def check(self) -> None:
        """Raise PeerRefused for the first thing that is wrong."""
        check_address(self.address.strip())
        if not _PROJECT.fullmatch(self.project.strip()):
            raise PeerRefused("peer_project")
        if self.direction not in DIRECTIONS:
            raise PeerRefused("peer_direction")
        if self.credentials.strip() and not _NAME.fullmatch(self.credentials.strip()):
            raise PeerRefused("peer_name")


def check_address(address: str) -> None:
    """Raise PeerRefused for what is no address of a server, or one where passwords would go over open networks."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise PeerRefused("peer_address") from error
    # A password in an address would end up in logs and on pages.
    if parts.scheme not in ("https", "http") or not host or "@" in parts.netloc or len(address) > _LONGEST_ADDRESS:
        raise PeerRefused("peer_address")
    if parts.scheme == "http" and not _is_local(host):
        raise PeerRefused("peer_address_plain")


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith(".local")


@dataclass(frozen=True, slots=True)
class PeerState:
    """How far an exchange has come: the last run, and how many records came from there in all."""

    peer: Peer
    last_run: PeerRun | None
    records: int


def list_states(session: Session) -> list[PeerState]:
    """Every peer with how far it has come, by name."""
    peers = list_peers(session)
    runs, counts = find_last_runs(session, peers), _count_records(session, peers)
    return [PeerState(one, runs.get(one.id), counts.get(one.id, 0)) for one in peers]


def list_peers(session: Session) -> list[Peer]:
    """Every peer, by name."""
    return list(session.scalars(select(Peer).order_by(Peer.name)))


def get_peer(session: Session, name: str) -> Peer:
    """The peer of this name, or PeerRefused."""
    peer = session.scalar(select(Peer).where(Peer.name == name))
    if peer is None:
        raise PeerRefused("peer_unknown", name=name)
    return peer


def add_peer(session: Session, name: str, details: PeerDetails, actor_id: int | None, now: datetime) -> Peer:
    """Add a peer; what comes from it will be told as its own actor's doing. It begins paused, to be tested first."""
    details.check()
    if not _NAME.fullmatch(name):
        raise PeerRefused("peer_name")
    if session.scalar(select(Peer.id).where(Peer.name == name)) is not None:
        raise PeerRefused("peer_name_taken")
    peer = Peer(name=name, actor=Actor(kind="system", display_name=name, created_at=now), created_at=now, paused_at=now)
    _fill(session, peer, details)
    session.add(peer)
    session.flush()
    _tell(session, "peer.added", peer, actor_id, now)
    return peer


def change_peer(session: Session, peer: Peer, details: PeerDetails, actor_id: int | None, now: datetime) -> None:
    """Change what is said about a peer. Another project is another whole: it is read from its beginning.

    Raises PeerRefused while an exchange is under way: it would note under the new project how far it read the old.
    """
    details.check()
    _refuse_working(session, peer, now)
    before = (peer.address, peer.project_id)
    _fill(session, peer, details)
    if before != (peer.address, peer.project_id):
        _forget(session, peer)
    _tell(session, "peer.changed", peer, actor_id, now)


def pause_peer(session: Session, peer: Peer, actor_id: int | None, now: datetime) -> None:
    """Let nothing move until somebody resumes it; a run that is under way ends at its next step."""
    if peer.paused_at is None:
        peer.paused_at = now
        _tell(session, "peer.paused", peer, actor_id, now)


def resume_peer(session: Session, peer: Peer, actor_id: int | None, now: datetime) -> None:
    """Let things move again, from where they stopped."""
    if peer.paused_at is not None:
        peer.paused_at = None
        _tell(session, "peer.resumed", peer, actor_id, now)


def resend_from(session: Session, peer: Peer, since: datetime, actor_id: int | None, now: datetime) -> int:
    """Read once more what changed there since, and tell once more what we found; return how many records are known.

    What is here stays: the same record read again is a repeat. Raises PeerRefused while an exchange is under way:
    it would note at its end that all is read.
    """
    _refuse_working(session, peer, now)
    late = update(PeerForm).where(PeerForm.peer_id == peer.id, PeerForm.read_until > since)
    session.execute(late.values(read_until=since))
    again = update(PeerRecord).where(PeerRecord.peer_id == peer.id, PeerRecord.changed_at >= since)
    known = session.connection().execute(again.values(is_stale=True, judged_at=None, told_sha256=None)).rowcount
    session.execute(delete(PeerList).where(PeerList.peer_id == peer.id))
    _tell(session, "peer.resent", peer, actor_id, now, records=known)
    return known


def lease_name(peer: Peer) -> str:
    """The lease of whoever exchanges with this peer."""
    return f"peer:{peer.name}"


def _refuse_working(session: Session, peer: Peer, now: datetime) -> None:
    """No exchange is under way, and none begins before this transaction ends: it waits for the lease's row."""
    name, holder = lease_name(peer), make_holder()
    if not take_lease(session, name, holder, now, now):
        raise PeerRefused("peer_working", name=peer.name)
    leave_lease(session, name, holder)


def add_run(
    session: Session,
    peer_id: int,
    started_at: datetime,
    outcome: str,
    counts: dict[str, int],
    problems: list[dict[str, object]],
    now: datetime,
) -> PeerRun:
    """Write down how an exchange went."""
    run = PeerRun(
        peer_id=peer_id, started_at=started_at, finished_at=now, outcome=outcome, counts=dict(counts), problems=problems
    )
    session.add(run)
    session.flush()
    return run


def find_last_runs(session: Session, peers: Sequence[Peer]) -> dict[int, PeerRun]:
    """The last exchange with each of these peers."""
    last = select(func.max(PeerRun.id)).where(PeerRun.peer_id.in_([one.id for one in peers])).group_by(PeerRun.peer_id)
    return {run.peer_id: run for run in session.scalars(select(PeerRun).where(PeerRun.id.in_(last)))}


def list_runs(session: Session, peer: Peer, limit: int) -> list[PeerRun]:
    """The last exchanges with a peer, the newest first."""
    query = select(PeerRun).where(PeerRun.peer_id == peer.id).order_by(PeerRun.id.desc()).limit(limit)
    return list(session.scalars(query))


def read_since(text: str) -> datetime:
    """The beginning of a day as somebody typed it, or PeerRefused."""
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time.min, UTC)
    except ValueError as error:
        raise PeerRefused("peer_since") from error


def _count_records(session: Session, peers: Sequence[Peer]) -> dict[int, int]:
    counted = select(PeerRecord.peer_id, func.count()).where(PeerRecord.peer_id.in_([one.id for one in peers]))
    return {row[0]: row[1] for row in session.execute(counted.group_by(PeerRecord.peer_id))}


def _fill(session: Session, peer: Peer, details: PeerDetails) -> None:
    peer.address, peer.project_id = details.address.strip().rstrip("/"), int(details.project)
    peer.direction, peer.credentials = details.direction, details.credentials.strip() or peer.name
    peer.pulls, peer.publishes, peer.lists = _split(details.pulls), _split(details.publishes), _split(details.lists)
    peer.site = _find_site(session, details.site.strip())


def _split(text: str) -> list[str]:
    return [name for part in re.split(r"[,\r\n]", text) if (name := part.strip())]


def _find_site(session: Session, code: str) -> Site | None:
    if not code:
        return None
    site = session.scalar(select(Site).where(Site.code == code))
    if site is None:
        raise PeerRefused("peer_site", site=code)
    return site


def _forget(session: Session, peer: Peer) -> None:
    for table in (PeerForm, PeerRecord, PeerList):
        session.execute(delete(table).where(table.peer_id == peer.id))


def _tell(session: Session, action: str, peer: Peer, actor_id: int | None, now: datetime, **details: int) -> None:
    session.flush()
    add_audit_event(session, actor_id, action, f"peer:{peer.name}", now, **details)
