from datetime import UTC, datetime

from flask import Flask
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from server.shipped_forms import publish_library
from sync.publishing import list_open_versions

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_library_is_published_once_with_its_media(app: Flask, session: Session) -> None:
    published = publish_library(session, attachment_store(), NOW)
    assert {"f02_passage.xlsx", "f04_arrivee.xlsx"} <= set(published)
    assert publish_library(session, attachment_store(), NOW) == []


def test_each_kind_of_site_gets_its_form_whole(app: Flask, session: Session) -> None:
    publish_library(session, attachment_store(), NOW)
    [arrival] = [one for one in list_open_versions(session, "centre") if one.form.form_id == "f04_arrivee"]
    assert [one.name for one in arrival.attachments if not one.blob_sha256 and not one.server_made] == []
