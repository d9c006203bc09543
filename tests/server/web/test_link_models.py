"""The page of linkage models: what each would change, and activating one by two clicks."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.link_models import activate_model, add_model, keep_model
from sync.link_reports import add_report
from sync.linkage.model import default_model
from sync.models import LinkActivation, LinkModelVersion, LinkReport
from tests.accounts import add_account, log_in
from tests.sync.factory import NOW
from tests.sync.meetings import AWA, AWA_AGAIN, meet, persons, prepare

TIMID = replace(default_model(), link_at=200.0)
ADDRESS = f"/link-models/{TIMID.version}"
FIGURES = {"records": 40, "persons": 31, "joined": 12, "parted": 3, "questions": 7, "error": 0.04}


@pytest.fixture
def admin(client: FlaskClient, session: Session) -> FlaskClient:
    """An administrator, two records that the active model links, and a model that would not."""
    prepare(session)
    meet(session, "uuid:1", AWA)
    meet(session, "uuid:2", AWA_AGAIN)
    add_model(session, TIMID, None, NOW)
    session.commit()
    return log_in(client, add_account(session, "administrator", language="en"))


def let_read_along(session: Session) -> None:
    keep_model(session, TIMID.version, None, NOW)
    session.commit()
    process_pending()


def weigh(session: Session, **found: object) -> LinkReport:
    content = {**FIGURES, "model": TIMID.version, "calibration": [], "fairness": [], "overlooked": 0, **found}
    report = add_report(session, TIMID.version, content, NOW)
    session.commit()
    return report


def activations(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(LinkActivation.reason).order_by(LinkActivation.id)))


def test_each_version_is_listed_with_what_it_would_change(admin: FlaskClient, session: Session) -> None:
    let_read_along(session)
    report = weigh(session)
    page = admin.get("/link-models/").text
    assert all(one in page for one in (TIMID.version, default_model().version, "makes the links", "reads along"))
    assert '<td class="number">12</td><td class="number">3</td><td class="number">7</td>' in page.replace("\n", "")
    assert f"{ADDRESS}/reports/{report.id}" in page


def test_what_each_run_found_stays_with_the_model(admin: FlaskClient, session: Session) -> None:
    earlier = weigh(session, joined=9)
    group = {"kind": "sex", "value": "2", "records": 21, "linked": 0.5, "load": 0.25, "labels": 5, "precision": 0.8}
    label = {"from_bits": 8, "pairs": 5, "expected": 0.998, "observed": 0.8}
    counts = {"crowded": 3, "left_out": 2, "most_common": 100}
    latest = weigh(session, calibration=[label], fairness=[group | {"recall": None}], **counts)
    page, report = admin.get(ADDRESS).text, admin.get(f"{ADDRESS}/reports/{latest.id}").text
    for told in (page, report):
        assert "<td>1.00</td><td>0.80</td>" in told
        assert "Sex Female</th><td>21</td>" in told
        assert "<td>0.50</td><td>0.25</td><td>5</td><td>0.80</td><td>–</td>" in told
    assert "3 keys have outgrown the model" in report
    assert "2 keys were not looked up in this run, as more than 100 records share each" in report
    assert f"{ADDRESS}/reports/{earlier.id}" in page
    assert '<span class="value">9</span>' in admin.get(f"{ADDRESS}/reports/{earlier.id}").text
    assert admin.get(f"/link-models/{default_model().version}/reports/{latest.id}").status_code == 404


def test_a_shadow_is_compared_on_the_records_that_came_last(admin: FlaskClient, session: Session) -> None:
    let_read_along(session)
    page = admin.get(ADDRESS).text
    assert "Of the newest 2 records the two models say different things about 2." in page
    assert '<td class="number changed">2</td>' in page
    assert ("Awa" in page, "Ndiaye" in page) == (False, False)


def test_activating_takes_a_reason_and_a_second_click(admin: FlaskClient, session: Session) -> None:
    weigh(session)
    refused = admin.post(f"{ADDRESS}/activate", data={"reason": "  "})
    assert (refused.status_code, "Give a reason" in refused.text) == (422, True)
    asked = admin.post(f"{ADDRESS}/activate", data={"reason": "fewer wrong links"}).text
    assert ("Yes, activate it" in asked, "12 links would have come, 3 would have gone" in asked) == (True, True)
    assert activations(session) == [""]
    admin.post(f"{ADDRESS}/activate", data={"reason": "fewer wrong links", "sure": "yes"})
    assert activations(session) == ["", "fewer wrong links"]
    assert "reads all records, then makes the links" in admin.get("/link-models/").text
    process_pending()
    session.rollback()
    assert len(persons(session)) == 2
    page = admin.get("/link-models/").text
    assert ("fewer wrong links" in page, "in force since" in page) == (True, True)
    assert "Yes, activate it" not in admin.get(ADDRESS).text


def test_what_was_never_weighed_says_so_before_it_is_activated(admin: FlaskClient) -> None:
    assert "It was never weighed" in admin.post(f"{ADDRESS}/activate", data={"reason": "let us see"}).text


def test_a_model_reads_along_and_rests_again(admin: FlaskClient, session: Session) -> None:
    admin.post(f"{ADDRESS}/keep")
    row = select(LinkModelVersion.kept).where(LinkModelVersion.version == TIMID.version)
    session.rollback()
    assert session.scalar(row)
    assert "What it read is forgotten, the model stays." in admin.get(admin.post(f"{ADDRESS}/drop").location).text
    session.rollback()
    assert not session.scalar(row)


def test_the_active_model_does_not_rest(admin: FlaskClient) -> None:
    refused = admin.post(f"/link-models/{default_model().version}/drop")
    assert (refused.status_code, "is the active one" in refused.text) == (422, True)


def test_who_made_a_model_the_active_one_is_told(admin: FlaskClient, session: Session) -> None:
    assert '<span class="sub">the installation · ' in admin.get("/link-models/").text
    activate_model(session, TIMID.version, None, "better", NOW)
    session.commit()
    assert '<span class="sub">the command line · ' in admin.get("/link-models/").text
    admin.post(f"/link-models/{default_model().version}/activate", data={"reason": "as before", "sure": "yes"})
    assert admin.get("/link-models/").text.count("the command line") == 1


def test_a_version_that_is_not_here_is_not_there(admin: FlaskClient) -> None:
    assert admin.get("/link-models/none").status_code == 404
    assert admin.post("/link-models/none/activate", data={"reason": "let us see", "sure": "yes"}).status_code == 404


def test_an_auditor_reads_and_changes_nothing(admin: FlaskClient, session: Session) -> None:
    auditor = log_in(admin, add_account(session, "auditor", language="en"))
    assert "Activate…" not in auditor.get(ADDRESS).text
    assert auditor.post(f"{ADDRESS}/activate", data={"reason": "let us see", "sure": "yes"}).status_code == 403


def test_a_model_that_never_linked_is_not_said_to_be_in_force(admin: FlaskClient, session: Session) -> None:
    later = replace(default_model(), link_at=300.0)
    add_model(session, later, None, NOW)
    for model in (TIMID, later):
        activate_model(session, model.version, None, "better", NOW)
    session.commit()
    page = admin.get("/link-models/").text
    assert (page.count("a later choice replaced it"), page.count("not in force before it has read")) == (1, 1)
    process_pending()
    page = admin.get("/link-models/").text
    assert (page.count("a later choice replaced it"), page.count("in force since")) == (1, 2)


def test_short_forms_make_another_model(admin: FlaskClient, session: Session) -> None:
    page = admin.get(f"{ADDRESS}/names").text
    assert "Fatoumata" in page
    assert "Doudou" not in page
    after = admin.post(f"{ADDRESS}/names", data={"names": "Doudou = Abdoulaye"})
    session.rollback()
    made = session.scalars(select(LinkModelVersion).order_by(LinkModelVersion.id.desc())).first()
    assert made is not None
    assert (after.status_code, after.location) == (302, f"/link-models/{made.version}")
    assert "Let it make the links" in admin.get(after.location).text
    assert "Doudou" in admin.get(f"{after.location}/names").text


def test_a_short_form_that_is_none_is_refused_and_stays_in_the_form(admin: FlaskClient, session: Session) -> None:
    refused = admin.post(f"{ADDRESS}/names", data={"names": "Doudou"})
    assert refused.status_code == 422
    assert "Line 1" in refused.text
    assert ">Doudou</textarea>" in refused.text
