"""What `X-Extended-Metadata: true` adds: how many there are, and who did it. R's ruODK cannot list without it.

The names of accounts and tablets are for readers of D7, as in the tables.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.rest.shapes import WORKBOOKS, ActorShape, Moment, Shape
from server.rest.speech import More
from sync.entity_browsing import list_names
from sync.models import Actor, AuditEvent, Device, FormVersion
from sync.policy import Viewer, access, may
from sync.publishing import get_definition
from sync.tallies import FormTally, tally_forms, tally_list

# What Central calls the acts that a role of ours may do.
_VERBS = {
    "forms.read": ("project.read", "form.list", "form.read"),
    "forms.publish": ("form.create", "form.update", "form.delete"),
    "submissions.read": ("submission.list", "submission.read"),
    "submissions.add": ("submission.create",),
    "submissions.decide": ("submission.update",),
    "entities.read": ("dataset.list", "dataset.read", "entity.list", "entity.read"),
    "entities.change": ("dataset.create", "entity.create", "entity.update", "entity.delete"),
    "devices.read": ("field_key.list",),
    "devices.enrol": ("field_key.create", "field_key.delete"),
    "users.manage": ("assignment.list", "user.list", "user.read"),
    "audit.read": ("audit.read",),
}


class _Verbs(Shape):
    verbs = fields.List(fields.String())


class _ProjectMore(_Verbs):
    datasets = fields.Integer()
    last_entity = Moment()


class _UserMore(_Verbs):
    # What Central's own pages keep for their users.
    preferences: fields.Field[Any] = fields.Constant({"site": {}, "projects": {}})


class _ReviewStates(Shape):
    received = fields.Integer()
    has_issues = fields.Integer()
    edited = fields.Integer()


class _FormMore(Shape):
    submissions = fields.Integer(attribute="tally.records")
    last_submission = Moment(attribute="tally.last_at")
    review_states = fields.Nested(_ReviewStates, attribute="tally")
    excel_content_type = fields.String(allow_none=True)
    entity_related = fields.Boolean()
    public_links = fields.Constant(0)
    created_by = fields.Nested(ActorShape, allow_none=True)


class _PublishedMore(_FormMore):
    publish_notes = fields.Constant(None)


class _VersionMore(Shape):
    published_by = fields.Nested(ActorShape, allow_none=True)
    excel_content_type = fields.String(allow_none=True)
    publish_notes = fields.Constant(None)


class _Actor(Shape):
    actor = fields.Nested(ActorShape, allow_none=True)


class _AppUserMore(Shape):
    created_by = fields.Nested(ActorShape, allow_none=True)
    properties = fields.Constant(None)


class _Submitter(Shape):
    submitter = fields.Nested(ActorShape, allow_none=True)


class _RecordMore(_Submitter):
    current_version = fields.Nested(_Submitter)


class _Creator(Shape):
    creator = fields.Nested(ActorShape, allow_none=True)


class _EntityMore(_Creator):
    current_version = fields.Nested(_Creator)


class _ListMore(Shape):
    entities = fields.Integer()
    last_entity = Moment(attribute="last_at")
    conflicts = fields.Integer()


def find_actors(session: Session, viewer: Viewer, ids: Collection[int | None]) -> dict[int | None, Actor]:
    """These actors, if the viewer may know who they are."""
    if not access(viewer, "D7").reads_plainly:
        return {}
    return {one.id: one for one in session.scalars(select(Actor).where(Actor.id.in_({*ids} - {None, 0})))}


def find_workbook_type(version: FormVersion) -> str | None:
    """The type of the workbook that a version was made from."""
    return WORKBOOKS.get((version.source_name or "").lower().rpartition(".")[2])


def _list_verbs(viewer: Viewer) -> list[str]:
    return sorted(verb for act, verbs in _VERBS.items() if may(viewer, act) for verb in verbs)


def _find_project(session: Session, viewer: Viewer, rows: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    names = list_names(session, viewer) if may(viewer, "entities.read") else []
    moments = [tally_list(session, viewer, name).last_at for name in names]
    told = {"datasets": len(names), "last_entity": max(filter(None, moments), default=None)}
    for _ in rows:
        yield told | {"verbs": _list_verbs(viewer)}


def _find_user(_session: Session, viewer: Viewer, rows: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    for _ in rows:
        yield {"verbs": _list_verbs(viewer)}


def _find_forms(
    session: Session, viewer: Viewer, rows: Sequence[FormVersion], *, draft: bool
) -> Iterator[Mapping[str, Any]]:
    named = [one.form.form_id for one in rows]
    tallies = tally_forms(session, viewer, named, draft=draft) if may(viewer, "submissions.read") else {}
    actors = find_actors(session, viewer, [one.form.versions[0].published_by_id for one in rows])
    for one in rows:
        yield {
            "tally": tallies.get(one.form.form_id, FormTally()),
            "excel_content_type": find_workbook_type(one),
            "entity_related": bool(get_definition(session, one).entities),
            "created_by": actors.get(one.form.versions[0].published_by_id),
        }


def _find_versions(session: Session, viewer: Viewer, rows: Sequence[FormVersion]) -> Iterator[Mapping[str, Any]]:
    actors = find_actors(session, viewer, [one.published_by_id for one in rows])
    for one in rows:
        yield {"published_by": actors.get(one.published_by_id), "excel_content_type": find_workbook_type(one)}


def _find_enrollers(session: Session, viewer: Viewer, rows: Sequence[Device]) -> Iterator[Mapping[str, Any]]:
    targets = [f"device:{one.id}" for one in rows]
    events = select(AuditEvent.target, AuditEvent.actor_id).where(
        AuditEvent.action == "device.enrolled", AuditEvent.target.in_(targets)
    )
    enrolled_by = {row.target: row.actor_id for row in session.execute(events)}
    actors = find_actors(session, viewer, enrolled_by.values())
    for target in targets:
        yield {"created_by": actors.get(enrolled_by.get(target))}


def _find_named(
    session: Session, viewer: Viewer, rows: Sequence[Any], *, by: str, name: str
) -> Iterator[Mapping[str, Any]]:
    """The actor whose number each row has, as `name`, and so in what is told inside of it."""
    numbers = [row[by] if isinstance(row, dict) else getattr(row, by) for row in rows]
    actors = find_actors(session, viewer, numbers)
    for number in numbers:
        told = {name: actors.get(number)}
        yield {**told, "current_version": told}


def _find_lists(session: Session, viewer: Viewer, rows: Sequence[Any]) -> Iterator[Any]:
    for one in rows:
        yield tally_list(session, viewer, one["name"])


PROJECT = More(_ProjectMore, _find_project)
USER = More(_UserMore, _find_user)
FORMS = More(_FormMore, partial(_find_forms, draft=False))
FORM = More(_PublishedMore, FORMS.find)
DRAFT = More(_FormMore, partial(_find_forms, draft=True))
FORM_VERSION = More(_VersionMore, _find_versions)
APP_USER = More(_AppUserMore, _find_enrollers)
ASSIGNMENT = More(_Actor, partial(_find_named, by="actor_id", name="actor"))
AUDIT = ASSIGNMENT
RECORD = More(_RecordMore, partial(_find_named, by="submitter_id", name="submitter"))
RECORD_VERSION = More(_Submitter, RECORD.find)
ENTITY = More(_EntityMore, partial(_find_named, by="creator_id", name="creator"))
ENTITY_VERSION = More(_Creator, ENTITY.find)
LIST = More(_ListMore, _find_lists)
