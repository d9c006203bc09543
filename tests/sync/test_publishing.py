"""Publishing forms: versions that never change, drafts, files, and records that waited for their form."""

import dataclasses

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.xlsform import read_form
from sync.attachments import StoredFile, add_blob
from sync.catalogue import read_generation
from sync.models import EntityList, FormVersion
from sync.publishing import (
    FormFile,
    PublishRefused,
    add_draft,
    change_form_state,
    find_draft,
    find_form_version,
    get_definition,
    list_open_versions,
    list_versions,
    publish_draft,
    publish_form,
)
from tests.sync.factory import NOW, add_submission, form_file


def blob(session: Session, name: str) -> str:
    add_blob(session.connection(), StoredFile(name * 64, "0" * 32, 3), NOW)
    return name * 64


def publish(session: Session, version: str = "1", title: str = "Passage", **media: str) -> str:
    given = {f"{name}.csv": digest for name, digest in media.items()}
    return publish_form(session, form_file(version, title=title), given, None, NOW).outcome


def test_published_form_is_listed_with_its_bytes(session: Session) -> None:
    publish(session)
    [version] = list_open_versions(session)
    assert (version.form.form_id, version.xml, version.state) == ("passage", form_file().xml, "open")


def test_same_bytes_again_change_nothing(session: Session) -> None:
    publish(session)
    before = read_generation(session)
    assert publish(session) == "unchanged"
    assert (read_generation(session), len(list_versions(session))) == (before, 1)


def test_other_bytes_under_a_published_version_are_refused(session: Session) -> None:
    publish(session)
    with pytest.raises(PublishRefused, match="Version “1” of form passage is already published"):
        publish(session, title="Passage bis")


def test_new_version_retires_the_older_one(session: Session) -> None:
    publish(session, "1")
    publish(session, "2")
    assert {one.version: one.state for one in list_versions(session)} == {"1": "closing", "2": "open"}
    assert [one.version for one in list_open_versions(session)] == ["2"]


def test_list_of_sites_needs_no_file(session: Session) -> None:
    published = publish_form(session, form_file(), {}, None, NOW)
    assert published.missing == ["villages.csv"]


def test_missing_file_can_be_given_later(session: Session) -> None:
    publish(session)
    assert publish(session, villages=blob(session, "a")) == "updated"
    assert publish(session, villages=blob(session, "a")) == "unchanged"


def test_other_bytes_of_a_published_file_are_refused(session: Session) -> None:
    publish(session, villages=blob(session, "a"))
    with pytest.raises(PublishRefused, match=r"villages\.csv"):
        publish(session, villages=blob(session, "b"))


@pytest.mark.parametrize("state", ["closing", "closed", "open"])
def test_state_moves_and_bytes_stay(session: Session, state: str) -> None:
    publish(session)
    assert change_form_state(session, "passage", "1", state, NOW).state == state
    assert find_form_version(session, "passage", "1") is not None


@pytest.mark.parametrize(
    ("form_id", "state"),
    [pytest.param("passage", "draft", id="no way back to a draft"), pytest.param("autre", "open", id="unknown form")],
)
def test_senseless_change_of_state_is_refused(session: Session, form_id: str, state: str) -> None:
    publish(session)
    with pytest.raises(PublishRefused):
        change_form_state(session, form_id, "1", state, NOW)


def test_draft_is_not_listed_and_keeps_its_token(session: Session) -> None:
    token = add_draft(session, form_file("1"), {}, NOW).draft_token
    again = add_draft(session, form_file("2"), {}, NOW)
    assert (again.draft_token, again.version) == (token, "2")
    assert list_open_versions(session) == []


def test_replaced_draft_keeps_the_files_that_it_still_names(session: Session) -> None:
    add_draft(session, form_file("1"), {"villages.csv": blob(session, "a")}, NOW)
    again = add_draft(session, form_file("2"), {}, NOW)
    assert {one.name: one.blob_sha256 for one in again.attachments}["villages.csv"] == "a" * 64


def test_published_draft_is_open_and_has_no_token(session: Session) -> None:
    add_draft(session, form_file(), {}, NOW)
    version = publish_draft(session, "passage", None, NOW).version
    assert (version.state, version.draft_token, find_draft(session, "passage")) == ("open", None, None)


def test_draft_equal_to_what_is_published_disappears(session: Session) -> None:
    publish(session)
    add_draft(session, form_file(), {}, NOW)
    test_record = add_submission(session, "uuid:essai", is_draft=True)
    test_record.form_version = find_draft(session, "passage")
    session.flush()
    assert publish_draft(session, "passage", None, NOW).outcome == "unchanged"
    assert find_draft(session, "passage") is None


def test_publishing_without_a_draft_is_refused(session: Session) -> None:
    with pytest.raises(PublishRefused, match="no draft"):
        publish_draft(session, "passage", None, NOW)


def test_definition_is_read_once(session: Session) -> None:
    publish(session)
    version = session.query(FormVersion).one()
    assert get_definition(session, version) is get_definition(session, version)


@pytest.mark.parametrize(
    ("reason", "version", "state"),
    [
        pytest.param("unknown_form", "1", "received", id="its form came"),
        pytest.param("unknown_form", "7", "received", id="its form came in another version"),
        pytest.param("unknown_version", "1", "received", id="its version came"),
        pytest.param("unknown_version", "7", "quarantined", id="another version came"),
        pytest.param("twin", "1", "quarantined", id="it waits for a human"),
    ],
)
def test_records_that_waited_for_the_form_are_judged_anew(
    session: Session, reason: str, version: str, state: str
) -> None:
    early = add_submission(session, "uuid:1", version=version)
    early.reason, early.state, early.processed_at = reason, "quarantined", NOW
    session.flush()
    publish(session)
    assert early.state == state


def test_test_records_wait_for_no_published_version(session: Session) -> None:
    early = add_submission(session, "uuid:1", is_draft=True)
    early.reason, early.state, early.processed_at = "unknown_version", "quarantined", NOW
    session.flush()
    assert publish_form(session, form_file(), {}, None, NOW).replayed == 0


def test_form_without_version_can_be_published(session: Session) -> None:
    file = form_file()
    bare = dataclasses.replace(file, definition=dataclasses.replace(file.definition, version=""))
    publish_form(session, bare, {}, None, NOW)
    assert find_form_version(session, "passage", "") is not None


@pytest.mark.parametrize(
    ("form_id", "site_kind", "listed"),
    [
        pytest.param("f02_passage", "border_post", True, id="the programme names this kind of site"),
        pytest.param("f02_passage", "centre", False, id="the programme names other kinds only"),
        pytest.param("passage", "centre", True, id="a form without an entry goes everywhere"),
    ],
)
def test_form_goes_to_the_kinds_of_site_that_the_programme_names(
    session: Session, form_id: str, site_kind: str, listed: bool
) -> None:
    publish_form(session, form_file(form_id=form_id), {}, None, NOW)
    assert bool(list_open_versions(session, site_kind)) is listed


def test_form_is_published_while_a_draft_of_it_is_tested(session: Session) -> None:
    add_draft(session, form_file("2"), {}, NOW)
    assert publish_form(session, form_file("1"), {}, None, NOW).outcome == "new"


def declaring(list_name: str, property_name: str, form_id: str) -> FormFile:
    sheet = f"""
| survey |
| | type | name | label | save_to |
| | text | etat | État | {property_name} |
| entities |
| | list_name | label |
| | {list_name} | ${{etat}} |
| settings |
| | form_id | version |
| | {form_id} | 1 |
"""
    read = read_form(sheet.encode(), "forme.md")
    return FormFile(read.xml, read.definition)


@pytest.mark.parametrize(
    ("list_name", "property_name", "code"),
    [
        ("sites", "etat", "entity_list_reserved"),
        ("Sites", "etat", "entity_list_reserved"),
        ("Dossiers", "etat", "entity_list_case"),
        ("dossiers", "Etat", "entity_property_case"),
    ],
)
@pytest.mark.parametrize("tested", [False, True], ids=["at once", "after a draft"])
def test_list_that_a_tablet_would_confuse_with_another_is_refused(
    session: Session, list_name: str, property_name: str, code: str, tested: bool
) -> None:
    publish_form(session, declaring("dossiers", "etat", "une"), {}, None, NOW)
    other = declaring(list_name, property_name, "autre")
    if tested:
        add_draft(session, other, {}, NOW)
    with pytest.raises(PublishRefused) as refused:
        publish_draft(session, "autre", None, NOW) if tested else publish_form(session, other, {}, None, NOW)
    assert (refused.value.code, find_form_version(session, "autre", "1")) == (code, None)


def test_list_is_declared_by_several_forms(session: Session) -> None:
    for form_id, property_name in (("une", "etat"), ("autre", "lit"), ("encore", "etat")):
        publish_form(session, declaring("dossiers", property_name, form_id), {}, None, NOW)
    assert session.scalars(select(EntityList)).one().properties == ["etat", "lit"]
