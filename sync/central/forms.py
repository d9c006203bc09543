"""Form versions, with their files: those of a peer that are not here, and those of ours that a peer is to have."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload, undefer

from sync.attachments import StoredFile, add_blob
from sync.central.bridge import Bridge, Step, read_moment
from sync.models import Form, FormVersion
from sync.peer_answers import PeerError
from sync.publishing import FormFile, change_form_state, publish_form
from sync.server_lists import SERVER_LISTS


def list_peer_forms(bridge: Bridge) -> list[dict[str, Any]]:
    """The peer's published forms that we read."""
    asked = bridge.peer.pulls
    forms = bridge.client.ask_rows(bridge.client.path("forms"), "xmlFormId")
    return [one for one in forms if one.get("publishedAt") and (not asked or one["xmlFormId"] in asked)]


def find_new_versions(bridge: Bridge, form: dict[str, Any]) -> Iterator[Step]:
    """A step for each version of the peer's form that is not here, the oldest first."""
    form_id = str(form["xmlFormId"])
    known = bridge.ours.read(partial(_list_known, form_id=form_id))
    # An older version may be missing though the newest is here: what could not be read last time is asked for again.
    versions = _ask_versions(bridge, form_id)
    for one in sorted(versions, key=lambda one: read_moment(one["publishedAt"])):
        if one["version"] not in known:
            do = partial(_pull_version, bridge, form_id, one["version"], read_moment(one["publishedAt"]))
            yield Step("forms_in", f"{form_id} {one['version']}", do)


def find_unpublished(bridge: Bridge, form_id: str) -> Iterator[Step]:
    """A step if the peer has not our newest version of this form."""
    ours = bridge.ours.read(partial(_load_newest, form_id=form_id))
    if ours is not None:
        theirs = _list_their_versions(bridge, form_id)
        if ours.version not in (theirs or ()):
            yield Step("forms_out", f"{form_id} {ours.version}", partial(_push_version, bridge, ours, theirs))


def _ask_versions(bridge: Bridge, form_id: str) -> list[dict[str, Any]]:
    path = bridge.client.path("forms/{form}/versions", form=form_id)
    return bridge.client.ask_rows(path, "version", "publishedAt")


def _list_known(session: Session, form_id: str) -> set[str]:
    query = select(FormVersion.version).join(Form).where(Form.form_id == form_id, FormVersion.state != "draft")
    return set(session.scalars(query))


def _pull_version(bridge: Bridge, form_id: str, version: str, published_at: datetime) -> None:
    # Central's name for the version without one.
    names = {"form": form_id, "version": version or "___"}
    with bridge.client.download(bridge.client.path("forms/{form}/versions/{version}.xml", **names)) as content:
        xml = content.read()
    # pyxform brings half a second and 40 MB with it, and most exchanges meet no new form.
    from forms.publishable import read_publishable

    definition = read_publishable(xml, "form.xml").definition
    files = bridge.client.path("forms/{form}/versions/{version}/attachments", **names)
    stored = {
        one["name"]: _pull_file(bridge, names, one["name"])
        for one in bridge.client.ask_rows(files, "name")
        if one.get("exists") and not one.get("datasetExists")
    }
    file = FormFile(xml, definition)
    bridge.ours.write(partial(_publish, file=file, stored=stored, bridge=bridge, published_at=published_at))


def _pull_file(bridge: Bridge, names: dict[str, str], name: str) -> StoredFile:
    path = bridge.client.path("forms/{form}/versions/{version}/attachments/{name}", **names, name=name)
    with bridge.client.download(path) as content:
        return bridge.store.save(content)


def _publish(
    session: Session, file: FormFile, stored: dict[str, StoredFile], bridge: Bridge, published_at: datetime
) -> None:
    """Publish at the peer's time, for its records alone: what our tablets are given stays as it is.

    Whoever wants tablets to have the form opens it on the page of forms.
    """
    now, form_id = bridge.clock(), file.definition.form_id
    for one in stored.values():
        add_blob(session.connection(), one, now)
    before = _list_open(session, form_id)
    media = {name: one.sha256 for name, one in stored.items()}
    version = publish_form(session, file, media, bridge.peer.actor_id, published_at).version
    change_form_state(session, form_id, version.version, "closing", now)
    for name in before:
        change_form_state(session, form_id, name, "open", now)


def _list_open(session: Session, form_id: str) -> list[str]:
    query = select(FormVersion.version).join(Form).where(Form.form_id == form_id, FormVersion.state == "open")
    return list(session.scalars(query))


def _load_newest(session: Session, form_id: str) -> FormVersion | None:
    """The newest version that tablets are given, with all that the step needs, read before the session ends."""
    opened = select(FormVersion).join(Form).where(Form.form_id == form_id, FormVersion.state == "open")
    whole = (undefer(FormVersion.xml), joinedload(FormVersion.form), selectinload(FormVersion.attachments))
    newest = opened.order_by(FormVersion.published_at.desc(), FormVersion.id.desc()).limit(1)
    return session.scalar(newest.options(*whole))


def _list_their_versions(bridge: Bridge, form_id: str) -> set[str] | None:
    """The versions that the peer has published; None where it does not know the form at all."""
    try:
        bridge.client.ask(bridge.client.path("forms/{form}", form=form_id))
        return {one["version"] for one in _ask_versions(bridge, form_id)}
    except PeerError as error:
        if error.code == "peer_missing":
            return None
        raise


def _push_version(bridge: Bridge, version: FormVersion, theirs: set[str] | None) -> None:
    """As a draft with its files, which is then published: whatever is interrupted begins again with a fresh draft."""
    form_id, forms = version.form.form_id, bridge.client.pyodk.forms
    with TemporaryDirectory() as folder:
        files = [_write_file(bridge, Path(folder), one.name, one.blob_sha256) for one in version.attachments]
        given = {"definition": version.xml.decode(), "attachments": [one for one in files if one is not None]}
        with bridge.client.translating():
            if theirs is None:
                forms.create(form_id=form_id, **given)
            else:
                forms.update(form_id, **given)


def _write_file(bridge: Bridge, folder: Path, name: str, sha256: str | None) -> Path | None:
    """A file of a form under its own name, as pyodk wants it; entity lists are the peer's own."""
    # A name is data: what would lead out of the folder is no name of a file.
    path = folder / Path(name).name
    made = SERVER_LISTS.get(name)
    if sha256 is not None:
        with bridge.store.open(sha256) as content, path.open("wb") as target:
            shutil.copyfileobj(content, target)
    elif made is not None:
        path.write_bytes(bridge.ours.read(made))
    else:
        return None
    return path
