"""What Central has and Teral has not on purpose: told as such (501), so that nobody takes it for a wrong address.

Records are never deleted, only erased as the law asks for; nobody answers a form without an account or a tablet; who
sees what is the policy table's word, and accounts are made by administrators on their page.
"""

from typing import NoReturn

from flask import request

from server.accounts.permissions import LOGGED_IN, permission
from server.rest.datasets import DATASET
from server.rest.form_drafts import DRAFT
from server.rest.forms import FORM
from server.rest.problems import Problem
from server.rest.speech import blueprint
from server.rest.submissions import SUBMISSION

_ABSENT = [
    ("POST", "/users"),
    ("PATCH", "/users/<int:actor_id>"),
    ("DELETE", "/users/<int:actor_id>"),
    ("POST", "/users/reset/initiate"),
    ("PUT", "/users/<int:actor_id>/password"),
    ("POST", "/projects"),
    ("PATCH", "/projects/1"),
    ("PUT", "/projects/1"),
    ("DELETE", "/projects/1"),
    ("POST", "/projects/1/key"),
    ("POST", "/projects/1/assignments/<int:role_id>/<int:actor_id>"),
    ("DELETE", "/projects/1/assignments/<int:role_id>/<int:actor_id>"),
    ("DELETE", f"{FORM}/assignments/<int:role_id>/<int:actor_id>"),
    ("POST", f"{FORM}/restore"),
    ("POST", f"{FORM}/public-links"),
    ("DELETE", f"{FORM}/public-links/<int:actor_id>"),
    ("PATCH", f"{DRAFT}/attachments/<segment:name>"),
    ("DELETE", SUBMISSION),
    ("POST", f"{SUBMISSION}/restore"),
    ("DELETE", f"{SUBMISSION}/attachments/<segment:name>"),
    ("PATCH", DATASET),
    ("DELETE", DATASET),
    ("DELETE", f"{DATASET}/properties/<segment:name>"),
]


@permission(LOGGED_IN)
def unsupported(**_named: object) -> NoReturn:
    """What Teral has not on purpose."""
    raise Problem(501.1, feature=f"{request.method} {request.path}")


for _number, (_method, _path) in enumerate(_ABSENT, 1):
    blueprint.add_url_rule(_path, f"unsupported_{_number}", unsupported, methods=[_method])
