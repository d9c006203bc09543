"""`teral forms` from the outside: files in, JSON and exit status out."""

import json
from pathlib import Path
from typing import Any

import pytest

from forms.xlsform import read_form
from tests.sync.entities import ARRIVAL, ASSISTANCE
from tests.sync.factory import PASSAGE


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "passage.md"
    path.write_text(PASSAGE.format(form_id="passage", version="1", title="Passage"))
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "mauvais.md"
    path.write_text(
        "| survey |\n| | type | name | label |\n| | texxt | nom | Nom |\n| settings |\n| | form_id |\n| | x |\n"
    )
    return path


def test_good_form_is_published_though_another_is_refused(run: Any, good: Path, bad: Path) -> None:
    result = run("forms", "publish", bad, good, "--json")
    outcomes = [one["outcome"] for one in json.loads(result.stdout)]
    assert (result.exit_code, outcomes) == (1, ["refused", "new"])


def test_refusal_says_where_and_why_in_both_languages(run: Any, bad: Path) -> None:
    [refused] = json.loads(run("forms", "publish", bad, "--json").stdout)
    [problem] = refused["problems"]
    assert (problem["sheet"], problem["row"]) == ("survey", 2)
    assert set(problem["words"]) == {"fr", "en"}


@pytest.mark.parametrize(
    ("form", "code", "word"),
    [
        pytest.param(
            read_form(ARRIVAL.encode(), "a.md").xml.replace(
                b'entities-version="2024.1.0"', b'entities-version="2026.1.0"'
            ),
            "entities_version",
            "2026.1.0",
            id="a newer entities version",
        ),
        pytest.param(
            ASSISTANCE.replace("select_one_from_file", "select_multiple_from_file").encode(),
            "entity_id_of_several",
            "selected-at",
            id="an entity_id from a select_multiple",
        ),
    ],
)
def test_form_whose_entities_cannot_work_is_refused_with_the_reason(
    run: Any, tmp_path: Path, form: bytes, code: str, word: str
) -> None:
    path = tmp_path / ("forme.xml" if form.startswith(b"<?xml") else "forme.md")
    path.write_bytes(form)
    result = run("forms", "publish", path, "--json")
    [problem] = json.loads(result.stdout)[0]["problems"]
    assert (result.exit_code, problem["code"]) == (1, code)
    assert word in problem["words"]["fr"]


def test_refusal_without_json_goes_to_standard_error(run: Any, bad: Path) -> None:
    result = run("forms", "publish", bad)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "texxt" in result.stderr


def test_other_bytes_under_a_published_version_are_refused(run: Any, good: Path) -> None:
    run("forms", "publish", good)
    good.write_text(good.read_text().replace("Prénoms", "Prénom"))
    result = run("forms", "publish", good, "--json")
    assert json.loads(result.stdout)[0]["problems"][0]["code"] == "published_form_differs"


def test_media_go_with_the_form_that_names_them(run: Any, good: Path, tmp_path: Path) -> None:
    villages = tmp_path / "villages.csv"
    villages.write_text("name,label\nv1,Ndiago\n")
    [published] = json.loads(run("forms", "publish", good, "--media", villages, "--json").stdout)
    assert (published["missing"], published["attachments"]) == ([], ["sites.csv", "villages.csv"])


def test_draft_gets_an_address_and_can_be_published(run: Any, good: Path) -> None:
    [draft] = json.loads(run("forms", "publish", good, "--draft", "--json").stdout)
    assert draft["outcome"] == "draft"
    assert draft["test_url"].endswith("/projects/1/forms/passage/draft")
    assert json.loads(run("forms", "publish-draft", "passage", "--json").stdout)["state"] == "open"


def test_states_can_be_changed_and_are_listed(run: Any, good: Path) -> None:
    run("forms", "publish", good)
    assert run("forms", "state", "passage", "1", "closed").exit_code == 0
    assert [one["state"] for one in json.loads(run("forms", "list", "--json").stdout)] == ["closed"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("state", "autre", "1", "open"), id="state of an unknown form"),
        pytest.param(("publish-draft", "autre"), id="draft of an unknown form"),
    ],
)
def test_what_does_not_exist_is_said_in_one_line(run: Any, arguments: tuple[str, ...]) -> None:
    result = run("forms", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "autre" in result.stderr


def test_check_publishes_nothing_and_says_what_is_doubtful(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "doute.md"
    path.write_text(_sheet("| | integer | age | Âge | . > 5 and . < 3 |"))
    result = run("forms", "check", path, "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, said["outcome"], run("forms", "list").stdout) == (0, "publishable", "")
    [problem] = said["problems"]
    assert (problem["code"], problem["sheet"], problem["row"]) == ("constraint_never_holds", "survey", 2)


def test_what_check_refuses_is_not_published_either(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "faux.md"
    path.write_text(_sheet("| | integer | age | Âge | floor(.) > 1 |"))
    for command in ("check", "publish"):
        result = run("forms", command, path, "--json")
        assert (result.exit_code, "xpath_unknown_function" in result.stdout) == (1, True)


def test_check_prints_place_and_words(run: Any, bad: Path) -> None:
    result = run("forms", "check", bad)
    assert (result.exit_code, "survey:2" in result.stderr) == (1, True)


def _sheet(row: str) -> str:
    head = "| survey |\n| | type | name | label | constraint |\n"
    return f"{head}{row}\n| settings |\n| | form_id |\n| | essai |\n"
