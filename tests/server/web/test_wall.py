"""Every route as every role and as nobody, held against the policy table: who gets in, and what they find there."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from server.accounts.permissions import LOGGED_IN, PROGRAMS, PUBLIC, TABLET, permission_of
from sync.linkage.model import default_model
from sync.policy import PERMISSIONS, PROGRAM_ROLES, SITE_ROLES, TABLE, Viewer, access
from sync.policy import ROLES as ALL_ROLES
from sync.relaying.enrolment import enrol_relay
from tests.accounts import add_account, add_site, log_in
from tests.seed import CANARIES, Seeded, seed

# (method, endpoint) → status, and where it leads with what it says.
Visited = dict[tuple[str, str], tuple[int, str]]

# Those who can open a page at all: a program's account cannot log in to them (test_login.py).
ROLES = tuple(role for role in ALL_ROLES if role not in PROGRAM_ROLES)
READERS_OF_FILE = {role for role in ROLES if TABLE[role]["D7"].reads_plainly}
CHANGERS_OF_STAYS = {role for role in ROLES if "U" in TABLE[role]["D3"].verbs}
# For whom the seeded record is as if it were not there: it does not bypass its site.
REACHING_ELSEWHERE = {role for role in ROLES if any(cell.bypassing for cell in TABLE[role].values())}
# Pages of links that list what the reader may see, and so may be empty.
LISTS = {"links.queue", "links.decisions", "links.next_check"}
# Pages about rows, of which those of other sites are not there.
ROWS = (
    "submissions.",
    "people.",
    "person_changes.",
    "person_decisions.",
    "devices.",
    "entities.",
    "links.",
    "link_withdrawals.",
    "inquiries.",
)
# Routes that look at an answer's class beyond the route's permission, and the roles for which they open.
NARROWER = {
    "submissions.raw_xml": {"protection_officer"},
    "submissions.file": READERS_OF_FILE,
    "submissions.picture": READERS_OF_FILE,
    "entities.export": {role for role in ROLES if "X" in TABLE[role]["D3"].verbs},
    "entity_decisions.decide": CHANGERS_OF_STAYS,
    "entity_decisions.undo": CHANGERS_OF_STAYS,
    "entity_deletions.delete": CHANGERS_OF_STAYS,
    "entity_deletions.restore": CHANGERS_OF_STAYS,
}


@pytest.fixture
def seeded(session: Session) -> Seeded:
    """A record of everything, at a site whose server is a relay."""
    found = seed(session)
    relay = add_account(session, "relay", found.site)
    enrol_relay(session, found.site, relay.actor_id, datetime.now(UTC))
    session.commit()
    return found


def list_routes(app: Flask) -> list[tuple[str, Rule]]:
    """Every route of the pages with each method; tablets' and programs' own are proven in their rooms of the tests."""
    return [
        (method, rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"})
        if permission_of(rule.endpoint) != TABLET and rule.endpoint not in ("static", "session.log_out")
        if not rule.endpoint.startswith(f"{PROGRAMS}.")
    ]


def address(app: Flask, rule: Rule, seeded: Seeded) -> str:
    given = {
        "submission_id": seeded.submission.id, "file_id": seeded.file.id, "person_id": seeded.person.id,
        "device_id": seeded.device.id, "alert_id": seeded.alert_id, "form_pk": seeded.version.form_pk,
        "version_id": seeded.version.id, "other_id": seeded.draft.id, "site_id": seeded.site.id, "user_id": 1,
        "list_name": seeded.entity.list_name, "uuid": seeded.entity.uuid,
        "decision_id": seeded.entity.decisions[0].id,
        "event": seeded.event.uuid, "peer_name": seeded.peer.name, "report_id": seeded.report.id,
        "link_id": seeded.decision.id, "model_version": default_model().version, "inquiry_id": seeded.inquiry.id,
        "home_id": seeded.inquiry.home_id, "rival_id": seeded.inquiry.other_id,
    }  # fmt: skip
    if rule.endpoint == "forms.test_code":
        given["version_id"] = seeded.draft.id
    with app.test_request_context():
        return app.url_for(rule.endpoint, **{name: given[name] for name in rule.arguments})


def visit(client: FlaskClient, app: Flask, seeded: Seeded) -> Visited:
    found = {}
    for method, rule in list_routes(app):
        answer = client.open(address(app, rule, seeded), method=method)
        found[method, rule.endpoint] = (
            answer.status_code,
            answer.headers.get("Location", "") + answer.data.decode(errors="replace"),
        )
    return found


def test_every_route_states_a_permission(app: Flask) -> None:
    bare = [rule.endpoint for rule in app.url_map.iter_rules() if permission_of(rule.endpoint) is None]
    assert bare == []


def test_nobody_gets_in_anywhere(app: Flask, client: FlaskClient, seeded: Seeded) -> None:
    for (_method, endpoint), (status, said) in visit(client, app, seeded).items():
        if permission_of(endpoint) != PUBLIC:
            assert (status, said.startswith("/login")) == (302, True), endpoint
        assert not any(canary in said for canary in CANARIES.values()), endpoint


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_in_and_finds_what_the_table_says(
    app: Flask, client: FlaskClient, session: Session, seeded: Seeded, role: str
) -> None:
    user = add_account(session, role, seeded.site if role in SITE_ROLES else None)
    viewer = Viewer(user.actor_id, role, user.site_id)
    visited = visit(log_in(client, user), app, seeded)
    check_doors(role, visited)
    check_finds(viewer, "".join(said for _status, said in visited.values()))


def check_doors(role: str, visited: Visited) -> None:
    for (method, endpoint), (status, _said) in visited.items():
        name = permission_of(endpoint)
        allowed = name in (PUBLIC, LOGGED_IN) or role in PERMISSIONS[name or ""] & NARROWER.get(endpoint, set(ROLES))
        if role in REACHING_ELSEWHERE & PERMISSIONS.get(name or "", frozenset()) and endpoint in NARROWER:
            assert status == 404, f"{method} {endpoint}: {status}"
            continue
        assert (status != 403) == allowed, f"{method} {endpoint}: {status}"
        assert status < 500, endpoint


def check_finds(viewer: Viewer, everything: str) -> None:
    """Nothing that the role may not read, and for those who read submissions all that it may."""
    found = {name for name, canary in CANARIES.items() if canary in everything}
    readable = {name for name in CANARIES if access(viewer, name).reads_plainly}
    assert found <= readable
    if viewer.role in PERMISSIONS["submissions.read"]:
        assert found == readable


@pytest.mark.parametrize("role", sorted(SITE_ROLES))
def test_another_site_is_as_if_it_were_not_there(
    app: Flask, client: FlaskClient, session: Session, seeded: Seeded, role: str
) -> None:
    user = add_account(session, role, add_site(session, "ROSSO"))
    for (method, endpoint), (status, said) in visit(log_in(client, user), app, seeded).items():
        assert not any(canary in said for canary in CANARIES.values()), f"{method} {endpoint}"
        if endpoint.startswith(ROWS) and not endpoint.endswith(("_page", "search")) and endpoint not in LISTS:
            assert status in (403, 404), f"{method} {endpoint}: {status}"
