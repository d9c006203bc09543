"""A piece of work is written whole or not at all, and nothing stays open behind it."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.transactions import Transactions
from sync.models import Site
from tests.sync.factory import add_site


def test_what_was_written_is_there_and_can_still_be_read(app: Flask) -> None:
    ours = Transactions()
    made = ours.write(lambda session: add_site(session, "KLK"))
    assert made.code == "KLK"
    assert ours.read(lambda session: session.scalars(select(Site.code)).all()) == ["KLK"]


def test_of_work_that_breaks_nothing_is_written(app: Flask) -> None:
    def work(session: Session) -> None:
        add_site(session, "KLK")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Transactions().write(work)
    assert Transactions().read(lambda session: session.scalars(select(Site)).all()) == []
