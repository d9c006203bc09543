"""Commands run on the test's own database, as an administrator runs them."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from server.cli import main
from server.config import Settings

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `teral …`."""
    monkeypatch.setenv("TERAL_DATA_DIR", settings.data_dir)
    monkeypatch.setenv("TERAL_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("TERAL_SECRET_KEY", settings.secret_key)
    return lambda *arguments: CliRunner().invoke(main, [str(one) for one in arguments])
