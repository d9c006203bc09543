"""`teral link` on the registry: runs, models, activation."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.config import Settings
from server.processing import process_pending
from sync.link_models import add_model, keep_model
from sync.link_reports import read_latest_reports
from sync.link_rows import add_keys
from sync.linkage.blocking import MOST_COMMON, Key
from sync.linkage.model import default_model
from sync.models import LinkActivation, LinkMember, LinkProgress
from tests.server.cli.conftest import Run
from tests.sync.factory import NOW, add_site
from tests.sync.meetings import AWA, AWA_AGAIN, meet, persons, prepare

TIMID = replace(default_model(), link_at=200.0)
BOLD = replace(default_model(), link_at=12.0)


@pytest.fixture
def two_models(session: Session) -> None:
    prepare(session)
    meet(session, "uuid:1", AWA)
    meet(session, "uuid:2", AWA_AGAIN)
    add_model(session, TIMID, None, NOW)
    session.commit()


def test_a_run_of_another_model_tells_what_it_would_change(
    run: Run, session: Session, two_models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERAL_LINK_ENGINE", "spark")
    said = json.loads(run("link", "run", "--model", TIMID.version, "--engine", "duckdb", "--json").stdout)
    assert (said["model"], said["records"], said["joined"], said["parted"]) == (TIMID.version, 2, 0, 1)
    assert len(persons(session)) == 1
    kept = {version: one.content for version, one in read_latest_reports(session).items()}
    assert kept == {TIMID.version: said}


def test_an_activation_is_journalled_and_decides_all_anew(run: Run, session: Session, two_models: None) -> None:
    assert run("link", "activate", TIMID.version, "--reason", "essai").exit_code == 0
    process_pending()
    session.expire_all()
    assert len(persons(session)) == 2
    assert session.scalars(select(LinkActivation.reason)).all() == ["", "essai"]
    states = [(one["version"], one["state"]) for one in json.loads(run("link", "models", "--json").stdout)]
    assert states == [(default_model().version, "kept"), (TIMID.version, "active")]
    assert f"{TIMID.version}\tactive" in run("link", "models").stdout


def test_a_model_that_the_registry_has_outgrown_is_told_of(run: Run, session: Session, two_models: None) -> None:
    active = session.scalars(select(LinkProgress.model_id)).one()
    assert run("link", "models").stderr == ""
    add_keys(session.connection(), active, {1000 + one: [Key(7)] for one in range(MOST_COMMON + 1)})
    session.commit()
    assert [one["crowded"] for one in json.loads(run("link", "models", "--json").stdout)] == [1, 0]
    for words in (("link", "models"), ("link", "run")):
        assert "1 keys have outgrown this model" in run(*words).stderr


def test_a_model_of_a_file_is_kept_and_may_read_along(
    run: Run, session: Session, two_models: None, tmp_path: Path
) -> None:
    file = tmp_path / "model.json"
    for model, more, state in ((BOLD, [], "kept"), (replace(BOLD, link_at=13.0), ["--shadow"], "shadow")):
        file.write_text(model.to_json(), encoding="utf-8")
        assert run("link", "add", file, *more).stdout.strip() == model.version
        assert f"{model.version}\t{state}" in run("link", "models").stdout
    assert run("link", "activate", BOLD.version, "--reason", "essai").exit_code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prenom,nom\nAwa,Ndiaye\n", "not a linkage model"),
        (default_model().to_json().replace('"link_at": 15.0', '"link_at": NaN'), "not a linkage model"),
        (default_model().to_json().replace('"edition": 3', '"edition": 2'), "another version of Teral"),
    ],
    ids=["a spreadsheet", "no number", "another edition"],
)
def test_a_file_that_is_no_model_is_not_kept(
    run: Run, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    file = tmp_path / "model.json"
    file.write_text(text, encoding="utf-8")
    result = run("link", "add", file)
    assert (result.exit_code, words in result.stderr, "Traceback" in result.output) == (1, True, False)
    assert json.loads(run("link", "models", "--json").stdout) == []


def test_a_shadow_is_dropped_and_forgets(run: Run, session: Session, two_models: None) -> None:
    keep_model(session, TIMID.version, None, NOW)
    session.commit()
    process_pending()
    assert f"{TIMID.version}\tshadow" in run("link", "models").stdout
    assert session.scalar(select(func.count(LinkMember.model_id.distinct()))) == 2
    session.commit()
    assert run("link", "drop", TIMID.version).exit_code == 0
    assert f"{TIMID.version}\tkept" in run("link", "models").stdout
    assert session.scalar(select(func.count(LinkMember.model_id.distinct()))) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("activate", "none", "--reason", "x"), ("run", "--model", "none"), ("train",), ("drop", "none"),
        ("drop", default_model().version),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_line(
    run: Run, two_models: None, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    refused = run("link", *words)
    assert (refused.exit_code, len(refused.stderr.splitlines()), "Traceback" in refused.stderr) == (1, 1, False)


def test_an_engine_that_is_none_is_refused_wherever_all_is_weighed(
    run: Run, session: Session, two_models: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_site(session, "PODOR")
    session.commit()
    file = tmp_path / "register.csv"
    file.write_text("record_id,family_name\n1,Ndiaye\n")
    monkeypatch.setenv("TERAL_LINK_ENGINE", "sparks")
    for words in (("run",), ("import", file, "--register", "Cahier", "--site", "PODOR")):
        refused = run("link", *words)
        assert (refused.exit_code, refused.stderr.splitlines()[-1]) == (
            1, "Error: TERAL_LINK_ENGINE must be one of duckdb, spark.",
        )  # fmt: skip


@pytest.mark.slow
def test_spark_reports_what_duckdb_does(run: Run, two_models: None, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = json.loads(run("link", "run", "--json").stdout)
    monkeypatch.setenv("TERAL_SPARK_MASTER", "local[2]")
    monkeypatch.setenv("TERAL_LINK_ENGINE", "spark")
    assert json.loads(run("link", "run", "--json").stdout) == expected


@pytest.mark.slow
def test_spark_without_java_is_refused_in_words(
    run: Run, two_models: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own: a Java that another test has started would serve again."""
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    words = (sys.executable, "-m", "server.cli", "link", "run", "--engine", "spark")
    refused = subprocess.run(words, env=settings.to_environment(), capture_output=True, text=True, check=False)
    assert (refused.returncode, "It needs Java 17 or later" in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr


def test_a_registry_without_persons_has_nothing_to_run(run: Run) -> None:
    assert json.loads(run("link", "run", "--json").stdout)["records"] == 0


def test_an_import_is_looked_at_first_and_made_when_confirmed(
    run: Run, session: Session, two_models: None, tmp_path: Path
) -> None:
    add_site(session, "PODOR")
    session.commit()
    file = tmp_path / "register.csv"
    file.write_text(
        "record_id,family_name,given_name,sex,birth_date,nationality,birth_place,mother_name\n"
        "1,Ndiaye,Awa,F,17/05/1994,SEN,Podor,Coumba Sarr\n2,Sow,Penda,F,1980,SEN,Matam,\n"
    )
    words = ("link", "import", file, "--register", "Cahier", "--site", "PODOR", "--json")
    result = run(*words)
    looked, expected = json.loads(result.stdout), {"new": 2, "here_before": 0, "persons_before": 1, "persons": 2}
    assert looked.items() >= (expected | {"joined": 1, "questions": 0}).items()
    assert ("document_number" in result.stderr, "document_number" in looked["columns_missing"]) == (True, True)
    assert len(persons(session)) == 1
    session.commit()
    assert json.loads(run(*words, "--confirm").stdout).items() >= {"taken_in": 2, "here_before": 0}.items()
    assert len(persons(session)) == 2
    assert json.loads(run(*words, "--confirm").stdout).items() >= {"taken_in": 0, "here_before": 2}.items()


def test_an_import_without_names_of_its_records_is_refused(
    run: Run, session: Session, two_models: None, tmp_path: Path
) -> None:
    """Numbered by their lines, the same people would come in once more as soon as somebody adds a line."""
    add_site(session, "PODOR")
    session.commit()
    file = tmp_path / "register.csv"
    file.write_text("family_name,given_name\nSow,Penda\n")
    refused = run("link", "import", file, "--register", "Cahier", "--site", "PODOR", "--confirm")
    assert (refused.exit_code, "record_id" in refused.stderr) == (1, True)
    unnamed = run("link", "import", file, "--register", " ", "--site", "PODOR", "--confirm")
    assert (unnamed.exit_code, "Name the register" in unnamed.stderr) == (2, True)
    assert len(persons(session)) == 1
