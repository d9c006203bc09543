"""What we ask of pyodk against ourselves, asked of the real Central: an oracle of the oracle.

Left out is what Central has not: filters on answers and properties, and form ids with a slash in the fallback.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyodk.client import Client

from tests.central.backend import EMAIL, PASSWORD, Central
from tests.server.rest import test_pyodk as asked
from tests.server.rest.samples import workbook
from tests.server.rest.test_pyodk import (  # noqa: F401 (collected here as well)
    fruits,
    test_a_form_id_is_taken_once,
    test_a_wrong_password_is_told,
    test_entities_are_merged,
    test_entity_lists,
    test_forms_are_updated,
    test_records_are_edited_reviewed_and_commented,
    test_records_under_any_name,
)

pytestmark = pytest.mark.central


class Settings:
    """As much of a server's settings as those tests need."""

    def __init__(self, central: Central, folder: Path) -> None:
        self.base_url, self.data_path = central.url, folder


@pytest.fixture(scope="module")
def settings(central: Central, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(central, tmp_path_factory.mktemp("pyodk"))


@pytest.fixture(scope="module")
def config(central: Central, settings: Settings) -> Path:
    path = settings.data_path / "pyodk.toml"
    told = f'base_url = "{central.url}"\nusername = "{EMAIL}"\npassword = "{PASSWORD}"\n'
    path.write_text(f"[central]\n{told}default_project_id = {central.add_project('pyodk').id}\n")
    return path


@pytest.fixture(scope="module")
def client(config: Path) -> Iterator[Client]:
    with Client(config_path=config, cache_path=config.with_name("cache.toml")) as client:
        for form_id in (asked.CHECK, asked.SPECIALS, "fruits"):
            client.forms.create(definition=workbook(asked.pulling(form_id, "1")))
        yield client


def test_app_users_are_made_once(client: Client) -> None:
    made = client.projects.create_app_users(display_names=["Awa ✅", "Binta"], forms=[asked.CHECK, asked.SPECIALS])
    assert [one.displayName for one in made] == ["Awa ✅", "Binta"]
    assert client.projects.create_app_users(display_names=["Awa ✅"]) == []
