from sync.linkage.calibration import Label
from sync.linkage.decision import Pair, Question
from sync.linkage.fairness import GroupFigures, expect_fairness, measure_fairness, take_census
from sync.linkage.record import LinkRecord

# Twenty of one nationality whose name is common, twenty of another with a name each.
RECORDS = [
    *(LinkRecord(f"c{number:02}", family_name="Diallo", nationality="GIN", sex="2") for number in range(20)),
    *(
        LinkRecord(f"r{number:02}", family_name=f"Name{'x' * number}", nationality="SEN", sex="1")
        for number in range(20)
    ),
]
PAIRED = [("c00", "c01"), ("r00", "r01"), ("r02", "r03")]
PERSONS = [*PAIRED, *((one.record_id,) for one in RECORDS if not any(one.record_id in pair for pair in PAIRED))]
QUESTIONS = [Question(Pair("c02", "c03", 5.0), "weight"), Question(Pair("c02", "r04", 4.0), "weight")]
LABELS = [
    Label("c00", "c01", same=False),
    Label("c04", "c05", same=True),
    Label("r00", "r01", same=True),
    Label("c00", "not here", same=True),
]


def measure(*more: Label) -> dict[tuple[str, str], GroupFigures]:
    return {
        (one.kind, one.value): one
        for one in measure_fairness(take_census(RECORDS), PERSONS, QUESTIONS, [*LABELS, *more])
    }


def test_figures_of_a_group_are_of_its_records_alone() -> None:
    found = measure()
    assert found["nationality", "GIN"] == GroupFigures("nationality", "GIN", 20, 0.1, 0.15, 2, 0.0, 0.0)
    assert found["nationality", "SEN"] == GroupFigures("nationality", "SEN", 20, 0.2, 0.05, 1, 1.0, 1.0)
    assert found["sex", "2"].labels == 2


def test_groups_that_are_too_small_are_not_told() -> None:
    assert not [kind for kind, _ in measure() if kind == "name frequency"]


def test_tenths_go_from_rare_names_to_common_ones() -> None:
    groups = take_census(RECORDS).list_groups()
    assert [len(groups["name frequency", str(tenth)]) for tenth in range(1, 11)] == [4] * 10
    assert all(record.startswith("r") for record in groups["name frequency", "1"])
    assert all(record.startswith("c") for record in groups["name frequency", "10"])


def test_without_labels_nothing_is_said_about_right_and_wrong() -> None:
    [first, *_] = measure_fairness(take_census(RECORDS), PERSONS, QUESTIONS, [])
    assert (first.labels, first.precision, first.recall) == (0, None, None)


def test_a_label_counts_for_the_pairs_that_it_was_drawn_from_and_is_never_the_whole_figure() -> None:
    complaint, drawn = Label("r02", "r03", same=False, stands_for=0.0), Label("r02", "r03", same=False, stands_for=3.0)
    assert measure(complaint)["sex", "1"].precision == 1.0
    assert measure(drawn)["sex", "1"].precision == 1 / 4
    missed = Label("r05", "r06", same=True, stands_for=100_000.0)
    assert measure(missed)["sex", "1"].recall == 1 / 21


def test_without_labels_the_weights_tell_what_to_expect() -> None:
    weighed = [Pair("c00", "c01", 0.0), Pair("c04", "c05", 0.0), Pair("r00", "r01", 60.0), Pair("r05", "r06", -60.0)]
    found = {(one.kind, one.value): one for one in expect_fairness(RECORDS, PERSONS, QUESTIONS, weighed)}
    assert found["nationality", "GIN"] == GroupFigures("nationality", "GIN", 20, 0.1, 0.15, 0, 0.5, 0.5)
    assert found["nationality", "SEN"] == GroupFigures("nationality", "SEN", 20, 0.2, 0.05, 0, 1.0, 1.0)
