"""Submissions as a supervisor reads them: filters that make sense, one record, its file, its twins, an export."""

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.intake import Sender
from sync.legacy import FORM_ID, publish_legacy_form, take_in
from sync.linkage.record import LinkRecord
from sync.models import Submission
from sync.publishing import publish_form
from tests.accounts import add_account, add_site, log_in
from tests.library_fills import fill_as_told
from tests.seed import CANARIES, Seeded, add_submission, seed, shipped_form
from tests.sync.test_bypassing import deliver as receive_complaint
from tests.sync.test_processing import settle


@pytest.fixture
def seeded(session: Session) -> Seeded:
    return seed(session)


def reader(client: FlaskClient, session: Session, role: str, seeded: Seeded) -> FlaskClient:
    session.commit()
    home = seeded.site if role in ("protection_officer", "site_supervisor", "centre_staff") else None
    return log_in(client, add_account(session, role, home))


def add(session: Session, seeded: Seeded, instance: str, **facts: object) -> Submission:
    one = add_submission(session, seeded.site, seeded.device, seeded.version, datetime.now(UTC), instance)
    for name, value in facts.items():
        setattr(one, name, value)
    session.flush()
    return one


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("state=quarantined", True),
        ("state=merged", False),
        ("form=f04_arrivee", True),
        ("form=f02_passage", False),
        ("site=999", False),
        ("until=2020-01-01", False),
        ("since=2020-01-01", True),
        ("state=melted&since=never&site=x&before=y", True),
        ("since=0001-01-01&until=9999-12-31", True),
    ],
    ids=lambda one: str(one) or "none",
)
def test_the_list_is_narrowed_by_what_makes_sense(
    client: FlaskClient, session: Session, seeded: Seeded, query: str, found: bool
) -> None:
    page = reader(client, session, "auditor", seeded).get(f"/submissions/?{query}").text
    assert (f"/submissions/{seeded.submission.id}?" in page or f'/submissions/{seeded.submission.id}"' in page) == found


def test_a_long_list_has_pages_that_meet(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    ids = [seeded.submission.id, *(add(session, seeded, f"uuid:p{number}").id for number in range(55))]
    browser = reader(client, session, "auditor", seeded)
    first, second = (browser.get(f"/submissions/{query}").text for query in ("", f"?before={ids[-50]}"))
    shown = [{one for one in ids if f'/submissions/{one}"' in page} for page in (first, second)]
    assert shown == [set(ids[-50:]), set(ids[:-50])]


def test_neighbours_stay_within_the_filter(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    merged, last = add(session, seeded, "uuid:2", state="merged"), add(session, seeded, "uuid:3")
    page = reader(client, session, "auditor", seeded).get(f"/submissions/{last.id}?state=quarantined").text
    assert f"/submissions/{seeded.submission.id}?state=quarantined" in page
    assert f"/submissions/{merged.id}?" not in page


def test_a_record_from_the_beginning_of_time_can_be_looked_at(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    seeded.submission.ended_at = datetime(1, 1, 1, tzinfo=UTC)
    session.commit()
    browser = reader(client, session, "protection_officer", seeded)
    assert "0001-01-01 00:00" in browser.get(f"/submissions/{seeded.submission.id}").text
    assert browser.get("/submissions/").status_code == 200


def test_twins_stand_beside_each_other(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    twin = add(
        session,
        seeded,
        "uuid:twin",
        instance_id="uuid:1",
        twin_of_id=seeded.submission.id,
        reason="twin",
        xml_sha256="0" * 64,
    )
    twin.xml = seeded.submission.xml.replace(b"Awa", b"Binta")
    page = reader(client, session, "protection_officer", seeded).get(f"/submissions/{twin.id}").text
    assert f"/submissions/{seeded.submission.id}" in page
    assert "Binta" in page
    assert "Awa" in page


def test_a_correction_and_its_original_name_each_other(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    edit = add(session, seeded, "uuid:edit", deprecated_id=seeded.submission.instance_id)
    browser = reader(client, session, "auditor", seeded)
    assert f"/submissions/{edit.id}" in browser.get(f"/submissions/{seeded.submission.id}").text
    assert f"/submissions/{seeded.submission.id}" in browser.get(f"/submissions/{edit.id}").text


def test_a_record_of_an_unknown_form_is_shown_without_answers(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    odd = add(session, seeded, "uuid:odd", form_version=None, form_id="unheard", reason="unknown_form", findings=[])
    page = reader(client, session, "auditor", seeded).get(f"/submissions/{odd.id}").text
    assert "unheard" in page
    assert CANARIES["D3"] not in page


@pytest.mark.parametrize("name", ["audit.csv", "../../etc/passwd", 'a"; filename=b.html', "<script>.csv"])
def test_a_file_is_a_download_whatever_its_name(
    client: FlaskClient, session: Session, seeded: Seeded, name: str
) -> None:
    seeded.file.name = name
    seeded.submission.xml = seeded.submission.xml.replace(b"audit.csv", escape(name).encode())
    browser = reader(client, session, "national_supervisor", seeded)
    answer = browser.get(f"/submissions/{seeded.submission.id}/files/{seeded.file.id}")
    told = re.fullmatch(r'attachment; filename="([^"]*)"; (.*)', answer.headers["Content-Disposition"])
    assert told is not None
    assert re.fullmatch(r"[A-Za-z0-9 ._-]+", told[1])
    assert told[2] == f"filename*=UTF-8''{quote(name, safe='')}"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
    assert answer.content_type == "application/octet-stream"


def test_an_export_holds_rows_of_exportable_classes_and_no_formula(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    add(session, seeded, "=1+1", form_id="f02_passage")
    table = reader(client, session, "national_supervisor", seeded).get("/submissions/export.csv").text
    assert "'=1+1" in table
    assert "f04_arrivee" not in table  # class D3 does not leave the server


def test_a_record_of_another_site_is_not_there(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    log_in(client, add_account(session, "site_supervisor", add_site(session, "ROSSO")))
    assert client.get(f"/submissions/{seeded.submission.id}").status_code == 404
    assert client.post(f"/submissions/{seeded.submission.id}/decisions", data={"kind": "reject"}).status_code == 404


def test_the_last_day_of_a_span_is_in_it(client: FlaskClient, session: Session, seeded: Seeded) -> None:
    today = datetime.now(UTC).date()
    browser = reader(client, session, "auditor", seeded)
    for day, found in ((today, True), (today - timedelta(days=1), False)):
        assert (f"nº {seeded.submission.id}" in browser.get(f"/submissions/?until={day}").text) == found


@pytest.mark.parametrize(("role", "status"), [("focal_point", 200), ("protection_officer", 404)])
def test_a_sensitive_complaint_is_read_by_the_focal_point_alone(
    client: FlaskClient, session: Session, seeded: Seeded, role: str, status: int
) -> None:
    publish_form(session, shipped_form("f07_assistance"), {}, None, datetime.now(UTC))
    answers = {"volet": "plainte", "sensible": "oui", "anonyme": "oui", "recit": "Un agent menace."}
    filled = fill_as_told("f07_assistance", answers)
    complaint = receive_complaint(session, seeded.site.id, filled.instance_id, filled.xml)
    settle(session)
    answer = reader(client, session, role, seeded).get(f"/submissions/{complaint}")
    assert (answer.status_code, "Un agent menace." in answer.text) == (status, role == "focal_point")


def test_record_of_an_older_register_shows_where_it_comes_from(
    client: FlaskClient, session: Session, seeded: Seeded
) -> None:
    told = LinkRecord("17", "Ndiaye", "Awa", post="Bac de Podor", tablet="T-04", recorded_on=date(2025, 3, 1))
    publish_legacy_form(session, None, datetime.now(UTC))
    take_in(session, [told], "Cahier de Podor", Sender(site_id=seeded.site.id), datetime.now(UTC))
    session.commit()
    process_pending()
    taken = session.scalars(select(Submission.id).where(Submission.form_id == FORM_ID)).one()
    page = reader(client, session, "data_steward", seeded).get(f"/submissions/{taken}").text
    for said in ("Cahier de Podor", "17", "Poste où elle a été faite", "Bac de Podor", "Sur quelle tablette", "T-04"):
        assert said in page, said
