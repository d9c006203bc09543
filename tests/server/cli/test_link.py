"""`teral link` from the outside."""

import csv
import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks.regional.recording import make_records
from server.cli import main
from sync.linkage.files import link_records
from sync.linkage.model import default_model
from sync.linkage.record import parse_record

ROWS, _ = make_records(300, seed=6)


def run(*arguments: object, **given: Any) -> Result:
    return CliRunner().invoke(main, ["link", *map(str, arguments)], **given)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "records.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ROWS[0])
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def test_every_record_has_a_cluster_and_every_candidate_a_score(records: Path, tmp_path: Path) -> None:
    clusters, pairs = tmp_path / "clusters.csv", tmp_path / "pairs.csv"
    said = json.loads(run("file", records, "--clusters", clusters, "--pairs", pairs, "--json").stdout)
    assert {row["record_id"] for row in read(clusters)} == {row["record_id"] for row in ROWS}
    assert len({row["cluster_id"] for row in read(clusters)}) == said["persons"] < len(ROWS)
    assert list(read(pairs)[0]) == ["record_id_l", "record_id_r", "score"]


def test_a_file_is_linked_by_the_model_learnt_from_it(records: Path, tmp_path: Path) -> None:
    model, clusters = tmp_path / "model.json", tmp_path / "clusters.csv"
    learnt = json.loads(run("train", records, "--model", model, "--json").stdout)
    given = json.loads(run("file", records, "--clusters", clusters, "--model", model, "--json").stdout)
    at_once = json.loads(run("file", records, "--clusters", clusters, "--train", "--json").stdout)
    assert (given["model"], at_once) == (learnt["model"], given)
    assert (learnt["fairness"], learnt["fairness_by"]) == (given["fairness"], "model")
    assert {one["kind"] for one in given["fairness"]} == {"nationality", "sex", "name frequency"}
    assert all(0 < one["recall"] <= 1 and one["labels"] == 0 for one in given["fairness"] if one["linked"])


def test_people_read_figures_line_by_line(records: Path, tmp_path: Path) -> None:
    for words in (("file", records, "--clusters", tmp_path / "clusters.csv"),
                  ("train", records, "--model", tmp_path / "model.json")):  # fmt: skip
        told = run(*words).stdout
        assert f"records: {len(ROWS)}" in told
        assert re.search(r"^sex 2: \d+ records, linked 0\.\d+, .* \(no label: as the weights let expect\)$", told, re.M)


def test_a_threshold_decides_how_much_it_takes_to_link(records: Path, tmp_path: Path) -> None:
    words = ("file", records, "--clusters", tmp_path / "clusters.csv", "--json")
    persons = [json.loads(run(*words, "--threshold", bits).stdout)["persons"] for bits in (8, 25, 900)]
    assert persons[0] < persons[1] < persons[2] == len(ROWS)


def test_pairs_hold_the_bits_at_which_groups_join_and_at_most_none_where_they_do_not(
    records: Path, tmp_path: Path
) -> None:
    clusters, pairs = tmp_path / "clusters.csv", tmp_path / "pairs.csv"
    said = json.loads(run("file", records, "--clusters", clusters, "--pairs", pairs, "--json").stdout)
    told = {(row["record_id_l"], row["record_id_r"]): float(row["score"]) for row in read(pairs)}
    linked = link_records([parse_record(row) for row in ROWS], default_model())
    alone = {(one.one, one.other): one.bits for one in linked.weighed}
    assert alone.keys() <= told.keys()
    assert said["pairs"] == len(alone)
    for ends, bits in told.items():
        assert bits >= 0 or bits == pytest.approx(alone[ends], abs=1e-3), ends
    assert any(bits > 1 + alone.get(ends, -1) for ends, bits in told.items() if bits > 0)
    assert [bits for ends, bits in told.items() if bits == 0 < alone[ends]] != []


@pytest.mark.parametrize(("language", "words"), [("fr_SN", "aucune fiche"), ("en_GB", "no records")])
def test_a_file_without_records_says_so(tmp_path: Path, language: str, words: str) -> None:
    (tmp_path / "none.csv").write_text("record_id,sex\n")
    for arguments in (["file", "--clusters"], ["train", "--model"]):
        result = run(arguments[0], tmp_path / "none.csv", arguments[1], tmp_path / "out", env={"LANG": language})
        assert (result.exit_code, words in result.stderr) == (1, True)


def test_a_file_that_is_no_model_says_so(records: Path, tmp_path: Path) -> None:
    result = run("file", records, "--clusters", tmp_path / "out", "--model", records, env={"LANG": "en"})
    assert (result.exit_code, "not a linkage model" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("language", "words"), [("fr_SN", "Voulez-vous dire « given_name »"), ("en_GB", "Do you mean “given_name”")]
)
def test_what_was_not_understood_of_a_file_is_told_and_the_rest_is_linked(
    tmp_path: Path, language: str, words: str
) -> None:
    file, clusters = tmp_path / "register.csv", tmp_path / "out.csv"
    file.write_bytes("record_id;Prénom;family_name;age\n1;Awa;Ndiaye;vieille\n2;Awa;Ndiaye;\n".encode("cp1252"))
    result = run("file", file, "--clusters", clusters, "--json", env={"LANG": language})
    said = json.loads(result.stdout)
    assert (said["columns_unknown"], said["values_unread"]) == ({"prénom": "given_name"}, {"age": 1})
    assert (words in result.stderr.replace("\xa0", " "), len(read(clusters))) == (True, 2)


@pytest.mark.parametrize("command", ["file r.csv --clusters r.csv", "file r.csv --clusters o.csv --pairs o.csv",
                                     "train r.csv --model ./r.csv"])  # fmt: skip
def test_what_is_written_takes_the_place_of_nothing_that_is_read(
    records: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    before = records.rename(records.with_name("r.csv")).read_bytes()
    monkeypatch.chdir(records.parent)
    assert run(*command.split()).exit_code == 2
    assert [(one.name, one.read_bytes()) for one in records.parent.iterdir()] == [("r.csv", before)]


def test_a_folder_that_is_not_there_is_told_in_one_line_before_anything_is_read(tmp_path: Path) -> None:
    records, target = tmp_path / "no-records.csv", tmp_path / "nowhere" / "out"
    records.touch()
    for arguments in (["file", records, "--clusters", tmp_path / "out", "--pairs", target],
                      ["train", records, "--model", target]):  # fmt: skip
        result = run(*arguments)
        assert (result.exit_code, result.stderr) == (
            1,
            f"Error: {target} was not written: No such file or directory.\n",
        )


def test_whoever_has_no_document_and_no_known_mother_is_nobody_elses_relative(tmp_path: Path) -> None:
    file, clusters = tmp_path / "register.csv", tmp_path / "out.csv"
    rows = [f"{one},Awa,{family},F,{20 + one},Inconnue,CNI,{number},770000000,2026-05-01"
            for one, (family, number) in enumerate(product(("Diallo", "Sow", "Ba"), ("NEANT", "0000")))]  # fmt: skip
    columns = "record_id,given_name,family_name,sex,age,mother_name,document_type,document_number,phone,recorded_on"
    file.write_text("\n".join([columns, *rows]))
    assert json.loads(run("file", file, "--clusters", clusters, "--json").stdout)["persons"] == len(rows)
