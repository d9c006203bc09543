"""The wall as the table states it: who reads what, how it is masked, what small counts say."""

import pytest

from sync.policy import (
    ABSENT,
    DATA_CLASSES,
    PERMISSIONS,
    ROLES,
    TABLE,
    Viewer,
    access,
    list_countable_classes,
    list_row_classes,
    mask,
    may,
    needs_purpose,
    present,
    present_counts,
    reads_plainly,
)

# Those who police the border or run the system; what protects a person is not for them.
NOT_FOR_PROTECTION = ("administrator", "national_supervisor", "site_supervisor", "centre_staff", "data_steward",
                      "form_designer", "auditor")  # fmt: skip


def viewer(role: str) -> Viewer:
    return Viewer(1, role, 1)


def test_every_role_has_a_cell_for_every_class() -> None:
    assert {role: tuple(row) for role, row in TABLE.items()} == dict.fromkeys(ROLES, DATA_CLASSES)


@pytest.mark.parametrize("role", NOT_FOR_PROTECTION)
@pytest.mark.parametrize("data_class", ["D4", "D5"])
def test_needs_and_trafficking_are_read_by_protection_officers_only(role: str, data_class: str) -> None:
    assert present(viewer(role), data_class, "secret").text == ""


@pytest.mark.parametrize(
    ("role", "data_class", "kind", "text"),
    [
        ("protection_officer", "D5", "shown", "Aminata"),
        ("site_supervisor", "D3", "masked", "A•••"),
        ("site_supervisor", "D4", "absent", ""),
        ("auditor", "D4", "absent", ""),
        ("data_steward", "D3", "shown", "Aminata"),
        ("form_designer", "D1", "absent", ""),
        ("centre_staff", "D4", "absent", ""),
    ],
)
def test_a_value_is_shown_masked_or_absent(role: str, data_class: str, kind: str, text: str) -> None:
    presented = present(viewer(role), data_class, "Aminata", "name")
    assert (presented.kind, presented.text) == (kind, text)


@pytest.mark.parametrize(
    ("value", "kind", "masked"),
    [
        ("1998-04-12", "date", "1998-••-••"),
        ("Diallo", "name", "D•••"),
        ("A01234567", "number", "•••67"),
        ("12345", "number", "•••"),
        ("refoule", "text", "•••"),
        ("", "name", ""),
    ],
)
def test_a_mask_leaves_what_tells_records_apart_and_no_more(value: str, kind: str, masked: str) -> None:
    assert mask(value, kind) == masked


def test_an_unknown_role_has_no_access() -> None:
    assert access(viewer("visitor"), "D1").verbs == frozenset()


def test_an_act_that_nobody_listed_is_our_error() -> None:
    with pytest.raises(KeyError):
        may(viewer("administrator"), "launch.rockets")


def test_only_who_reads_every_class_plainly_may_have_raw_xml() -> None:
    assert reads_plainly(viewer("protection_officer"), {"D3", "D4"})
    assert not reads_plainly(viewer("site_supervisor"), {"D2", "D3"})


def test_metadata_rows_are_known_but_own_records_of_nobody_are_not() -> None:
    assert list_row_classes(viewer("auditor")) == set(DATA_CLASSES)
    assert "D4" not in list_row_classes(viewer("centre_staff"))


def test_an_aggregate_reader_gets_suppressed_counts_and_a_reader_the_true_ones() -> None:
    assert present_counts(viewer("national_supervisor"), "D4", {"1": 3}) == {"1": None}
    assert present_counts(viewer("protection_officer"), "D4", {"1": 3}) == {"1": 3}


def test_what_may_only_be_counted_is_not_listed() -> None:
    supervisor = viewer("national_supervisor")
    assert "D5" in list_countable_classes(supervisor) - list_row_classes(supervisor)


def test_identities_open_to_a_national_supervisor_for_a_purpose_only() -> None:
    silent, speaking = viewer("national_supervisor"), Viewer(1, "national_supervisor", None, "oversight")
    assert needs_purpose(silent, "D3")
    assert present(silent, "D3", "Aminata", "name") == ABSENT
    assert not needs_purpose(speaking, "D3")
    assert present(speaking, "D3", "Aminata", "name").text == "A•••"


def test_a_purpose_that_nobody_listed_opens_nothing() -> None:
    assert needs_purpose(Viewer(1, "national_supervisor", None, "curiosity"), "D3")


def test_a_purpose_opens_no_more_than_the_table_says() -> None:
    assert present(Viewer(1, "national_supervisor", None, "oversight"), "D5", "Aminata") == ABSENT


def test_without_a_purpose_a_record_is_known_of_but_says_nothing() -> None:
    assert "D3" in list_row_classes(viewer("national_supervisor"))


@pytest.mark.parametrize(
    ("act", "class_read"),
    [("people.read", "D3"), ("devices.read", "D7"), ("devices.enrol", "D7"), ("audit.read", "D8")],
)
def test_an_act_on_data_is_only_for_roles_that_read_its_class(act: str, class_read: str) -> None:
    assert PERMISSIONS[act] <= {role for role in ROLES if TABLE[role][class_read].sees_rows}
