"""Bundles on a USB key: what a relay and its centre tell each other where no link ever comes. Sealing: sync.

A bundle holds all that the other has not confirmed, so the last one is enough, and a lost one loses nothing.
"""

import logging
import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.config import ConfigError, Settings
from server.extensions import attachment_store
from server.relay import is_relay, read_xml, take_told
from server.transactions import Transactions
from sync.attachments import sync_folder
from sync.models import FormVersion, Relay, Upstream
from sync.relaying.bundles import BundleRefused, check_public_key, open_bundle, seal_bundle
from sync.relaying.down import find_lack, list_down, note_taken
from sync.relaying.lines import (
    DeviceLine,
    FormLine,
    HeadLine,
    Line,
    ReceiptLine,
    RecordLine,
    RelayLine,
    RelayRefused,
    of_kind,
    parse_each,
    write_line,
)
from sync.relaying.pieces import keep_file
from sync.relaying.receipts import CENTRE, forget_owed, list_owed, note_receipts, owe_receipts
from sync.relaying.taking import take_each
from sync.relaying.up import describe_relay, hear_relay, list_up, receive_relayed, take_up_each
from sync.relaying.words import Word

log = logging.getLogger(__name__)

_LINES = "lines.jsonl"
# What can be taken only once the records themselves are here.
_OF_RECORDS = RecordLine | Word
_ours = Transactions()


@dataclass(frozen=True, slots=True)
class Carried:
    """What a bundle carries: lines but for receipts, records or forms, and files; and how many lines were refused.

    Of one that is older than what was taken in before, only what no newer one can have undone is taken.
    """

    lines: int
    contents: int
    receipts: int
    refused: int = 0
    is_older: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was opened: what is told, and contents by their SHA-256. Nothing of them goes into /tmp."""

    lines: Sequence[Line]
    content: zipfile.ZipFile
    names: frozenset[str]
    folder: Path

    @property
    def head(self) -> HeadLine:
        heads = of_kind(self.lines, HeadLine)
        if not heads:
            raise RelayRefused("relay_line", line=1)
        return heads[0]

    def keep(self, session: Session, sha256: str, now: datetime) -> None:
        """Keep a file of it, if it is there and what it was said to be."""
        if sha256 in self.names:
            with self.content.open(sha256) as file, TemporaryFile(dir=self.folder) as whole:
                _copy(file, whole)
                keep_file(session, attachment_store(), sha256, whole, now)


def read_own_key(settings: Settings) -> str:
    """This server's private key for bundles."""
    if not settings.bundle_key:
        raise ConfigError("TERAL_BUNDLE_KEY is needed for bundles; `teral relay key FILE` makes the key.")
    try:
        return Path(settings.bundle_key).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"TERAL_BUNDLE_KEY: {settings.bundle_key} cannot be read.") from error


def export_up(settings: Settings, target: Path) -> Carried:
    """On a relay: write all that the centre has not confirmed."""
    if not settings.upstream_key:
        raise ConfigError("TERAL_UPSTREAM_KEY, the centre's public key, is needed for bundles.")
    told = _ours.read(partial(_list_for_centre, now=datetime.now(UTC)))
    records = of_kind(told, RecordLine)
    texts = ((one.xml_sha256, xml) for one in records if (xml := _ours.read(partial(read_xml, line=one))))
    files = {one[2] for line in records for one in line.files}
    return _write(settings, target, told, texts, files, settings.upstream_key)


def _list_for_centre(session: Session, now: datetime) -> list[Line]:
    lines = list(list_up(session))
    relay = describe_relay(session, of_kind(lines, RecordLine), now)
    head = HeadLine(now, session.scalars(select(Upstream.told_at)).one())
    return [head, relay, *list_owed(session, CENTRE), *lines]


def export_down(settings: Settings, target: Path, relay_id: int) -> Carried:
    """At the centre: write all that a relay has not confirmed, for that relay alone."""
    # Tablets must not wait for a slow key: nothing is locked while it is written.
    told, recipient = _ours.write(partial(_list_for_relay, relay_id=relay_id, now=datetime.now(UTC)))
    forms = [one for one in of_kind(told, FormLine) if one.state == "open"]
    texts = ((one.sha256, _ours.read(partial(_read_form, sha256=one.sha256))) for one in forms)
    files = {sha256 for line in forms for _name, sha256 in line.files}
    return _write(settings, target, told, texts, files, recipient)


def _list_for_relay(session: Session, relay_id: int, now: datetime) -> tuple[list[Line], str]:
    relay = _get_relay(session, relay_id)
    if not relay.public_key:
        raise ConfigError("The relay's public key is not known: give it with `teral relay key --of`.")
    owed, lines = list_owed(session, relay_id), list_down(session, relay, now)
    return [HeadLine(now, relay.told_at), *owed, *lines], relay.public_key


def _read_form(session: Session, sha256: str) -> bytes:
    return session.scalars(select(FormVersion.xml).filter_by(sha256=sha256).limit(1)).one()


def import_bundle(settings: Settings, source: Path, now: datetime) -> Carried:
    """Take in a bundle; twice is once. Raises BundleRefused where it is not in order, and takes nothing of it then.

    Of a bundle that is in order a line may be refused; it gets no receipt, so that the other goes on telling it.
    """
    with TemporaryFile(dir=settings.data_path) as opened:
        with source.open("rb") as sealed:
            sender = open_bundle(sealed, opened, read_own_key(settings), _list_senders(settings))
        with _open_content(opened) as content:
            # A name may hold one of the other signs that Python takes for the end of a line. Bytes that are no text
            # spoil the line in which they are.
            lines, unread = parse_each(content.read(_LINES).decode(errors="surrogateescape").split("\n"))
            bundle = Bundle(lines, content, frozenset(content.namelist()) - {_LINES}, settings.data_path)
            take = _take_from_centre if is_relay(settings) else partial(_take_from_relay, sender=sender)
            refused, is_older = _ours.write(partial(take, bundle=bundle, now=now))
            told = _count(lines, len(bundle.names))
            return replace(told, refused=len(unread) + len(refused), is_older=is_older)


def _open_content(opened: IO[bytes]) -> zipfile.ZipFile:
    """What was sealed is the sender's doing: its seal says who wrote it, and not that it is in order."""
    try:
        content = zipfile.ZipFile(opened)
        content.getinfo(_LINES)
    except (zipfile.BadZipFile, KeyError) as wrong:
        raise BundleRefused("bundle_damaged") from wrong
    return content


def _list_senders(settings: Settings) -> list[str]:
    if is_relay(settings):
        return [settings.upstream_key]
    return _ours.read(lambda session: [one for one in session.scalars(select(Relay.public_key)) if one])


def note_public_key(relay_id: int, key: str) -> None:
    """At the centre: believe what is signed with this key to be the relay's, and seal for it."""
    check_public_key(key)

    def note(session: Session) -> None:
        _get_relay(session, relay_id).public_key = key.strip()

    _ours.write(note)


def _get_relay(session: Session, relay_id: int) -> Relay:
    relay = session.get(Relay, relay_id)
    if relay is None:
        raise ConfigError("This site is no relay.")
    return relay


def _write(
    settings: Settings,
    target: Path,
    lines: Sequence[Line],
    texts: Iterable[tuple[str, bytes]],
    files: Iterable[str],
    recipient: str,
) -> Carried:
    with TemporaryFile(dir=settings.data_path) as plain:
        with zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as content:
            content.writestr(_LINES, "\n".join(write_line(one) for one in lines))
            for sha256, text in texts:
                content.writestr(sha256, text)
            for sha256 in sorted(files):
                _add_file(content, sha256)
            number = len(content.namelist()) - 1
        plain.seek(0)
        _write_whole(target, plain, read_own_key(settings), recipient)
    return _count(lines, number)


def _add_file(content: zipfile.ZipFile, sha256: str) -> None:
    try:
        with attachment_store().open(sha256) as file, content.open(sha256, "w", force_zip64=True) as entry:
            _copy(file, entry)
    except FileNotFoundError:
        # Its record or form waits here until somebody brings the file back from a copy; all others go.
        log.warning("a file in folder %s is not on this server's disk", sha256[:2])


def _write_whole(target: Path, plain: IO[bytes], key: str, recipient: str) -> None:
    """The key may be drawn at any moment: a file of the wanted name is a whole one."""
    with NamedTemporaryFile(dir=target.parent, delete=False) as sealed:
        try:
            seal_bundle(plain, sealed, key, recipient)
            sealed.flush()
            os.fsync(sealed.fileno())
            Path(sealed.name).replace(target)
        except BaseException:
            Path(sealed.name).unlink(missing_ok=True)
            raise
    sync_folder(target.parent)


def _take_from_relay(session: Session, sender: str, bundle: Bundle, now: datetime) -> tuple[list[str], bool]:
    """Take in what a relay tells; return a code for each refused line, and whether the bundle is older."""
    relay = session.scalars(select(Relay).filter_by(public_key=sender)).one()
    head = bundle.head
    # An older bundle, found in a drawer: what happened since is not to be undone by it.
    is_older = relay.told_at is not None and min(head.at, now) < relay.told_at
    lines = [one for one in bundle.lines if not (is_older and isinstance(one, DeviceLine | RelayLine))]
    for one in of_kind(lines, RelayLine):
        hear_relay(relay, one, now)
    note_taken(session, relay, of_kind(lines, ReceiptLine))
    records = [one for one in lines if isinstance(one, _OF_RECORDS)]
    take = partial(take_up_each, session, relay, now=now)
    taken, refused = take([one for one in lines if not isinstance(one, _OF_RECORDS | RelayLine)])
    unread = _receive_records(session, relay, bundle, take(records)[0].records, now)
    for sha256 in take(records)[0].files:
        bundle.keep(session, sha256, now)
    whole, unkept = take(records)
    owe_receipts(session, relay.site_id, [*taken.receipts, *whole.receipts], now)
    if head.took is not None:
        forget_owed(session, relay.site_id, head.took)
    return [*refused, *unread, *unkept], is_older


def _receive_records(
    session: Session, relay: Relay, bundle: Bundle, lacking: Sequence[str], now: datetime
) -> list[str]:
    here = bundle.names.intersection(lacking)
    wanted = [one for one in of_kind(bundle.lines, RecordLine) if one.xml_sha256 in here]

    def receive(some: Sequence[Line]) -> None:
        for one in of_kind(some, RecordLine):
            receive_relayed(session, relay, bundle.content.read(one.xml_sha256), now)

    return take_each(session, wanted, receive)[1]


def _take_from_centre(session: Session, bundle: Bundle, now: datetime) -> tuple[list[str], bool]:
    """Take in what the centre tells; return a code for each refused line, and whether the bundle is older."""
    head = bundle.head
    upstream = session.scalars(select(Upstream)).one()
    note_receipts(session, CENTRE, of_kind(bundle.lines, ReceiptLine))
    if head.took is not None:
        forget_owed(session, CENTRE, head.took)
    # The centre's own moments are compared with each other: the clock of a post may stand at any year.
    if upstream.told_at is not None and head.at < upstream.told_at:
        return [], True
    upstream.told_at, upstream.heard_at = head.at, now
    news = [one for one in bundle.lines if not isinstance(one, ReceiptLine | HeadLine)]
    told = of_kind(news, FormLine)
    for sha256 in {sha256 for one in told for sha256 in find_lack(session, one).files.values()}:
        bundle.keep(session, sha256, now)
    forms = {one.sha256: bundle.content.read(one.sha256) for one in told if one.sha256 in bundle.names}
    receipts, refused = take_told(session, news, forms, now)
    owe_receipts(session, CENTRE, receipts, now)
    return refused, False


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while piece := source.read(1024 * 1024):
        target.write(piece)


def _count(lines: Sequence[Line], contents: int) -> Carried:
    receipts = len(of_kind(lines, ReceiptLine))
    return Carried(len(lines) - receipts - 1, contents, receipts)
