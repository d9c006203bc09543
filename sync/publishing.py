"""Publish forms: versions whose bytes never change, drafts for tests, and the files that belong to them.

Reading XLSForms is forms/xlsform.py's work; keeping the bytes of media is attachments.py's, and only names come here.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import md5, sha256
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from forms.definition import Attachment, FormDefinition
from forms.errors import N_, FormsError
from forms.programme import Programme, load_programme
from forms.versions import rename_version
from forms.xform import parse_form
from sync.audit import add_audit_event
from sync.catalogue import bump_catalogue, lock_catalogue
from sync.entity_lists import find_list_name, register_lists
from sync.models import FORM_STATES, EntityList, Form, FormAttachment, FormVersion, Submission
from sync.releasing import release_waiting_for_form
from sync.server_lists import SERVER_LISTS

MESSAGES = {
    "published_form_differs": N_(
        "Version “%(version)s” of form %(form_id)s is already published with other content. "
        "Give the form a new version."
    ),
    "published_media_differ": N_(
        "File %(name)s of version “%(version)s” of form %(form_id)s is already published with other content. "
        "Give the form a new version."
    ),
    "form_not_found": N_("There is no form %(form_id)s in version “%(version)s”."),
    "draft_not_found": N_("Form %(form_id)s has no draft."),
    "entity_list_reserved": N_("“%(name)s” cannot be an entity list: the server makes the file %(name)s.csv itself."),
    "entity_list_case": N_("“%(name)s” differs from the entity list “%(other)s” by nothing but capital letters."),
    "entity_property_case": N_(
        "“%(name)s” differs from the property “%(other)s” of the entity list “%(list)s” by nothing but capital letters."
    ),
    "form_has_records": N_("Records of form %(form_id)s were received, so it cannot be deleted. Close it instead."),
    "form_state_unknown": N_("A form version can be open, closing or closed, not %(state)s."),
}

_DEFINITIONS_KEPT = 64
_definitions: dict[str, FormDefinition] = {}
_NEWEST_FIRST = (FormVersion.published_at.desc(), FormVersion.id.desc())

# Names of media and the SHA-256 under which attachments.py keeps their bytes.
Media = Mapping[str, str]


class PublishRefused(FormsError):
    """A form that may be right, but must not be published here and now."""

    messages = MESSAGES


@dataclass(frozen=True, slots=True)
class FormFile:
    """A form that was read without errors, and the file in which it came."""

    xml: bytes
    definition: FormDefinition
    source: bytes | None = None
    source_name: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did. `missing` are the files that the form names and nobody gave."""

    outcome: Literal["new", "unchanged", "updated"]
    version: FormVersion
    replayed: int = 0

    @property
    def missing(self) -> list[str]:
        return [one.name for one in self.version.attachments if one.blob_sha256 is None and not one.server_made]


def publish_form(session: Session, file: FormFile, media: Media, actor_id: int | None, now: datetime) -> Published:
    """Open a form version to tablets and judge anew the records that waited for it.

    The same bytes again: unchanged, or updated where a missing file was given. Other bytes under a published
    version, or other bytes of one of its files: PublishRefused, since tablets already hold the first ones.
    """
    lock_catalogue(session)
    definition = file.definition
    known = find_form_version(session, definition.form_id, definition.version)
    if known is not None:
        return _publish_again(session, known, file, media)
    _refuse_lists(session, definition)
    version = _make_version(session, file, "open", now)
    _add_attachments(session, version, definition.attachments, media)
    return _open(session, version, actor_id, now)


def add_draft(session: Session, file: FormFile, media: Media, now: datetime) -> FormVersion:
    """Keep a form for tests beside its published versions; it takes the place, and the token, of an earlier draft."""
    lock_catalogue(session)
    draft = find_draft(session, file.definition.form_id)
    kept: dict[str, str] = {}
    if draft is None:
        draft = _make_version(session, file, "draft", now)
        draft.draft_token = secrets.token_urlsafe(48)
    else:
        kept = {one.name: one.blob_sha256 for one in draft.attachments if one.blob_sha256}
        draft.attachments.clear()
        session.flush()
        _fill(draft, file, now)
    _add_attachments(session, draft, file.definition.attachments, {**kept, **media})
    bump_catalogue(session)
    return draft


def copy_to_draft(session: Session, form_id: str, now: datetime) -> FormVersion:
    """Make the newest published version the form's draft, with its files, so that only those need be changed."""
    current = find_newest(session, form_id)
    if current is None:
        raise PublishRefused("form_not_found", form_id=form_id, version="")
    media = {one.name: one.blob_sha256 for one in current.attachments if one.blob_sha256}
    file = FormFile(current.xml, get_definition(session, current), current.source, current.source_name)
    return add_draft(session, file, media, now)


def publish_draft(
    session: Session, form_id: str, actor_id: int | None, now: datetime, version: str | None = None
) -> Published:
    """Publish what was tested, under the rules of publish_form; the draft's token ends with it.

    With a `version` the draft gets this name first.
    """
    lock_catalogue(session)
    draft = find_draft(session, form_id)
    if draft is None:
        raise PublishRefused("draft_not_found", form_id=form_id)
    if version is not None and version != draft.version:
        renamed = rename_version(draft.xml, version)
        _fill(draft, FormFile(renamed, parse_form(renamed), draft.source, draft.source_name), now)
        session.flush()
    known = find_form_version(session, form_id, draft.version)
    if known is None:
        _refuse_lists(session, get_definition(session, draft))
        return _open(session, draft, actor_id, now)
    file = FormFile(draft.xml, get_definition(session, draft))
    media = {one.name: one.blob_sha256 for one in draft.attachments if one.blob_sha256}
    published = _publish_again(session, known, file, media)
    _forget_draft(session, draft, known)
    return published


def drop_draft(session: Session, form_id: str) -> None:
    """Take a draft away; records that tested it belong to the version that tablets have."""
    lock_catalogue(session)
    draft, newest = find_draft(session, form_id), find_newest(session, form_id)
    if draft is None:
        raise PublishRefused("draft_not_found", form_id=form_id)
    if newest is None:
        raise PublishRefused("form_not_found", form_id=form_id, version="")
    _forget_draft(session, draft, newest)
    bump_catalogue(session)


def set_draft_file(session: Session, draft: FormVersion, name: str, sha256: str | None) -> FormAttachment | None:
    """Give a file that the draft names these bytes of the store, or none; None where the draft names no such file."""
    lock_catalogue(session)
    named = next((one for one in draft.attachments if one.name == name), None)
    if named is not None:
        known = name in SERVER_LISTS or find_list_name(session, name) is not None
        named.blob_sha256, named.server_made = sha256, sha256 is None and known
        bump_catalogue(session)
        session.refresh(named)
    return named


def change_form_state(session: Session, form_id: str, version: str, state: str, now: datetime) -> FormVersion:
    """Open, retire or close a published version; what comes after a closure is kept and shown to a supervisor."""
    if state not in FORM_STATES or state == "draft":
        raise PublishRefused("form_state_unknown", state=state)
    lock_catalogue(session)
    known = find_form_version(session, form_id, version)
    if known is None:
        raise PublishRefused("form_not_found", form_id=form_id, version=version)
    if known.state != state:
        known.state, known.closed_at = state, now if state == "closed" else None
        bump_catalogue(session)
        release_waiting_for_form(session, known, now)
    return known


def delete_form(session: Session, form_id: str, actor_id: int | None, now: datetime) -> None:
    """Take a form away of which no record was ever received, not even a test; raise PublishRefused for any other."""
    lock_catalogue(session)
    form = session.scalar(select(Form).where(Form.form_id == form_id))
    if form is None:
        raise PublishRefused("form_not_found", form_id=form_id, version="")
    if session.scalar(select(Submission.id).where(Submission.form_id == form_id).limit(1)) is not None:
        raise PublishRefused("form_has_records", form_id=form_id)
    for one in form.versions:
        session.delete(one)
    session.flush()
    session.delete(form)
    add_audit_event(session, actor_id, "form.deleted", f"form:{form_id}", now)
    bump_catalogue(session)


def find_form_version(session: Session, form_id: str, version: str, draft: bool = False) -> FormVersion | None:
    """Find the published version of that very name, or with `draft` the form's draft of that name."""
    of_state = FormVersion.state == "draft" if draft else FormVersion.state != "draft"
    query = select(FormVersion).join(Form).where(Form.form_id == form_id, FormVersion.version == version, of_state)
    return session.scalar(query)


def find_newest(session: Session, form_id: str) -> FormVersion | None:
    """Find the version of a form that was published last, whatever its state."""
    query = select(FormVersion).join(Form).where(Form.form_id == form_id, FormVersion.state != "draft")
    return session.scalar(query.order_by(*_NEWEST_FIRST).limit(1))


def find_draft(session: Session, form_id: str) -> FormVersion | None:
    """Find the form's one draft, whatever version it names."""
    return session.scalar(select(FormVersion).join(Form).where(Form.form_id == form_id, FormVersion.state == "draft"))


def get_definition(session: Session, version: FormVersion) -> FormDefinition:
    """Return what the version asks; read once per process, since published bytes never change."""
    definition = _definitions.get(version.sha256)
    if definition is None:
        xml = session.scalars(select(FormVersion.xml).where(FormVersion.id == version.id)).one()
        definition = _definitions[version.sha256] = parse_form(xml)
        while len(_definitions) > _DEFINITIONS_KEPT:
            _definitions.pop(next(iter(_definitions)), None)
    return definition


def list_versions(session: Session) -> list[FormVersion]:
    """List every version: forms by name, of each its draft first, then the newest."""
    order = (Form.form_id, FormVersion.published_at.is_(None).desc(), *_NEWEST_FIRST)
    return list(session.scalars(select(FormVersion).join(Form).order_by(*order)))


def list_open_versions(session: Session, site_kind: str | None = None) -> list[FormVersion]:
    """List the newest open version of each form that tablets of this kind of site are given."""
    query = select(FormVersion).join(Form).where(FormVersion.state == "open").order_by(Form.form_id, *_NEWEST_FIRST)
    newest: dict[int, FormVersion] = {}
    for version in session.scalars(query):
        newest.setdefault(version.form_pk, version)
    return [one for one in newest.values() if site_kind is None or _is_meant_for(one.form.form_id, site_kind)]


@cache
def _programme() -> Programme:
    return load_programme()


def _is_meant_for(form_id: str, site_kind: str) -> bool:
    return site_kind in _programme().policy_for(form_id).site_kinds


def _publish_again(session: Session, known: FormVersion, file: FormFile, media: Media) -> Published:
    if known.sha256 != sha256(file.xml).hexdigest():
        raise PublishRefused("published_form_differs", form_id=known.form.form_id, version=known.version)
    given = [one for one in known.attachments if media.get(one.name) not in (None, one.blob_sha256)]
    for one in given:
        if one.blob_sha256 is not None:
            raise PublishRefused(
                "published_media_differ", name=one.name, form_id=known.form.form_id, version=known.version
            )
        one.blob_sha256, one.server_made = media[one.name], False
    if given:
        bump_catalogue(session)
    return Published("updated" if given else "unchanged", known)


def _make_version(session: Session, file: FormFile, state: str, now: datetime) -> FormVersion:
    form_id = file.definition.form_id
    form = session.scalar(select(Form).where(Form.form_id == form_id)) or Form(form_id=form_id, created_at=now)
    version = FormVersion(form=form, state=state)
    _fill(version, file, now)
    session.add(version)
    return version


def _fill(version: FormVersion, file: FormFile, now: datetime) -> None:
    version.version, version.title = file.definition.version, file.definition.title
    version.xml = file.xml
    # Collect compares MD5 (OpenRosa form list); everything of ours goes by SHA-256.
    version.md5 = md5(file.xml, usedforsecurity=False).hexdigest()
    version.sha256 = sha256(file.xml).hexdigest()
    version.source, version.source_name = file.source, file.source_name
    version.created_at = now


def _add_attachments(session: Session, version: FormVersion, named: tuple[Attachment, ...], media: Media) -> None:
    for one in named:
        blob = media.get(one.name)
        known = one.name in SERVER_LISTS or find_list_name(session, one.name) is not None
        made = blob is None and known
        version.attachments.append(FormAttachment(name=one.name, type=one.type, blob_sha256=blob, server_made=made))


def _refuse_lists(session: Session, definition: FormDefinition) -> None:
    """A list that tablets would confuse with another: they keep lists as tables and properties as columns."""
    known = {one.name.lower(): one for one in session.scalars(select(EntityList))}
    for one in definition.entities:
        if f"{one.list_name.lower()}.csv" in SERVER_LISTS:
            raise PublishRefused("entity_list_reserved", name=one.list_name)
        other = known.get(one.list_name.lower())
        if other is None:
            continue
        if other.name != one.list_name:
            raise PublishRefused("entity_list_case", name=one.list_name, other=other.name)
        spelled = {name.lower(): name for name in other.properties}
        for name, _path in one.save_to:
            if spelled.get(name.lower(), name) != name:
                params = {"name": name, "other": spelled[name.lower()], "list": other.name}
                raise PublishRefused("entity_property_case", **params)


def _open(session: Session, version: FormVersion, actor_id: int | None, now: datetime) -> Published:
    for older in version.form.versions:
        # Tablets take the newest version only; what they still hold of the older one is welcome.
        older.state = "closing" if older.state == "open" else older.state
    version.state, version.draft_token = "open", None
    version.published_at, version.published_by_id = now, actor_id
    session.flush()
    register_lists(session, get_definition(session, version).entities)
    bump_catalogue(session)
    return Published("new", version, release_waiting_for_form(session, version, now))


def _forget_draft(session: Session, draft: FormVersion, known: FormVersion) -> None:
    tests = update(Submission).where(Submission.form_id == known.form.form_id, Submission.is_draft)
    session.execute(tests.where(Submission.form_version_id == draft.id).values(form_version_id=known.id))
    session.delete(draft)
    session.flush()
