"""A published form, a site and a tablet that is enrolled there: what every OpenRosa test starts from."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from server.accounts.credentials import Enrolment, enrol_device
from server.config import Settings
from server.extensions import attachment_store
from sync.attachments import add_blob
from sync.models import Site
from sync.publishing import FormFile, add_draft, publish_form
from tests.server.openrosa.tablet import Tablet
from tests.sync.factory import add_site, form_file


@pytest.fixture
def site(session: Session) -> Site:
    site = add_site(session)
    session.commit()
    return site


@pytest.fixture
def published(session: Session) -> None:
    """Form `passage` 1; its sites.csv is the server's, its villages.csv was given."""
    now = datetime.now(UTC)
    villages = attachment_store().save(b"name,label\nros,Rosso\n")
    add_blob(session.connection(), villages, now)
    publish_form(session, form_file(), {"villages.csv": villages.sha256}, None, now)
    session.commit()


@pytest.fixture
def enrolment(session: Session, settings: Settings, site: Site) -> Enrolment:
    enrolment = enrol_device(session, settings, site, "ROS-1", datetime.now(UTC))
    session.commit()
    return enrolment


@pytest.fixture
def tablet(client: FlaskClient, enrolment: Enrolment, published: None, app: Flask) -> Tablet:
    return Tablet(client, enrolment.server_url.removeprefix("http://teral.test"))


@pytest.fixture
def draft_of(client: FlaskClient, session: Session) -> Callable[[str], Tablet]:
    """A project made from a draft's test code, for a form of this id."""

    def make(form_id: str) -> Tablet:
        known = form_file("brouillon")
        file = FormFile(known.xml, replace(known.definition, form_id=form_id))
        version = add_draft(session, file, {}, datetime.now(UTC))
        session.commit()
        return Tablet(client, f"/v1/test/{version.draft_token}/projects/1/forms/{quote(form_id, safe='')}/draft")

    return make


@pytest.fixture
def draft(draft_of: Callable[[str], Tablet]) -> Tablet:
    return draft_of("passage")
