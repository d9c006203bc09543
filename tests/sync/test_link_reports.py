"""What runs found stays beside the models that ran."""

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from sync import link_reports
from sync.link_models import add_model
from sync.link_reports import add_report, list_reports, read_latest_reports
from sync.linkage.model import default_model
from tests.sync.factory import NOW

MODELS = [default_model(), replace(default_model(), link_at=20.0)]


@pytest.fixture
def versions(session: Session) -> list[str]:
    return [add_model(session, one, None, NOW).version for one in MODELS]


@pytest.mark.both_databases
def test_the_latest_report_on_each_model_comes_first(session: Session, versions: list[str]) -> None:
    for joined, version in ((1, versions[0]), (2, versions[1]), (3, versions[0])):
        add_report(session, version, {"joined": joined}, NOW)
    assert [one.content["joined"] for one in list_reports(session, versions[0])] == [3, 1]
    latest = read_latest_reports(session)
    assert {version: one.content["joined"] for version, one in latest.items()} == {versions[0]: 3, versions[1]: 2}


@pytest.mark.both_databases
def test_a_model_keeps_its_newest_reports(
    session: Session, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_reports, "_KEPT", 2)
    for joined, version in ((1, versions[0]), (9, versions[1]), (2, versions[0]), (3, versions[0])):
        add_report(session, version, {"joined": joined}, NOW)
    kept = [[one.content["joined"] for one in list_reports(session, version)] for version in versions]
    assert kept == [[3, 2], [9]]
