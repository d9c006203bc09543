"""What a web process keeps of the published forms, for as long as the catalogue's generation stays the same.

The generation is read in the same statement as the credential, so that a new form counts from the next request on.
"""

import hashlib
import threading
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from forms.definition import FormDefinition
from sync.entity_lists import find_list_name
from sync.models import Blob, Form, FormAttachment, FormVersion
from sync.publishing import get_definition, list_open_versions
from sync.server_lists import SERVER_LISTS


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file that tablets can fetch; `body` holds it when the server made it, else the store does."""

    name: str
    type: str
    md5: str
    sha256: str = ""
    body: bytes | None = None
    entity_list: str | None = None  # then the bytes differ from tablet to tablet, and `md5` is filled per request


@dataclass(frozen=True, slots=True)
class FormFacts:
    """A form version as tablets see it; only files with content are in it."""

    id: int
    form_id: str
    version: str
    title: str
    state: str
    md5: str
    sha256: str
    draft_token: str | None
    files: tuple[FileFacts, ...]


class Catalogue:
    """All form versions of one generation. Immutable but for what is filled in on demand."""

    def __init__(self, engine: Engine, generation: int) -> None:
        self._engine = engine
        self.generation = generation
        # Documents of this generation, made once; bounded by the number of forms.
        self.kept: dict[int | str, bytes] = {}
        self.file_forms: dict[int, FormDefinition | None] = {}
        with Session(engine) as session:
            made = {name: render(session) for name, render in SERVER_LISTS.items()}
            self.by_id = {form.id: form for form in _read_forms(session, made)}
        published = [form for form in self.by_id.values() if form.state != "draft"]
        self.by_name = {(form.form_id, form.version): form for form in published}
        self.titles = {form.form_id: form.title for form in published}
        self.by_draft_token = {form.draft_token: form for form in self.by_id.values() if form.draft_token}
        self._open: dict[str, list[FormFacts]] = {}

    def list_open(self, site_kind: str) -> list[FormFacts]:
        """The forms that a site of this kind gets."""
        if site_kind not in self._open:
            with Session(self._engine) as session:
                ids = [version.id for version in list_open_versions(session, site_kind)]
            self._open[site_kind] = [self.by_id[id_] for id_ in ids if id_ in self.by_id]
        return self._open[site_kind]

    def find_file_form(self, form: FormFacts) -> FormDefinition | None:
        """The form's definition if it asks for files; most do not, and their answers need not be walked."""
        if form.id not in self.file_forms:
            definition = self._read_definition(form)
            asks = any(one.control == "upload" or one.type == "binary" for one in definition.fields)
            self.file_forms[form.id] = definition if asks else None
        return self.file_forms[form.id]

    def read_xml(self, form: FormFacts) -> bytes:
        with self._engine.connect() as connection:
            return bytes(connection.execute(select(FormVersion.xml).where(FormVersion.id == form.id)).scalar_one())

    def _read_definition(self, form: FormFacts) -> FormDefinition:
        with Session(self._engine) as session:
            return get_definition(session, session.get_one(FormVersion, form.id))


class CatalogueKeeper:
    """The process's one catalogue, read anew when the generation has moved."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._kept: Catalogue | None = None

    def get(self, generation: int) -> Catalogue:
        kept = self._kept
        if kept is not None and kept.generation == generation:
            return kept
        with self._lock:
            if self._kept is None or self._kept.generation != generation:
                self._kept = Catalogue(self._engine, generation)
            return self._kept


def _read_forms(session: Session, made: dict[str, bytes]) -> list[FormFacts]:
    files = _read_files(session, made)
    rows = session.execute(
        select(
            FormVersion.id, Form.form_id, FormVersion.version, FormVersion.title, FormVersion.state, FormVersion.md5,
            FormVersion.sha256, FormVersion.draft_token,
        ).join(Form)
    )  # fmt: skip
    return [FormFacts(*row, files=tuple(files.get(row.id, ()))) for row in rows]


def _read_files(session: Session, made: dict[str, bytes]) -> dict[int, list[FileFacts]]:
    rows = session.execute(
        select(FormAttachment, Blob.md5)
        .outerjoin(Blob, Blob.sha256 == FormAttachment.blob_sha256)
        .order_by(FormAttachment.name)
    )
    found: dict[int, list[FileFacts]] = {}
    for attachment, md5 in rows:
        file = _file(session, attachment, md5, made)
        if file is not None:
            found.setdefault(attachment.form_version_id, []).append(file)
    return found


def _file(session: Session, attachment: FormAttachment, md5: str | None, made: dict[str, bytes]) -> FileFacts | None:
    body = made.get(attachment.name) if attachment.server_made else None
    if body is not None:
        return FileFacts(attachment.name, "list", hashlib.md5(body, usedforsecurity=False).hexdigest(), body=body)
    listed = find_list_name(session, attachment.name) if attachment.server_made else None
    if listed is not None:
        return FileFacts(attachment.name, "list", "", entity_list=listed)
    if md5 is None or attachment.blob_sha256 is None:
        return None
    return FileFacts(attachment.name, attachment.type, md5, attachment.blob_sha256)
