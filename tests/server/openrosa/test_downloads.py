"""Form list, manifest, form and files, as Collect demands them."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from server.accounts.credentials import Enrolment
from sync.catalogue import bump_catalogue
from sync.models import FormAttachment, Site
from sync.publishing import change_form_state, publish_form
from tests.server.openrosa.tablet import MANIFEST, Tablet, entries
from tests.sync.factory import form_file


def test_list_is_openrosa(tablet: Tablet) -> None:
    response = tablet.get("/formList")
    assert response.content_type == "text/xml; charset=utf-8"
    assert response.headers["X-OpenRosa-Version"] == "1.0"
    assert b'<xforms xmlns="http://openrosa.org/xforms/xformsList">' in response.data


def test_entry_has_all_that_collect_needs(tablet: Tablet, enrolment: Enrolment) -> None:
    (form,) = tablet.list_forms()
    assert (form["formID"], form["version"], form["name"]) == ("passage", "1", "Passage")
    base = enrolment.server_url.replace("teral.test", "localhost")  # as the tablet calls it, not as we are configured
    assert form["downloadUrl"].startswith(f"{base}/")
    assert form["manifestUrl"].startswith(f"{base}/")


def test_list_can_be_asked_for_one_form(client: FlaskClient, tablet: Tablet) -> None:
    for form_id, count in (("passage", 1), ("autre", 0)):
        response = client.get(f"{tablet.path}/formList", query_string={"formID": form_id})
        assert response.data.count(b"<xform>") == count


def test_hash_in_the_list_is_that_of_the_form_served(tablet: Tablet) -> None:
    (form,) = tablet.list_forms()
    body = tablet.get(form["downloadUrl"]).data
    assert form["hash"] == f"md5:{hashlib.md5(body).hexdigest()}"


def test_hashes_in_the_manifest_are_those_of_the_files_served(tablet: Tablet) -> None:
    (form,) = tablet.list_forms()
    files = entries(tablet.get(form["manifestUrl"]), MANIFEST)
    assert [one["filename"] for one in files] == ["sites.csv", "villages.csv"]
    for one in files:
        assert one["hash"] == f"md5:{hashlib.md5(tablet.get(one['downloadUrl']).data).hexdigest()}"


def test_file_without_content_is_left_out(tablet: Tablet, session: Session) -> None:
    session.execute(update(FormAttachment).where(FormAttachment.name == "villages.csv").values(blob_sha256=None))
    bump_catalogue(session)
    session.commit()
    (form,) = tablet.list_forms()
    assert [one["filename"] for one in entries(tablet.get(form["manifestUrl"]), MANIFEST)] == ["sites.csv"]


def test_everything_is_answered_304_when_unchanged(tablet: Tablet) -> None:
    (form,) = tablet.list_forms()
    (file, *_rest) = entries(tablet.get(form["manifestUrl"]), MANIFEST)
    for url in ("/formList", form["downloadUrl"], form["manifestUrl"], file["downloadUrl"]):
        first = tablet.get(url)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = tablet.get(url, **{"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_changed_server_list_changes_the_manifest(tablet: Tablet, session: Session) -> None:
    (form,) = tablet.list_forms()
    first = tablet.get(form["manifestUrl"]).headers["ETag"]
    session.execute(update(Site).values(name="Rosso Sénégal"))
    bump_catalogue(session)
    session.commit()
    assert tablet.get(form["manifestUrl"], **{"If-None-Match": first}).status_code == 200


def test_new_version_counts_from_the_next_request_on(tablet: Tablet, session: Session) -> None:
    assert [form["version"] for form in tablet.list_forms()] == ["1"]
    publish_form(session, form_file("2"), {}, None, datetime.now(UTC))
    session.commit()
    assert [form["version"] for form in tablet.list_forms()] == ["2"]


def test_older_version_can_still_be_fetched_but_a_closed_one_not(tablet: Tablet, session: Session) -> None:
    (form,) = tablet.list_forms()
    publish_form(session, form_file("2"), {}, None, datetime.now(UTC))
    session.commit()
    assert tablet.get(form["downloadUrl"]).status_code == 200
    change_form_state(session, "passage", "1", "closed", datetime.now(UTC))
    session.commit()
    assert tablet.get(form["downloadUrl"]).status_code == 404


@pytest.mark.parametrize("path", ["/forms/99/form.xml", "/forms/1/attachments/none.csv", "/forms/1/x", "/nothing"])
def test_what_is_not_there_is_404_with_a_message(tablet: Tablet, path: str) -> None:
    response = tablet.get(path)
    assert (response.status_code, b"OpenRosaResponse" in response.data) == (404, True)


def test_form_of_another_kind_of_site_is_as_if_it_were_not_there(tablet: Tablet, session: Session) -> None:
    publish_form(session, form_file(form_id="f04_arrivee"), {}, None, datetime.now(UTC))
    session.commit()
    assert [form["formID"] for form in tablet.list_forms()] == ["passage"]  # a border post
    assert tablet.get("/forms/2/form.xml").status_code == 404
    session.execute(update(Site).values(kind="centre"))
    bump_catalogue(session)
    session.commit()
    assert "f04_arrivee" in [form["formID"] for form in tablet.list_forms()]


@pytest.mark.parametrize(
    "form_id", ["a/b", "✅", "'=+/*-451%/%", "..", "a b&<c>"], ids=["slash", "tick", "odd", "dots", "xml"]
)
def test_odd_form_ids_travel_whole(
    client: FlaskClient, session: Session, draft_of: Callable[[str], Tablet], form_id: str
) -> None:
    draft = draft_of(form_id)
    (form,) = draft.list_forms()
    assert form["formID"] == form_id
    assert hashlib.md5(draft.get(form["downloadUrl"]).data).hexdigest() == form["hash"].removeprefix("md5:")
    assert draft.get(form["manifestUrl"]).status_code == 200
    assert urlsplit(form["downloadUrl"]).path.startswith(draft.path)


def test_draft_is_fetched_by_its_token_only(client: FlaskClient, draft: Tablet, tablet: Tablet) -> None:
    assert [form["version"] for form in draft.list_forms()] == ["brouillon"]
    assert [form["version"] for form in tablet.list_forms()] == ["1"]
    assert client.get(draft.path.replace("/v1/test/", "/v1/test/x") + "/formList").status_code == 404
