"""The migrated schema and the models say the same, and migrations are numbered."""

import pytest
from flask import Flask

from server.database import MIGRATIONS, list_differences, migrate
from server.extensions import db


@pytest.mark.both_databases
def test_migrated_schema_equals_the_models(app: Flask) -> None:
    assert list_differences(db.engine) == []


@pytest.mark.both_databases
def test_migrating_again_changes_nothing(app: Flask) -> None:
    migrate(db.engine)
    assert list_differences(db.engine) == []


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
