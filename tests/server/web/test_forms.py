"""Forms as a designer publishes them: what is wrong is said, versions stay, drafts are tested apart."""

import io
import re
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import FormVersion
from tests.accounts import add_account, log_in
from tests.seed import Seeded, add_submission, seed

FORM = """
| survey |
| | type | name | label |
| | text | lieu | {label} |
| | image | plan | Plan |
| settings |
| | form_id | version | form_title |
| | essai | {version} | Essai |
"""


@pytest.fixture
def designer(client: FlaskClient, session: Session) -> FlaskClient:
    return log_in(client, add_account(session, "form_designer"))


def upload(client: FlaskClient, label: str = "Lieu", version: str = "1", kept: str = "published"):  # type: ignore[no-untyped-def]
    content = FORM.format(label=label, version=version).encode()
    return client.post("/forms/new", data={"form": (io.BytesIO(content), "essai.md"), "as": kept})


def versions(session: Session) -> list[tuple[str, str]]:
    session.rollback()
    rows = session.scalars(select(FormVersion).order_by(FormVersion.id))
    return [(one.version, one.state) for one in rows]


def test_a_form_is_published_once(designer: FlaskClient, session: Session) -> None:
    assert upload(designer).status_code == 200
    assert "Rien n&#39;a changé" in upload(designer).text
    assert versions(session) == [("1", "open")]


def test_other_bytes_under_a_published_version_are_refused(designer: FlaskClient, session: Session) -> None:
    upload(designer)
    answer = upload(designer, label="Endroit")
    assert answer.status_code == 422
    assert "essai" in answer.text


def test_a_bad_form_is_told_with_its_place_and_publishes_nothing(designer: FlaskClient, session: Session) -> None:
    content = FORM.format(label="Lieu", version="1").replace("| text |", "| tekst |").encode()
    answer = designer.post("/forms/new", data={"form": (io.BytesIO(content), "essai.md")})
    assert answer.status_code == 422
    assert "tekst" in answer.text
    assert "<code>survey</code> ligne 2" in answer.text
    assert versions(session) == []


def test_an_upload_without_a_file_is_told(designer: FlaskClient) -> None:
    assert designer.post("/forms/new", data={}).status_code == 422


def test_a_draft_has_a_code_of_its_own_and_is_published_as_it_was_tested(
    designer: FlaskClient, session: Session
) -> None:
    upload(designer, kept="draft")
    draft = session.scalars(select(FormVersion)).one()
    code = f"/forms/versions/{draft.id}/test-code"
    assert code in designer.get(f"/forms/{draft.form_pk}").text
    assert designer.get(code).content_type.startswith("image/svg+xml")
    assert designer.post(f"/forms/{draft.form_pk}/publish-draft").status_code == 302
    assert versions(session) == [("1", "open")]


def test_what_changed_between_two_versions_is_shown(designer: FlaskClient, session: Session) -> None:
    upload(designer)
    upload(designer, label="Lieu exact", version="2")
    old, new = session.scalars(select(FormVersion.id).order_by(FormVersion.id))
    page = designer.get(f"/forms/versions/{new}/changes/{old}").text
    assert all(told in page for told in ("/data/lieu", "<td>Lieu</td><td>Lieu exact</td>", "libellé"))
    assert designer.get(f"/forms/versions/{new}/changes/999").status_code == 404


@pytest.mark.parametrize(("state", "status"), [("closing", 302), ("closed", 302), ("melted", 422)])
def test_a_version_is_closed(designer: FlaskClient, session: Session, state: str, status: int) -> None:
    upload(designer)
    version = session.scalars(select(FormVersion.id)).one()
    assert designer.post(f"/forms/versions/{version}/state", data={"state": state}).status_code == status
    assert versions(session) == [("1", state if status == 302 else "open")]


def test_the_form_itself_can_be_fetched(designer: FlaskClient, session: Session) -> None:
    upload(designer)
    version = session.scalars(select(FormVersion)).one()
    assert designer.get(f"/forms/versions/{version.id}/xform").data == version.xml
    assert b"Essai" in designer.get(f"/forms/versions/{version.id}/source").data


@pytest.mark.parametrize(("number", "shown"), [(4, "•••"), (5, "5")])
def test_a_count_that_would_tell_of_somebody_is_hidden(
    client: FlaskClient, session: Session, number: int, shown: str
) -> None:
    seeded: Seeded = seed(session)
    now = datetime.now(UTC)
    for one in range(1, number):
        add_submission(session, seeded.site, seeded.device, seeded.version, now, f"uuid:n{one}")
    session.commit()
    page = log_in(client, add_account(session, "national_supervisor")).get(f"/forms/{seeded.version.form_pk}").text
    [count] = re.findall(r"<dt>Envois</dt><dd>(.*?)</dd>", page)
    assert shown in count
