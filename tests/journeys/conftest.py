"""Tablets at a site of their own, on one server for all stories of follow-up lists."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.outposts import Officers, Outposts, outposts
from tests.postgres import create_database, drop_database


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Outposts]:
    folder = tmp_path_factory.mktemp("outposts")
    if request.param == "sqlite":
        shutil.copy(sqlite_template, folder / "teral.db")
        with outposts(folder, "") as place:
            yield place
        return
    url = request.getfixturevalue("postgres_url")
    with outposts(folder, create_database(url, "outposts", "teral")) as place:
        yield place
    drop_database(url, "outposts")


@pytest.fixture
def site(place: Outposts) -> str:
    return place.site()


@pytest.fixture
def a(place: Outposts, site: str) -> Officers:
    return place.tablet(site)


@pytest.fixture
def b(place: Outposts, site: str) -> Officers:
    return place.tablet(site)
