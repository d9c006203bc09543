"""The programme file: what it says is found again, and what it cannot mean is refused by name."""

from pathlib import Path
from typing import Any

import pytest

from forms.programme import (
    SITE_KINDS,
    FormPolicy,
    ListPolicy,
    MergePolicy,
    ProgrammeRefused,
    load_programme,
    parse_programme,
)

PROGRAMME = load_programme()


def test_each_form_goes_to_the_site_kinds_named() -> None:
    kinds = {form_id: policy.site_kinds for form_id, policy in PROGRAMME.forms.items()}
    assert kinds["f02_passage"] == ("border_post", "mobile_patrol")
    assert kinds["f04_arrivee"] == ("centre",)


def test_a_form_without_an_entry_goes_to_all_kinds() -> None:
    assert PROGRAMME.policy_for("somebody_elses") == FormPolicy("somebody_elses", site_kinds=SITE_KINDS)


def test_retention_says_what_lives_how_long_after_what() -> None:
    rules = PROGRAMME.policy_for("f02_passage").retention
    assert [(one.what, one.keep, one.after, one.then) for one in rules] == [
        ("identity", "P12M", "event", "pseudonymise"),
        ("counts", None, "event", "keep"),
    ]


@pytest.mark.parametrize(
    ("form_id", "path", "data_class"),
    [
        pytest.param("f02_passage", "/data/passage/sens", "D2", id="a movement"),
        pytest.param("f02_passage", "/data/voyageurs[2]/identite/nom", "D3", id="an identity in a repeat"),
        pytest.param("f02_passage", "/data/suite/vuln", "D4", id="a need"),
        pytest.param("f02_passage", "/data/deviceid", "D7", id="the tablet, in every form"),
        pytest.param("somebody_elses", "/data/start", "D1", id="the common block of an unlisted form"),
        pytest.param("somebody_elses", "/data/whatever", "D3", id="what nobody classed may name a person"),
    ],
)
def test_every_field_has_a_class(form_id: str, path: str, data_class: str) -> None:
    assert PROGRAMME.data_class(form_id, path) == data_class


def test_a_whole_path_wins_over_a_name() -> None:
    classes = {"D4": ["note"], "D1": ["/data/site/note"]}
    programme = parse_programme({"forms": {"f": {"data_classes": classes}}})
    assert [programme.data_class("f", path) for path in ("/data/site/note", "/data/note")] == ["D1", "D4"]


def test_the_forms_own_line_wins_over_the_common_one() -> None:
    programme = parse_programme({"data_classes": {"D1": ["site"]}, "forms": {"f": {"data_classes": {"D2": ["site"]}}}})
    assert [programme.data_class(form, "/data/site") for form in ("f", "g")] == ["D2", "D1"]


def _form(**policy: Any) -> dict[str, Any]:
    return {"forms": {"f01": policy}}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param({"form": {}}, "programme.toml: the key “form” is not known", id="an unknown section"),
        pytest.param(_form(cadense="daily"), "forms.f01: the key “cadense” is not known", id="an unknown key"),
        pytest.param(_form(site_kinds=["post"]), "“post” is not one of border_post", id="an unknown site kind"),
        pytest.param(_form(site_kinds="centre"), "site_kinds must be a list of names", id="one kind without a list"),
        pytest.param(_form(cadence="hourly"), "“hourly” is not one of daily", id="an unknown cadence"),
        pytest.param(_form(urgent="no"), "urgent must be true or false", id="a flag in words"),
        pytest.param(
            _form(legal_basis={"fr": 1}), "legal_basis must be a table of texts", id="a basis that is no text"
        ),
        pytest.param(_form(data_classes={"D9": ["x"]}), "“D9” is not one of D1", id="an unknown class"),
        pytest.param(_form(data_classes=["x"]), "data_classes must be a table", id="classes without a table"),
        pytest.param(
            _form(data_classes={"D1": ["x"], "D2": ["x"]}), "“x” has two data classes, D1 and D2", id="two classes"
        ),
        pytest.param(_form(retention={}), "retention must be a list of rules", id="retention without a list"),
        pytest.param(
            _form(retention=[{"what": "x", "keep": "12 months", "after": "event", "then": "erase"}]),
            "keep must be a duration",
            id="a duration in words",
        ),
        pytest.param(_form(retention=[{"what": "x", "then": "erase"}]), "“” is not one of event", id="after nothing"),
        pytest.param(
            {"lists": {"l": {"region_kinds": ["post"]}}}, "“post” is not one of border_post", id="no such kind"
        ),
        pytest.param({"lists": {"l": {"follows": "m"}}}, "parent_property beside follows", id="follows nobody"),
        pytest.param({"lists": {"l": {"open_days": 30}}}, "open_days and date_property together", id="days of nothing"),
        pytest.param(
            {"lists": {"l": {"open_days": "30", "date_property": "d"}}}, "must be a number of days", id="days in words"
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(data: dict[str, Any], said: str) -> None:
    with pytest.raises(ProgrammeRefused) as refused:
        parse_programme(data)
    assert said in str(refused.value)


@pytest.mark.parametrize("written", [b"forms = [", b"\xff\xfe"], ids=["not TOML", "not UTF-8"])
def test_an_unreadable_file_is_refused(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "programme.toml"
    path.write_bytes(written)
    with pytest.raises(ProgrammeRefused, match="cannot be read"):
        load_programme(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProgrammeRefused, match="cannot be read"):
        load_programme(tmp_path / "absent.toml")


def test_a_property_without_a_class_has_that_of_its_list() -> None:
    policy = ListPolicy("x", data_classes={"a": "D1"}, record_class="D2")
    assert (policy.data_class("a"), policy.data_class("b")) == ("D1", "D2")
    assert policy.merge_policy("a") == MergePolicy()
