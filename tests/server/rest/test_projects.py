"""One installation is one project; a form goes to the tablets of the sites for which the programme means it."""

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.accounts import add_site
from tests.server.rest.program import Program, form_path, log_in_program, problem


def test_there_is_one_project(program: Program) -> None:
    (project,) = program.json("projects")
    assert (project["id"], project["name"]) == (1, "Teral")
    assert program.json("projects/1") == project
    assert problem(program.get("projects/2")) == (404, 404.1)


def test_a_project_says_nothing_that_the_role_may_not_count(
    client: FlaskClient, session: Session, market: Program
) -> None:
    assert market.json("projects/1")["forms"] == 1
    assert log_in_program(client, session, "centre_staff").json("projects/1")["forms"] == 0


def test_assigning_a_form_says_whether_the_tablet_gets_it(market: Program, session: Session) -> None:
    add_site(session)
    session.commit()
    tablet = market.post("projects/1/app-users", json={"displayName": "T-1"}).json
    assert market.post(f"{form_path('market')}/assignments/2/{tablet['id']}").json == {"success": True}
    assert market.json(f"{form_path('market')}/assignments") == [{"actorId": tablet["id"], "roleId": 2}]
    assert problem(market.post(f"{form_path('market')}/assignments/5/{tablet['id']}")) == (400, 400.8)
    assert problem(market.post(f"{form_path('market')}/assignments/2/999")) == (404, 404.1)


def test_roles_and_users_are_told_in_centrals_numbers(client: FlaskClient, session: Session, program: Program) -> None:
    administrator = log_in_program(client, session, "administrator")
    found = {one["actorId"]: one["roleId"] for one in administrator.json("projects/1/assignments")}
    assert found == {administrator.actor_id: 1, program.actor_id: 5}
    assert {one["system"] for one in program.json("roles")} >= {"admin", "app-user"}
