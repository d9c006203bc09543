"""Runs of a linkage model over the whole registry, as the settings say: for the nightly job and the command line."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from server.config import ConfigError, Settings
from server.extensions import db
from server.processing import process_pending
from server.relay import current_settings
from server.run_folders import open_run_folder
from sync.db import begin_write
from sync.intake import Sender
from sync.legacy import Taken, publish_legacy_form, take_in
from sync.link_fold import look_again
from sync.link_labels import read_labels
from sync.link_models import activate_model, add_model, drop_model, find_linking, get_model, keep_model, list_models
from sync.link_reports import add_report
from sync.link_rows import count_crowded
from sync.link_samples import draw_samples
from sync.linkage.model import LinkModel, default_model
from sync.linkage.record import LinkRecord
from sync.linkage.training import train_model
from sync.registry import lock_registry

if TYPE_CHECKING:
    from sync.link_runs import Engine, Run

# So many records are taken in, or decided anew, in one transaction: tablets wait for it.
_AT_ONCE = 50


def run_registry(model: LinkModel | None = None, engine: str | None = None) -> "Run | None":
    """What a model, or the active one, makes of the registry, by the settings' engine or another; None while empty.

    What the active one has overlooked is decided anew, a few pairs are drawn to measure it, and the report is kept.
    That is all that is changed.
    """
    from sync.link_runs import run_model

    with Session(db.engine) as session, open_run_folder(current_settings()) as folder:
        linking = find_linking(session)
        if linking is None:
            return None
        found = run_model(session, model or linking.model, _choose_engine(engine), folder)
    if found.model == linking.model.version:
        _repair(found.overlooked)
        _draw_samples()
    _keep_report(found)
    return found


def look_ahead(records: Sequence[LinkRecord]) -> "Run":
    """What would become of the registry if these records came; nothing is changed."""
    from sync.link_runs import run_model

    with Session(db.engine) as session, open_run_folder(current_settings()) as folder:
        linking = find_linking(session)
        model = linking.model if linking else default_model()
        return run_model(session, model, _choose_engine(), folder, records)


def import_register(records: Sequence[LinkRecord], register: str, site_id: int) -> Taken:
    """Take in the records of an older register, some at a time, and process them; safe to repeat and to interrupt."""
    with Session(db.engine) as session:
        begin_write(session)
        publish_legacy_form(session, None, datetime.now(UTC))
        session.commit()
    new = 0
    for start in range(0, len(records), _AT_ONCE):
        with Session(db.engine) as session:
            begin_write(session)
            some, now = records[start : start + _AT_ONCE], datetime.now(UTC)
            new += take_in(session, some, register, Sender(site_id=site_id), now).new
            session.commit()
    process_pending()
    return Taken(new, len(records) - new)


def read_model(version: str) -> LinkModel:
    """The kept model of this version, or LinkModelRefused."""
    with Session(db.engine) as session:
        return get_model(session, version)


def learn_from_registry(*, shadow: bool) -> LinkModel:
    """Learn a model from all records and what people decided, and keep it; a shadow reads along from now on."""
    from sync.link_runs import read_records

    with Session(db.engine) as session:
        linking = find_linking(session)
        base = linking.model if linking else default_model()
        model = train_model(list(read_records(session)), base, read_labels(session))
    keep(model, shadow=shadow)
    return model


def keep(model: LinkModel, *, shadow: bool) -> None:
    """Keep a model for later; a shadow reads along from now on."""
    with Session(db.engine) as session:
        begin_write(session)
        lock_registry(session)
        add_model(session, model, None, datetime.now(UTC))
        if shadow:
            keep_model(session, model.version, None, datetime.now(UTC))
        session.commit()


def list_states() -> list[dict[str, Any]]:
    """The models of the registry, oldest first, each with what it does and how many keys have outgrown it."""
    with Session(db.engine) as session:
        return [
            {
                "version": one.version,
                "state": state,
                "added_at": one.added_at.isoformat(),
                "crowded": count_crowded(session.connection(), one.id),
            }
            for one, state in list_models(session)
        ]


def activate(version: str, reason: str) -> None:
    """Make a kept model the active one as soon as it has read all records, or LinkModelRefused; journalled."""
    with Session(db.engine) as session:
        begin_write(session)
        lock_registry(session)
        activate_model(session, version, None, reason, datetime.now(UTC))
        session.commit()


def drop(version: str) -> None:
    """Let a model that reads along read no more, and forget what it read, or LinkModelRefused."""
    with Session(db.engine) as session:
        begin_write(session)
        lock_registry(session)
        drop_model(session, version, None, datetime.now(UTC))
        session.commit()


def describe_run(run: "Run") -> dict[str, Any]:
    """The run as JSON can hold it. Nothing in it is about one person: of records that were overlooked, how many."""
    return {**asdict(run), "overlooked": len(run.overlooked)}


def _keep_report(found: "Run") -> None:
    with Session(db.engine) as session:
        begin_write(session)
        add_report(session, found.model, describe_run(found), datetime.now(UTC))
        session.commit()


def _repair(homes: Sequence[int]) -> None:
    for start in range(0, len(homes), _AT_ONCE):
        with Session(db.engine) as session:
            begin_write(session)
            lock_registry(session)
            look_again(session, homes[start : start + _AT_ONCE], datetime.now(UTC))
            session.commit()


def _draw_samples() -> None:
    with Session(db.engine) as session:
        begin_write(session)
        lock_registry(session)
        draw_samples(session, datetime.now(UTC))
        session.commit()


def _choose_engine(name: str | None = None) -> "Engine":
    settings = current_settings()
    use = _ENGINES.get(name or settings.link_engine)
    if use is None:
        raise ConfigError(f"TERAL_LINK_ENGINE must be one of {', '.join(_ENGINES)}.")
    return use(settings)


def _use_duckdb(_settings: Settings) -> "Engine":
    from sync.linkage.batch import weigh_with_duckdb

    return weigh_with_duckdb


def _use_spark(settings: Settings) -> "Engine":
    try:
        from sync.linkage.spark import weigh_with_spark
    except ImportError:
        raise ConfigError("Spark is not installed: pip install 'teral[spark]', and Java 17 or later.") from None
    return partial(weigh_with_spark, master=settings.spark_master, settings=parse_spark_settings(settings))


_ENGINES: dict[str, Callable[[Settings], "Engine"]] = {"duckdb": _use_duckdb, "spark": _use_spark}


def parse_spark_settings(settings: Settings) -> dict[str, str]:
    """Spark's own settings, or ConfigError where they are no list of name=value."""
    pairs = [one.strip().partition("=") for one in settings.spark_settings.split(",") if one.strip()]
    if any(not name.startswith("spark.") or not value for name, _, value in pairs):
        raise ConfigError("TERAL_SPARK_SETTINGS must be spark.name=value, separated by commas.")
    return {name: value for name, _, value in pairs}
