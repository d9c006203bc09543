"""The shapes of `/v1`, one marshmallow schema each. What the API description says is made from them."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, pre_load, validate

from server.rest.problems import Problem
from server.rest.speech import PROJECT

WORKBOOKS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
}


class Moment(fields.Field[datetime]):
    """A time as Central writes it: UTC with milliseconds. Programs are told times and tell none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(dump_only=True, allow_none=True, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return write_moment(value)


def write_moment(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Shape(Schema):
    """Names in Python's way here, in Central's camelCase outside; what we do not know is left aside."""

    class Meta:
        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        if field_obj.data_key is None:
            first, *others = field_name.split("_")
            field_obj.data_key = first + "".join(word.capitalize() for word in others)


class Done(Shape):
    success = fields.Constant(True)


class ProblemShape(Shape):
    message = fields.String()
    code = fields.Float()
    details = fields.Dict(allow_none=True)


class Credentials(Shape):
    email = fields.String(required=True)
    password = fields.String(required=True)


class Token(Shape):
    token = fields.String()
    # Programs have no cookie that a foreign page could misuse; Central's own pages read this.
    csrf = fields.String(attribute="token", dump_only=True)
    created_at = Moment()
    expires_at = Moment()


class SessionShape(Shape):
    created_at = Moment()
    expires_at = Moment()


class ActorShape(Shape):
    id = fields.Integer()
    type = fields.String(attribute="kind")
    display_name = fields.String()
    created_at = Moment()
    updated_at = fields.Constant(None)
    deleted_at = fields.Constant(None)


class UserShape(Shape):
    """A web user under the number of its actor, since that is what other answers name."""

    id = fields.Integer(attribute="actor_id")
    type = fields.Constant("user")
    display_name = fields.String(attribute="actor.display_name")
    email = fields.String()
    created_at = Moment()
    updated_at = fields.Constant(None)
    deleted_at = Moment(attribute="disabled_at")


class ProjectShape(Shape):
    id = fields.Constant(PROJECT)
    name = fields.String()
    description = fields.Constant(None)
    archived = fields.Constant(None)
    key_id = fields.Constant(None)
    created_at = Moment()
    updated_at = fields.Constant(None)
    deleted_at = fields.Constant(None)
    app_users = fields.Integer()
    forms = fields.Integer()
    last_submission = Moment()


class FormShape(Shape):
    """A form in one of its versions."""

    project_id = fields.Constant(PROJECT)
    xml_form_id = fields.String(attribute="form.form_id")
    name = fields.String(attribute="title")
    version = fields.String()
    hash = fields.String(attribute="md5")
    sha256 = fields.String()
    state = fields.Function(lambda one: "open" if one.state == "draft" else one.state)
    key_id = fields.Constant(None)
    enketo_id = fields.Constant(None)
    enketo_once_id = fields.Constant(None)
    webforms_enabled = fields.Constant(False)
    draft_token: fields.Field[Any] = fields.Constant(None)
    created_at = Moment(attribute="form.created_at")
    updated_at = Moment(attribute="published_at")
    published_at = Moment()


class DraftShape(FormShape):
    """Who holds the token may fetch the draft and send test records."""

    draft_token = fields.String(allow_none=True)


class FormChange(Shape):
    state = fields.String()


class FieldShape(Shape):
    path = fields.String()
    name = fields.String()
    type = fields.String()
    binary = fields.Boolean(allow_none=True)
    select_multiple = fields.Boolean(allow_none=True)


class FormFileShape(Shape):
    """A file that a form version names. A list that the server makes counts as Central's linked entity list."""

    name = fields.String()
    type = fields.Function(lambda one: "file" if one.type == "list" else one.type)
    hash = fields.String(attribute="blob.md5", dump_default=None)
    size = fields.Integer(attribute="blob.size")
    exists = fields.Function(lambda one: one.blob_sha256 is not None or one.server_made)
    blob_exists = fields.Function(lambda one: one.blob_sha256 is not None)
    dataset_exists = fields.Boolean(attribute="server_made")
    updated_at = Moment(attribute="blob.created_at", dump_default=None)


class AppUserShape(Shape):
    """A tablet under the number of its actor. Its token was told once, when it was enrolled, and is hashed here.

    "" stands for a token that holds and cannot be shown, null (as in Central) for one that was revoked.
    """

    project_id = fields.Constant(PROJECT)
    id = fields.Integer(attribute="actor_id")
    type = fields.Constant("field_key")
    display_name = fields.String(attribute="name")
    token = fields.Function(lambda one: None if one.state == "revoked" else "")
    created_at = Moment(attribute="enrolled_at")
    updated_at = fields.Constant(None)
    deleted_at = fields.Constant(None)
    last_used = Moment(attribute="last_submission_at")


class NewAppUser(Shape):
    display_name = fields.String(required=True, validate=validate.Length(1, 255))
    # Ours: where the tablet works. Central knows no sites.
    site = fields.String()


class RoleShape(Shape):
    id = fields.Integer()
    name = fields.String()
    system = fields.String()
    verbs = fields.List(fields.String())


class AssignmentShape(Shape):
    actor_id = fields.Integer()
    role_id = fields.Integer()


class AuditShape(Shape):
    actor_id = fields.Integer(allow_none=True)
    action = fields.String()
    actee_id = fields.String(attribute="target")
    details = fields.Dict()
    logged_at = Moment(attribute="at")
    notes = fields.Constant(None)


class VersionShape(Shape):
    """One version of a record."""

    instance_id = fields.String()
    submitter_id = fields.Integer()
    device_id = fields.String(allow_none=True)
    user_agent = fields.String()
    # It is made of answers, often of names.
    instance_name = fields.Constant(None)
    form_version = fields.String()
    current = fields.Boolean()
    created_at = Moment()


class SubmissionShape(Shape):
    """A record with all its edits, under the instanceID of the first."""

    instance_id = fields.String()
    submitter_id = fields.Integer()
    device_id = fields.String(allow_none=True)
    user_agent = fields.String()
    review_state = fields.String(allow_none=True)
    created_at = Moment()
    updated_at = Moment()
    deleted_at = fields.Constant(None)
    current_version = fields.Nested(VersionShape)


class DifferenceShape(Shape):
    """An answer that an edit changed: the steps that lead to it, those of a repeat as its name and the turn."""

    path = fields.List(fields.Raw())
    old = fields.String()
    new = fields.String()


class ReviewShape(Shape):
    review_state = fields.String(allow_none=True)


class SubmissionFileShape(Shape):
    name = fields.String()
    exists = fields.Boolean()


class CommentShape(Shape):
    body = fields.String()
    actor_id = fields.Integer()
    actor = fields.Nested(ActorShape)
    created_at = Moment()


class NewComment(Shape):
    body = fields.String(required=True)


class PropertyShape(Shape):
    name = fields.String()
    odata_name = fields.String()
    published_at = Moment()
    # Names of forms, as pyodk expects them; Central itself answers objects here.
    forms = fields.List(fields.String())


class EntrySetShape(Shape):
    name = fields.String()
    kind = fields.String()
    url = fields.String()


class ServiceShape(Shape):
    """The tables of an OData service."""

    context = fields.String(data_key="@odata.context")
    value = fields.List(fields.Nested(EntrySetShape))


class TableShape(Shape):
    """Rows of a table; its columns are told by $metadata."""

    context = fields.String(data_key="@odata.context")
    value = fields.List(fields.Dict())
    next_link = fields.String(data_key="@odata.nextLink")
    count = fields.Integer(data_key="@odata.count")


class DatasetShape(Shape):
    """An entity list. What arrives is judged at once, so nothing waits for an approval."""

    name = fields.String()
    project_id = fields.Constant(PROJECT)
    created_at = Moment()
    deleted_at = fields.Constant(None)
    approval_required = fields.Constant(False)
    owner_only = fields.Constant(False)
    properties = fields.List(fields.Nested(PropertyShape))
    source_forms = fields.List(fields.Dict())


class NewDataset(Shape):
    name = fields.String(required=True)
    approval_required = fields.Boolean(load_default=False)


class NewProperty(Shape):
    name = fields.String(required=True)


class EntityChange(Shape):
    """What is told of an entity. A member that was misspelt would be left out without a word, so it is refused."""

    label = fields.String(allow_none=True, load_default=None)
    data = fields.Dict(keys=fields.String(), values=fields.String(), allow_none=True, load_default=None)

    @pre_load
    def refuse_unknown(self, told: Any, **_: Any) -> Any:
        known = [one.data_key for one in self.fields.values()]
        if isinstance(told, dict) and not told.keys() <= set(known):
            raise Problem(400.31, expected=known, actual=list(told))
        return told


class NewEntityShape(EntityChange):
    label = fields.String(required=True)
    uuid = fields.String(allow_none=True, load_default=None)


class NewEntities(Shape):
    """Many at once; `source` tells where they are from, and is not kept."""

    entities = fields.List(fields.Nested(NewEntityShape), required=True)
    source = fields.Dict()


class Named(Shape):
    ids = fields.List(fields.String(), required=True)


class Counted(Shape):
    count = fields.Integer()


class ChangeShape(Shape):
    """A property of an entity that one version has otherwise than the one before."""

    property_name = fields.String()
    old = fields.String(allow_none=True)
    new = fields.String(allow_none=True)


class EntityVersionShape(Shape):
    """`userAgent` is not kept, and "" says so: programs expect a text."""

    label = fields.String()
    data = fields.Dict()
    current = fields.Boolean()
    version = fields.Integer()
    base_version = fields.Integer(allow_none=True)
    creator_id = fields.Integer()
    user_agent = fields.Constant("")
    conflicting_properties = fields.Constant(None)
    branch_id = fields.Constant(None)
    trunk_version = fields.Constant(None)
    branch_base_version = fields.Constant(None)
    created_at = Moment()


class EntityShape(Shape):
    uuid = fields.String()
    creator_id = fields.Integer()
    conflict = fields.String(allow_none=True)
    created_at = Moment()
    updated_at = Moment()
    deleted_at = Moment()
    current_version = fields.Nested(EntityVersionShape)
