from sync.linkage.record import COLUMNS
from sync.linkage.remarks import list_remarks, remark_left_out
from sync.linkage.spreadsheet import read_spreadsheet


def test_all_that_was_not_understood_is_said() -> None:
    data = "Nom,shoe size,age,nationality,phone\nSow,38,7,Sengal,771234567\nBa,39,old,SEN,\n"
    assert [one.word() for one in list_remarks(read_spreadsheet(data.encode()))] == [
        "The column “nom” is not known and is not read. Do you mean “family_name”?",
        "The column “shoe_size” is not known and is not read.",
        "There is no column record_id: records are called by their place in the file.",
        "Columns that would help and are not there: family_name, given_name, sex, birth_date, birth_place, mother_name,"
        " document_type, document_number, recorded_on.",
        "Column “age”: values that cannot be read and count as not known: 1.",
        "Column “nationality”: values that are no known country and are compared as written: 1.",
        "Ages that count as not known, as there is no recorded_on to reckon them from: 1.",
    ]


def test_a_file_that_was_understood_needs_no_remark() -> None:
    assert list_remarks(read_spreadsheet(f"{','.join(COLUMNS)}\na{',' * 14}\n".encode())) == []


def test_keys_that_were_not_looked_up_are_said_where_there_are_any() -> None:
    assert remark_left_out(0, 5000) == []
    (remark,) = remark_left_out(3, 5000)
    assert remark.word().startswith("Keys that more than 5000 records share are not looked up: 3.")
