"""Whether this server can work: asked by `teral run`, by a supervisor of processes, or by a proxy."""

from flask import Blueprint, Response
from sqlalchemy import text

from server.accounts.permissions import PUBLIC, permission
from server.extensions import db

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@permission(PUBLIC)
def health() -> Response:
    """200 when the database answers; an exception, and so a 500, when it does not."""
    db.session.execute(text("SELECT 1"))
    return Response("ok\n", content_type="text/plain")
