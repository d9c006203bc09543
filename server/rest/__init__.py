"""ODK Central's `/v1`, so that pyodk, OData readers and scripts work unchanged. Same rows as our pages, same wall.

What is said differently on purpose: filters reach into answers, and what a role may not read is absent.
"""

from flask import Flask
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from forms.errors import FormsError
from server.accounts.permissions import PUBLIC, permission
from server.extensions import csrf
from server.rest import (
    app_users,
    audits,
    comments,
    datasets,
    description,
    draft_submissions,
    entities,
    entity_tables,
    exports,
    form_drafts,
    forms,
    odata,
    projects,
    relays,
    sessions,
    submission_files,
    submissions,
    unsupported,
)
from server.rest.problems import (
    Problem,
    answer_full_disk,
    answer_http_error,
    answer_invalid,
    answer_problem,
    answer_refusal,
)
from server.rest.speech import blueprint

_ROOMS = (
    sessions, projects, app_users, forms, form_drafts, submissions, submission_files, draft_submissions, comments,
    audits, odata, datasets, entities, entity_tables, exports, relays, unsupported, description,
)  # fmt: skip


@blueprint.route("/<path:anywhere>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@permission(PUBLIC)
def nothing_here(anywhere: str) -> ResponseReturnValue:
    """Central's answer to an address or a verb that it does not know."""
    raise Problem(404.1)


blueprint.register_error_handler(Problem, answer_problem)
blueprint.register_error_handler(FormsError, answer_refusal)
blueprint.register_error_handler(ValidationError, answer_invalid)
blueprint.register_error_handler(HTTPException, answer_http_error)
for broken in (OSError, DBAPIError):
    blueprint.register_error_handler(broken, answer_full_disk)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    # A program's token comes in a header that no foreign page can set.
    csrf.exempt(blueprint)
