"""Comments on a record: the same that our own page shows."""

from datetime import UTC, datetime
from typing import Any

from server.accounts.permissions import permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.rest.shapes import CommentShape, NewComment
from server.rest.speech import answers, blueprint, takes
from server.rest.submissions import SUBMISSION, get_chain
from sync.reviews import add_comment, list_comments


@blueprint.get(f"{SUBMISSION}/comments")
@permission("submissions.read")
@answers(CommentShape, many=True)
def comments(form_id: str, instance_id: str) -> Any:
    return list_comments(db.session(), get_chain(form_id, instance_id)[0].id)


@blueprint.post(f"{SUBMISSION}/comments")
@permission("submissions.read")
@answers(CommentShape)
@takes(NewComment)
def comment(form_id: str, instance_id: str, body: dict[str, Any]) -> Any:
    root, viewer = get_chain(form_id, instance_id)[0], current_viewer()
    return add_comment(db.session(), root.id, body["body"], viewer.actor_id, datetime.now(UTC))
