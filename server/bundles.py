"""Bundles on a USB key: what a relay and its centre tell each other where no link ever comes. Sealing: sync.

A bundle holds all that the other has not confirmed, so the last one is enough, and a lost one loses nothing.
"""

import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.config import ConfigError, Settings
from server.extensions import attachment_store, db
from server.relay import is_relay, take_told
from server.transactions import Transactions
from sync.attachments import sync_folder
from sync.db import begin_write
from sync.models import FormVersion, Relay, Submission, Upstream
from sync.relaying.bundles import check_public_key, open_bundle, seal_bundle
from sync.relaying.down import find_lack, list_down
from sync.relaying.lines import (
    DeviceLine,
    FormLine,
    HeadLine,
    Line,
    PostLine,
    ReceiptLine,
    RecordLine,
    of_kind,
    parse_lines,
    write_line,
)
from sync.relaying.pieces import keep_file
from sync.relaying.receipts import CENTRE, forget_owed, list_owed, note_receipts, owe_receipts
from sync.relaying.up import describe_relay, list_up, receive_relayed, take_up

_LINES = "lines.jsonl"


@dataclass(frozen=True, slots=True)
class Carried:
    """What a bundle carries: lines but for receipts, records or forms, and files."""

    lines: int
    contents: int
    receipts: int


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
    now = datetime.now(UTC)
    with Session(db.engine) as session:
        lines = list(list_up(session))
        upstream = session.scalars(select(Upstream)).one()
        heads = [HeadLine(now, upstream.told_at), describe_relay(session, of_kind(lines, RecordLine), now)]
        owed = list_owed(session, CENTRE)
        records = _find_records(session, of_kind(lines, RecordLine))
        files = {one[2] for line in of_kind(lines, RecordLine) for one in line.files}
        return _write(settings, target, [*heads, *owed, *lines], records, files, settings.upstream_key)


def export_down(settings: Settings, target: Path, relay_id: int) -> Carried:
    """At the centre: write all that a relay has not confirmed, for that relay alone."""
    now = datetime.now(UTC)
    with Session(db.engine) as session:
        begin_write(session)
        relay = session.get_one(Relay, relay_id)
        if not relay.public_key:
            raise ConfigError("The relay's public key is not known: give it with `teral relay key --of`.")
        lines, owed = list(list_down(session, relay, now)), list_owed(session, relay_id)
        open_forms = [one for one in of_kind(lines, FormLine) if one.state == "open"]
        forms = _find_forms(session, open_forms)
        files = {sha256 for line in open_forms for _name, sha256 in line.files}
        told = [HeadLine(now, relay.told_at), *owed, *lines]
        carried = _write(settings, target, told, forms, files, relay.public_key)
        session.commit()
    return carried


def import_bundle(settings: Settings, source: Path) -> Carried:
    """Take in a bundle: all of it, or nothing; twice is once. Raises BundleRefused where it is not in order."""
    with TemporaryFile(dir=settings.data_path) as opened:
        with source.open("rb") as sealed:
            sender = open_bundle(sealed, opened, read_own_key(settings), _list_senders(settings))
        with zipfile.ZipFile(opened) as content, Session(db.engine) as session:
            # A name may hold one of the other signs that Python takes for the end of a line.
            lines = parse_lines(content.read(_LINES).decode().split("\n"))
            begin_write(session)
            if is_relay(settings):
                _take_from_centre(session, lines, content)
            else:
                relay = session.scalars(select(Relay).filter_by(public_key=sender)).one()
                _take_from_relay(session, relay, lines, content)
            session.commit()
            return _count(lines, len(content.namelist()) - 1)


def _list_senders(settings: Settings) -> list[str]:
    if is_relay(settings):
        return [settings.upstream_key]
    return Transactions().read(lambda session: [one for one in session.scalars(select(Relay.public_key)) if one])


def note_public_key(relay_id: int, key: str) -> None:
    """At the centre: believe what is signed with this key to be the relay's, and seal for it."""
    check_public_key(key)

    def note(session: Session) -> None:
        relay = session.get(Relay, relay_id)
        if relay is None:
            raise ConfigError("This site is no relay.")
        relay.public_key = key.strip()

    Transactions().write(note)


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
                with attachment_store().open(sha256) as file, content.open(sha256, "w", force_zip64=True) as entry:
                    _copy(file, entry)
            number = len(content.namelist()) - 1
        plain.seek(0)
        _write_whole(target, plain, read_own_key(settings), recipient)
    return _count(lines, number)


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


def _take_from_relay(session: Session, relay: Relay, lines: Sequence[Line], content: zipfile.ZipFile) -> None:
    now, head = datetime.now(UTC), of_kind(lines, HeadLine)[0]
    if relay.told_at is not None and min(head.at, now) < relay.told_at:
        # An older bundle, found in a drawer: what happened since is not to be undone by it.
        lines = [one for one in lines if not isinstance(one, DeviceLine | PostLine)]
    note_receipts(session, relay.site_id, of_kind(lines, ReceiptLine))
    wanted = take_up(session, relay, lines, now)
    for sha256 in wanted.records:
        if sha256 in content.namelist():
            receive_relayed(session, relay, content.read(sha256), now)
    records = of_kind(lines, RecordLine)
    for sha256 in take_up(session, relay, records, now).files:
        _keep(session, content, sha256, now)
    receipts = [*wanted.receipts, *take_up(session, relay, records, now).receipts]
    owe_receipts(session, relay.site_id, receipts, now)
    if head.took is not None:
        forget_owed(session, relay.site_id, head.took)


def _take_from_centre(session: Session, lines: Sequence[Line], content: zipfile.ZipFile) -> None:
    now, head = datetime.now(UTC), of_kind(lines, HeadLine)[0]
    upstream = session.scalars(select(Upstream)).one()
    note_receipts(session, CENTRE, of_kind(lines, ReceiptLine))
    if head.took is not None:
        forget_owed(session, CENTRE, head.took)
    told_at = min(head.at, now)
    if upstream.told_at is not None and told_at < upstream.told_at:
        return
    upstream.told_at, upstream.heard_at = told_at, now
    news = [one for one in lines if not isinstance(one, ReceiptLine | HeadLine)]
    told = of_kind(news, FormLine)
    for sha256 in {sha256 for one in told for sha256 in find_lack(session, one).files.values()}:
        _keep(session, content, sha256, now)
    names = content.namelist()
    forms = {one.sha256: content.read(one.sha256) for one in told if one.sha256 in names}
    owe_receipts(session, CENTRE, take_told(session, news, forms, now)[0], now)


def _keep(session: Session, content: zipfile.ZipFile, sha256: str, now: datetime) -> None:
    if sha256 in content.namelist():
        with content.open(sha256) as file, TemporaryFile() as whole:
            _copy(file, whole)
            keep_file(session, attachment_store(), sha256, whole, now)


def _find_records(session: Session, lines: Sequence[RecordLine]) -> Iterable[tuple[str, bytes]]:
    for one in lines:
        found = select(Submission.xml).where(Submission.xml_sha256 == one.xml_sha256, Submission.is_draft.is_(False))
        yield one.xml_sha256, session.scalars(found.limit(1)).one()


def _find_forms(session: Session, lines: Sequence[FormLine]) -> Iterable[tuple[str, bytes]]:
    for one in lines:
        yield one.sha256, session.scalars(select(FormVersion.xml).filter_by(sha256=one.sha256).limit(1)).one()


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while piece := source.read(1024 * 1024):
        target.write(piece)


def _count(lines: Sequence[Line], contents: int) -> Carried:
    receipts = len(of_kind(lines, ReceiptLine))
    return Carried(len(lines) - receipts - 1, contents, receipts)
