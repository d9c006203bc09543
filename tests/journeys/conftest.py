"""Tablets at a site of their own, on one server for all stories of follow-up lists."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.outposts import Officers, Outposts, outposts


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Outposts]:
    with outposts(tmp_path_factory.mktemp("outposts"), sqlite_template) as place:
        yield place


@pytest.fixture
def site(place: Outposts) -> str:
    return place.site()


@pytest.fixture
def a(place: Outposts, site: str) -> Officers:
    return place.tablet(site)


@pytest.fixture
def b(place: Outposts, site: str) -> Officers:
    return place.tablet(site)
