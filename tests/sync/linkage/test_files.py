import pytest

from benchmarks.accuracy import count_mixed
from benchmarks.regional.recording import make_records
from sync.linkage import files
from sync.linkage.files import link_records, list_clusters
from sync.linkage.record import parse_record
from sync.linkage.spreadsheet import read_spreadsheet
from tests.sync.linkage.people import MODEL

HEADER = "record_id,family_name,given_name\n"


def test_records_of_one_person_come_together_and_others_do_not() -> None:
    rows, truth = make_records(800, seed=8)
    linked = link_records([parse_record(row) for row in rows], MODEL)
    several = [person for person in linked.decision.persons if len(person) > 1]
    assert (len(several) > 20, count_mixed(several, truth)) == (True, 0)


def test_a_lower_threshold_links_more() -> None:
    records = [parse_record(row) for row in make_records(800, seed=8)[0]]
    persons = [len(link_records(records, MODEL, bits).decision.persons) for bits in (-20.0, 8.0, 25.0)]
    assert persons[0] <= persons[1] < persons[2] < len(records)


def test_clusters_are_named_after_their_first_record() -> None:
    data = HEADER.replace("\n", ",birth_date,mother_name,sex,document_number\n") + (
        "b,Diallo,Fatou,1990-05-17,Awa Ba,2,O1234567\na,Jallow,Fatou,1990-05-17,Awa Ba,2,O1234567\nc,Sow,Ali,,,,\n"
    )
    linked = link_records(read_spreadsheet(data.encode()).records, MODEL)
    assert list(list_clusters(linked.decision)) == [("a", "a"), ("b", "a"), ("c", "c")]


def test_keys_that_too_many_share_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    data = "record_id,phone,given_name\n" + "".join(f"{number},771234567,Awa\n" for number in range(9))
    records = read_spreadsheet(data.encode()).records
    assert link_records(records, MODEL).left_out == 0
    monkeypatch.setattr(files, "MOST_COMMON", 8)
    linked = link_records(records, MODEL)
    assert (len(linked.weighed), linked.left_out) == (0, 1)
