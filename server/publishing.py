"""From an uploaded file to a published form: reading and keeping files before the transaction, publishing inside it.

Shared by the forms page and `teral forms publish`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from sqlalchemy.orm import Session

from forms.errors import FormProblem
from sync.attachments import AttachmentStore, StoredFile, add_blob
from sync.models import FormVersion
from sync.publishing import FormFile, Published, add_draft, publish_form

EXTERNAL_CHOICES = "itemsets.csv"


@dataclass(frozen=True, slots=True)
class PreparedForm:
    """A form without errors, with its files safe in the store. `warnings` are for its designer."""

    file: FormFile
    stored: Mapping[str, StoredFile]
    warnings: list[FormProblem]


def prepare_form(
    store: AttachmentStore, name: str, content: bytes, media: Mapping[str, bytes], form_id_fallback: str | None = None
) -> PreparedForm:
    """Read a form and keep those of the media that it names; raise FormRefused, and keep nothing, if it is wrong.

    A workbook that names no form id has the one that is given here, else its file's name.
    """
    # pyxform brings half a second and 40 MB with it, and most processes never publish.
    from forms.publishable import read_publishable

    read = read_publishable(content, name, form_id_fallback or PurePath(name).stem)
    given = {EXTERNAL_CHOICES: read.itemsets, **media} if read.itemsets is not None else media
    named = {one.name for one in read.definition.attachments}
    stored = {one: store.save(given[one]) for one in given if one in named}
    return PreparedForm(FormFile(read.xml, read.definition, content, PurePath(name).name), stored, read.problems)


def publish_prepared(session: Session, form: PreparedForm, actor_id: int | None, now: datetime) -> Published:
    return publish_form(session, form.file, _add_media(session, form, now), actor_id, now)


def draft_prepared(session: Session, form: PreparedForm, now: datetime) -> FormVersion:
    return add_draft(session, form.file, _add_media(session, form, now), now)


def _add_media(session: Session, form: PreparedForm, now: datetime) -> dict[str, str]:
    for stored in form.stored.values():
        add_blob(session.connection(), stored, now)
    return {name: stored.sha256 for name, stored in form.stored.items()}
