"""The migrated schema and the models say the same."""

from flask import Flask

from server.database import list_differences
from server.extensions import db


def test_migrated_schema_equals_the_models(app: Flask) -> None:
    assert list_differences(db.engine) == []
