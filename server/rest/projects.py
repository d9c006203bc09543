"""The one project that an installation is, and what programs ask of Central about roles and assignments.

A form goes to the tablets of the kinds of site that the programme names for it, so an assignment is read off there:
asking for one that holds already succeeds, and nothing else can be assigned.
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.models import User
from server.accounts.permissions import LOGGED_IN, permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.app_users import get_device
from server.rest.extended import ASSIGNMENT, PROJECT
from server.rest.forms import get_version
from server.rest.problems import Problem
from server.rest.shapes import AssignmentShape, Done, ProjectShape, RoleShape
from server.rest.speech import answers, blueprint
from sync.models import Device, Form, FormVersion, Submission
from sync.policy import Viewer, may, programme
from sync.scopes import scope_devices, scope_submissions

_ROLES = (
    {"id": 1, "name": "Administrator", "system": "admin", "verbs": []},
    {"id": 2, "name": "App User", "system": "app-user", "verbs": ["form.list", "form.read", "submission.create"]},
    {"id": 5, "name": "Project Manager", "system": "manager", "verbs": []},
    {"id": 6, "name": "Project Viewer", "system": "viewer", "verbs": []},
)
_ROLE_OF = {"administrator": 1, "exchange": 5}
_APP_USER, _VIEWER = 2, 6


@blueprint.get("/projects")
@permission(LOGGED_IN)
@answers(ProjectShape, many=True, more=PROJECT)
def projects() -> Any:
    return [_project(db.session(), current_viewer())]


@blueprint.get("/projects/1")
@permission(LOGGED_IN)
@answers(ProjectShape, more=PROJECT)
def project() -> Any:
    return _project(db.session(), current_viewer())


@blueprint.get("/roles")
@permission(LOGGED_IN)
@answers(RoleShape, many=True)
def roles() -> Any:
    return _ROLES


@blueprint.get("/projects/1/assignments")
@permission("users.manage")
@answers(AssignmentShape, many=True, more=ASSIGNMENT)
def assignments() -> Any:
    users = db.session.scalars(select(User).where(User.disabled_at.is_(None)).order_by(User.id))
    return [{"actor_id": one.actor_id, "role_id": _ROLE_OF.get(one.role, _VIEWER)} for one in users]


@blueprint.get("/projects/1/forms/<segment:form_id>/assignments")
@permission("devices.read")
@answers(AssignmentShape, many=True, more=ASSIGNMENT)
def form_assignments(form_id: str) -> Any:
    version = get_version(form_id)
    devices = db.session.scalars(scope_devices(select(Device).order_by(Device.id), current_viewer()))
    return [{"actor_id": one.actor_id, "role_id": _APP_USER} for one in devices if _gets(one, version)]


@blueprint.post("/projects/1/forms/<segment:form_id>/assignments/<int:role_id>/<int:actor_id>")
@permission("devices.enrol")
@answers(Done)
def assign(form_id: str, role_id: int, actor_id: int) -> Any:
    device, version = get_device(actor_id), get_version(form_id)
    if role_id != _APP_USER or not _gets(device, version):
        raise Problem(400.8, field="roleId", reason=device.site.kind)
    return {}


def _gets(device: Device, version: FormVersion) -> bool:
    return device.state == "active" and device.site.kind in programme().policy_for(version.form.form_id).site_kinds


def _project(session: Session, viewer: Viewer) -> dict[str, Any]:
    devices = scope_devices(select(func.count(Device.id)).where(Device.state == "active"), viewer)
    last = scope_submissions(select(func.max(Submission.received_at)).where(Submission.is_draft.is_(False)), viewer)
    return {
        "name": "Teral",
        "created_at": session.scalar(select(func.min(User.created_at))),
        "app_users": session.scalar(devices) if may(viewer, "devices.read") else 0,
        "forms": session.scalar(select(func.count(Form.id))) if may(viewer, "forms.read") else 0,
        "last_submission": session.scalar(last) if may(viewer, "submissions.read") else None,
    }
