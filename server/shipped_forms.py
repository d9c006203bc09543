"""Publish the forms of the library that are not published yet."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.programme import LIBRARY
from server.publishing import prepare_form, publish_prepared
from sync.attachments import AttachmentStore
from sync.models import FormVersion


def publish_library(session: Session, store: AttachmentStore, now: datetime, folder: Path = LIBRARY) -> list[str]:
    """Publish what is new; returns the names of the files that were. Raises FormsError for one that is wrong."""
    media = {path.name: path.read_bytes() for path in (folder / "media").glob("*") if path.is_file()}
    published = []
    for path in sorted(folder.glob("[!~]*.xlsx")):
        content = path.read_bytes()
        if not _is_published(session, path.name, content):
            publish_prepared(session, prepare_form(store, path.name, content, media), None, now)
            published.append(path.name)
    return published


def _is_published(session: Session, name: str, content: bytes) -> bool:
    """Whether this very workbook is: converting it takes a second that every start would wait for."""
    kept = session.scalars(
        select(FormVersion.source).where(FormVersion.source_name == name, FormVersion.state != "draft")
    )
    return any(source == content for source in kept)
