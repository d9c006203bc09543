"""From an uploaded file to a published form: what is kept before the transaction, and what is not."""

from hashlib import sha256

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forms.errors import FormRefused
from server.extensions import attachment_store
from server.publishing import EXTERNAL_CHOICES, draft_prepared, prepare_form, publish_prepared
from sync.models import Blob, FormAttachment
from tests.sync.factory import NOW, PASSAGE

FORM = PASSAGE.format(form_id="passage", version="1", title="Passage").encode()
EXTERNAL = b"""
| survey |
| | type | name | label | choice_filter |
| | select_one_external ville | ville | Ville | pays=1 |
| external_choices |
| | list_name | name | label | pays |
| | ville | ros | Rosso | 1 |
| settings |
| | form_id | version |
| | villes | 1 |
"""


def test_only_files_that_the_form_names_are_kept(app: Flask, session: Session) -> None:
    media = {"villages.csv": b"name,label\nros,Rosso\n", "holiday.jpg": b"nothing of ours"}
    form = prepare_form(attachment_store(), "passage.md", FORM, media)
    assert set(form.stored) == {"villages.csv"}
    published = publish_prepared(session, form, None, NOW)
    assert (published.outcome, published.missing) == ("new", [])
    assert session.scalar(select(func.count()).select_from(Blob)) == 1


def test_a_draft_takes_its_files_too(app: Flask, session: Session) -> None:
    form = prepare_form(attachment_store(), "passage.md", FORM, {"villages.csv": b"name,label\nros,Rosso\n"})
    draft = draft_prepared(session, form, NOW)
    files = {one.name: one.blob_sha256 for one in draft.attachments}
    assert (draft.state, files["villages.csv"]) == ("draft", form.stored["villages.csv"].sha256)


def test_choices_of_a_sheet_of_their_own_become_a_file(app: Flask, session: Session) -> None:
    publish_prepared(session, prepare_form(attachment_store(), "villes.md", EXTERNAL, {}), None, NOW)
    kept = session.scalars(select(FormAttachment).where(FormAttachment.name == EXTERNAL_CHOICES)).one()
    assert b"Rosso" in attachment_store().read(kept.blob_sha256 or "")


def test_a_refused_form_keeps_nothing(app: Flask, session: Session) -> None:
    with pytest.raises(FormRefused):
        prepare_form(attachment_store(), "bad.md", FORM.replace(b"| text |", b"| tekst |"), {"villages.csv": b"a\n"})
    assert not attachment_store().has(sha256(b"a\n").hexdigest())
    assert session.scalar(select(func.count()).select_from(Blob)) == 0
