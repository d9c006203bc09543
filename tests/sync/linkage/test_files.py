import pytest

from benchmarks.accuracy import count_mixed
from benchmarks.regional.recording import make_records
from sync.linkage.errors import LinkageRefused
from sync.linkage.files import link_records, list_clusters, read_records
from sync.linkage.record import LinkRecord, parse_record
from tests.sync.linkage.people import MODEL

HEADER = "record_id,family_name,given_name\n"


@pytest.mark.parametrize(
    "data",
    [
        b"record_id,family_name\na,Tour\xc3\xa9\n",
        b"\xef\xbb\xbfrecord_id;family_name\r\na;Tour\xc3\xa9\r\n",
        b"Record ID\tFamily Name\na\tTour\xe9\n",
        "record_id|family_name\na|Touré\n".encode("utf-16"),
        b'"family_name","record_id","other"\n"Tour\xc3\xa9","a","x"\n\n,,\n',
        b"family_name , record_id\nTour\xc3\xa9 , a\n",
    ],
    ids=["plain", "BOM and semicolons", "tabs and cp1252", "UTF-16", "quotes, other columns, blank lines", "spaces"],
)
def test_spreadsheets_as_people_save_them(data: bytes) -> None:
    assert read_records(data) == [LinkRecord("a", family_name="Touré")]


def test_without_ids_records_are_numbered() -> None:
    assert [one.record_id for one in read_records(b"family_name\nSow\nBa\n")] == ["1", "2"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "link_file_columns"),
        (b"x,y\n1,2\n", "link_file_columns"),
        (HEADER.encode(), "link_file_empty"),
        (b"record_id,sex,sex\na,1,1\n", "link_file_column_twice"),
        (b"record_id,sex\n,1\n", "link_file_id_missing"),
        (b"record_id,sex\na,1\na,2\n", "link_file_id_twice"),
        (b"record_id,sex\na,1,2\n", "link_file_malformed"),
        (b'record_id,sex\na,"1\n', "link_file_malformed"),
        (b"record_id,sex\0\n\x81\n", "link_file_encoding"),
        (b"\xff\xfe\x00", "link_file_encoding"),
    ],
    ids=["nothing", "other columns", "no records", "a column twice", "no id", "an id twice", "too many cells",
         "an open quote", "no text", "half a sign"],
)  # fmt: skip
def test_files_that_cannot_be_read_say_why(data: bytes, code: str) -> None:
    with pytest.raises(LinkageRefused) as refused:
        read_records(data)
    assert refused.value.code == code


def test_records_of_one_person_come_together_and_others_do_not() -> None:
    rows, truth = make_records(800, seed=8)
    linked = link_records([parse_record(row) for row in rows], MODEL)
    several = [person for person in linked.decision.persons if len(person) > 1]
    assert (len(several) > 20, count_mixed(several, truth)) == (True, 0)


def test_a_lower_threshold_links_more() -> None:
    records = [parse_record(row) for row in make_records(800, seed=8)[0]]
    persons = [len(link_records(records, MODEL, bits).decision.persons) for bits in (8.0, 25.0)]
    assert persons[0] < persons[1]


def test_clusters_are_named_after_their_first_record() -> None:
    data = HEADER.replace("\n", ",birth_date,mother_name,sex,document_number\n") + (
        "b,Diallo,Fatou,1990-05-17,Awa Ba,2,O1234567\na,Jallow,Fatou,1990-05-17,Awa Ba,2,O1234567\nc,Sow,Ali,,,,\n"
    )
    linked = link_records(read_records(data.encode()), MODEL)
    assert list(list_clusters(linked.decision)) == [("a", "a"), ("b", "a"), ("c", "c")]
