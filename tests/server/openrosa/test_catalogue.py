"""A process keeps what it knows of the forms for as long as the generation stays the same."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.extensions import db
from server.openrosa.catalogue import Catalogue, CatalogueKeeper
from sync.models import Catalogue as CatalogueRow
from sync.publishing import add_draft, change_form_state, publish_form
from tests.sync.factory import form_file

pytestmark = pytest.mark.both_databases


def generation(session: Session) -> int:
    session.rollback()
    return session.scalars(select(CatalogueRow.generation)).one()


def publish(session: Session, version: str = "1", form_id: str = "passage") -> None:
    publish_form(session, form_file(version, form_id), {}, None, datetime.now(UTC))
    session.commit()


def test_catalogue_is_kept_until_something_is_published(app: Flask, session: Session) -> None:
    publish(session)
    keeper, before = CatalogueKeeper(db.engine), generation(session)
    first = keeper.get(before)
    assert keeper.get(before) is first
    publish(session, "2")
    assert generation(session) > before
    assert set(keeper.get(generation(session)).by_name) == {("passage", "1"), ("passage", "2")}


def test_only_open_versions_are_listed_and_all_are_known(app: Flask, session: Session) -> None:
    publish(session)
    publish(session, form_id="autre")
    version = next(one for one in Catalogue(db.engine, 1).by_id.values() if one.form_id == "autre")
    change_form_state(session, "autre", "1", "closed", datetime.now(UTC))
    session.commit()
    catalogue = Catalogue(db.engine, 2)
    assert [one.form_id for one in catalogue.list_open("border_post")] == ["passage"]
    assert catalogue.by_id[version.id].state == "closed"


def test_draft_is_known_by_its_token_only(app: Flask, session: Session) -> None:
    draft = add_draft(session, form_file("brouillon"), {}, datetime.now(UTC))
    session.commit()
    catalogue = Catalogue(db.engine, 1)
    assert catalogue.by_draft_token[draft.draft_token or ""].version == "brouillon"
    assert (catalogue.by_name, catalogue.list_open("border_post"), catalogue.titles) == ({}, [], {})


def test_files_without_content_are_left_out(app: Flask, session: Session) -> None:
    publish(session)
    (form,) = Catalogue(db.engine, 1).by_id.values()
    assert [(file.name, file.body is not None) for file in form.files] == [("sites.csv", True)]


def test_form_that_asks_for_files_is_read_once(app: Flask, session: Session) -> None:
    publish(session)
    catalogue = Catalogue(db.engine, 1)
    (form,) = catalogue.by_id.values()
    definition = catalogue.find_file_form(form)
    assert definition is not None
    assert catalogue.find_file_form(form) is definition
    assert catalogue.read_xml(form).startswith(b"<")
