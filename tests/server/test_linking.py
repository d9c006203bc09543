"""Runs over the whole registry as the settings say, at night and at a word."""

import dataclasses
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.config import ConfigError, Settings
from server.jobs import JOBS, run_job
from server.linking import parse_spark_settings
from server.processing import process_pending
from sync.link_models import add_model, keep_model
from sync.linkage.model import default_model
from sync.models import JobRun, LinkPair, LinkReport, LinkSample, PersonRecord
from sync.registry import registry_digest
from tests.sync.factory import NOW
from tests.sync.meetings import AWA, AWA_AGAIN, meet, persons, prepare

# Weighs too little against Awa to be asked about.
LIGHT = dataclasses.replace(AWA, prenoms="Sira", naissance="1992-01-01", mere="Ndella Diouf")
NIGHTLY, SHADOWS = (next(one for one in JOBS if one.name == name) for name in ("link_anew", "weigh_shadows"))


def test_a_night_without_persons_leaves_no_report(app: Flask, session: Session) -> None:
    assert run_job(NIGHTLY) == {}


def test_a_night_finds_what_was_overlooked_draws_a_sample_and_reports(app: Flask, session: Session) -> None:
    prepare(session)
    meet(session, "uuid:1", AWA)
    meet(session, "uuid:2", AWA_AGAIN)
    meet(session, "uuid:3", LIGHT)
    before = registry_digest(session)
    session.execute(delete(LinkPair))
    session.execute(update(PersonRecord).values(person_id=PersonRecord.home_id))
    session.commit()
    run_job(NIGHTLY)
    session.expire_all()
    assert (registry_digest(session), len(persons(session))) == (before, 2)
    [kept] = session.scalars(select(JobRun.details).where(JobRun.job == "link_anew"))
    [report] = session.scalars(select(LinkReport))
    assert (kept["joined"], kept["overlooked"], kept["crowded"]) == (1, 1, 0)
    assert kept["link_reports"] == {default_model().version: report.id}
    assert (report.content["records"], report.content["overlooked"]) == (3, 1)
    [drawn] = session.scalars(select(LinkSample.bits))
    assert -4 < drawn < 0
    assert "Awa" not in f"{kept} {report.content}"
    assert not list(Path(app.extensions["teral_settings"].data_dir).glob("link-run-*"))


def test_a_night_without_shadows_weighs_none(app: Flask, session: Session) -> None:
    prepare(session)
    meet(session, "uuid:1", AWA)
    assert run_job(SHADOWS) == {}


@pytest.mark.slow
def test_a_night_tells_what_each_shadow_would_change(app: Flask, session: Session) -> None:
    prepare(session)
    meet(session, "uuid:1", AWA)
    meet(session, "uuid:2", AWA_AGAIN)
    rivals = [dataclasses.replace(default_model(), link_at=link_at) for link_at in (100.0, 200.0)]
    for one in rivals:
        add_model(session, one, None, NOW)
        keep_model(session, one.version, None, NOW)
    session.commit()
    process_pending()
    told = run_job(SHADOWS)
    parted = {one.id: one.content["parted"] for one in session.scalars(select(LinkReport))}
    assert {version: parted[number] for version, number in told["link_reports"].items()} == {
        one.version: 1 for one in rivals
    }
    assert len(persons(session)) == 1


def test_settings_of_spark_are_read_as_a_list() -> None:
    given = dataclasses.replace(Settings(), spark_settings="spark.executor.memory=4g, spark.cores.max=8,")
    assert parse_spark_settings(given) == {"spark.executor.memory": "4g", "spark.cores.max": "8"}


@pytest.mark.parametrize("text", ["spark.cores.max", "memory=4g", "spark.x="])
def test_other_words_are_no_settings_of_spark(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_spark_settings(dataclasses.replace(Settings(), spark_settings=text))
