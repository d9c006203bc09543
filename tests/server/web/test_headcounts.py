"""The pages of head-counts: what asks for somebody, who should look, and a supervisor's word about a gap."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from sync.programme.headcount_rows import list_explanations
from sync.settings import change_setting
from tests.accounts import add_account, add_site, log_in
from tests.seed import Seeded, seed

REASON = "Sept personnes sont parties avec leur famille au débarquement."


@pytest.fixture
def seeded(session: Session) -> Seeded:
    """Among others an event of nine days ago at the centre: seven living, nobody arrived."""
    return seed(session)


@pytest.fixture
def supervisor(client: FlaskClient, session: Session, seeded: Seeded) -> FlaskClient:
    return log_in(client, add_account(session, "site_supervisor", seeded.site))


def explain(client: FlaskClient, seeded: Seeded, numbers: str = "7 0 0 0", reason: str = REASON) -> tuple[int, str]:
    address = f"/headcounts/{seeded.event.uuid}/explanations"
    answer = client.post(address, data={"numbers": numbers, "reason": reason}, follow_redirects=True)
    return answer.status_code, answer.text


def test_the_first_page_shows_a_count_that_does_not_close(supervisor: FlaskClient, seeded: Seeded) -> None:
    said = supervisor.get("/").text
    assert "Comptes de personnes qui ne se ferment pas" in said
    assert f'href="/headcounts/{seeded.event.uuid}"' in said


def test_the_first_page_asks_for_nobody_before_the_time(
    supervisor: FlaskClient, session: Session, seeded: Seeded
) -> None:
    change_setting(session, "headcount_hours", "2160", None, datetime.now(UTC))
    session.commit()
    assert f"/headcounts/{seeded.event.uuid}" not in supervisor.get("/").text


def test_the_page_says_the_numbers_and_who_should_look(supervisor: FlaskClient, seeded: Seeded) -> None:
    said = supervisor.get(f"/headcounts/{seeded.event.uuid}").text
    assert "7 personnes vivantes ne sont comptées nulle part." in said
    assert f"Superviseur de site, {seeded.site.name}" in said
    assert f'href="/entities/evenements/{seeded.event.uuid}"' in said


def test_without_a_supervisor_at_the_site_the_national_one_looks(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    national = log_in(client, add_account(session, "national_supervisor"))
    assert "Superviseur national" in national.get(f"/headcounts/{seeded.event.uuid}").text.partition("<main")[2]


def test_an_explanation_settles_the_question(supervisor: FlaskClient, session: Session, seeded: Seeded) -> None:
    status, said = explain(supervisor, seeded)
    assert (status, REASON in said, "Retirer l'explication" in said.replace("&#39;", "'")) == (200, True, True)
    assert f"/headcounts/{seeded.event.uuid}" not in supervisor.get("/").text
    session.rollback()  # what the request wrote can be seen from now on
    [kept] = list_explanations(session, seeded.event.uuid)
    assert kept.actor is not None


def test_a_withdrawn_explanation_opens_it_again(supervisor: FlaskClient, seeded: Seeded) -> None:
    explain(supervisor, seeded)
    supervisor.post(f"/headcounts/{seeded.event.uuid}/withdrawals")
    assert f"/headcounts/{seeded.event.uuid}" in supervisor.get("/").text


@pytest.mark.parametrize(
    ("numbers", "reason", "said"),
    [
        pytest.param("7 0 0 0", "rien", "en 10 à 1000 signes", id="no reason"),
        pytest.param("7 1 0 0", REASON, "Les chiffres ont changé", id="other numbers"),
        pytest.param("", REASON, "Les chiffres ont changé", id="no numbers"),
    ],
)
def test_what_cannot_stand_is_told(
    supervisor: FlaskClient, seeded: Seeded, numbers: str, reason: str, said: str
) -> None:
    status, page = explain(supervisor, seeded, numbers, reason)
    assert (status, said in page, reason in page) == (422, True, True)


def test_another_sites_event_is_not_there(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    other = log_in(client, add_account(session, "site_supervisor", add_site(session, "CASTL", "centre")))
    assert seeded.event.uuid not in other.get("/headcounts/").text + other.get("/").text
    assert explain(other, seeded)[0] == 404


def test_centre_staff_see_the_count_and_cannot_explain_it(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    staff = log_in(client, add_account(session, "centre_staff", seeded.site))
    assert "<textarea" not in staff.get(f"/headcounts/{seeded.event.uuid}").text
    assert explain(staff, seeded)[0] == 403


def test_the_list_tells_every_event_what_asks_for_somebody_first(
    supervisor: FlaskClient, session: Session, seeded: Seeded
) -> None:
    seeded.event.properties = {**seeded.event.properties, "date": datetime.now(UTC).isoformat()}
    session.commit()
    said = supervisor.get("/headcounts/").text
    assert ("arrivées attendues" in said, "Secours en mer" in said) == (True, True)


def test_each_reader_is_told_in_their_language(supervisor: FlaskClient, seeded: Seeded) -> None:
    address = f"/headcounts/{seeded.event.uuid}"
    french = supervisor.get(address).text
    supervisor.post("/language", data={"language": "en", "next": address})
    english = supervisor.get(address).text
    assert ("Superviseur de site," in french, "Site supervisor," in english) == (True, True)
    assert "7 living people are not accounted for." in english
