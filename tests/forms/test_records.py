from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from forms.definition import ENCOUNTER_PROPERTIES, PERSON_PROPERTIES
from forms.records import Encounter, PersonRecord, RecordTimes, read_encounters, read_person_records, read_times
from tests.forms.samples import definition, sample_form, sample_submission, submission

REPEAT = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/nom"/></repeat></group>'
FLAT = """<bind nodeset="/data/nom" teral:person="family_name"/><bind nodeset="/data/ne" teral:person="birth_date"/>
  <bind nodeset="/data/age" teral:person="age"/><bind nodeset="/data/sexe" teral:person="sex"/>"""

# The specimen of ICAO 9303 part 4.
ZONE = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<< L898902C36UTO7408122F1204159ZE184226B<<<<<10".replace("<", "&lt;")
ZONED = definition(
    "<start/><today/><nom/><mrz/>",
    """<bind nodeset="/data/start" jr:preload="timestamp" jr:preloadParams="start"/>
       <bind nodeset="/data/today" jr:preload="date" jr:preloadParams="today"/>
       <bind nodeset="/data/nom" teral:person="family_name"/><bind nodeset="/data/mrz" teral:person="mrz"/>""",
)


def test_each_repeat_instance_is_one_person_record() -> None:
    records = read_person_records(sample_form("accueil.md").definition, sample_submission("accueil.xml"))
    assert records == [
        PersonRecord(
            "/data/personnes[1]", 1, given_names="Awa", family_name="Ndiaye", birth_date=date(1994, 5, 1), age=31
        ),
        PersonRecord("/data/personnes[2]", 2, given_names="Moussa"),
    ]


def test_mapping_outside_a_repeat_makes_one_record() -> None:
    form = definition("<nom/><ne/><age/><sexe/>", FLAT)
    record = submission("<nom>Diop</nom><ne>1990-01-01T00:00:00Z</ne><age>36</age><sexe/>")
    assert read_person_records(form, record) == [
        PersonRecord("/data", 1, family_name="Diop", birth_date=date(1990, 1, 1), age=36)
    ]


def test_date_and_age_that_cannot_be_read_leave_the_rest_of_the_record() -> None:
    record = submission("<nom>Diop</nom><ne>vers 1990</ne><age>beaucoup</age>")
    (read,) = read_person_records(definition("<nom/><ne/><age/><sexe/>", FLAT), record)
    assert (read.family_name, read.birth_date, read.age) == ("Diop", None, None)


def test_person_without_name_or_papers_is_a_record() -> None:
    (read,) = read_person_records(definition("<nom/><ne/><age/><sexe/>", FLAT), submission("<sexe>2</sexe>"))
    assert (read.family_name, read.sex) == (None, "2")


def test_empty_row_is_no_record_and_takes_no_position() -> None:
    form = definition("<r><nom/></r>", '<bind nodeset="/data/r/nom" teral:person="family_name"/>', REPEAT)
    records = read_person_records(form, submission("<r><nom/></r><r><nom>Sow</nom></r>"))
    assert [(one.path, one.position) for one in records] == [("/data/r[2]", 1)]


def test_person_of_the_record_comes_before_those_of_a_repeat() -> None:
    binds = """<bind nodeset="/data/nom" teral:person="family_name"/>
      <bind nodeset="/data/r/nom" teral:person="family_name"/>"""
    form = definition("<nom/><r><nom/></r>", binds, REPEAT)
    records = read_person_records(form, submission("<nom>Diop</nom><r><nom>Sow</nom></r>"))
    assert [(one.path, one.position) for one in records] == [("/data", 1), ("/data/r[1]", 2)]


def test_zone_fills_in_what_was_not_typed() -> None:
    record = submission(f"<today>2026-02-03</today><nom>DIALLO</nom><mrz>{ZONE}</mrz>")
    assert read_person_records(ZONED, record) == [
        PersonRecord(
            "/data", 1, given_names="ANNA MARIA", family_name="DIALLO", sex="2", birth_date=date(1974, 8, 12),
            nationality="UTO", document_type="P", document_issuer="UTO", document_number="L898902C3",
        )
    ]  # fmt: skip


@pytest.mark.parametrize("day", ["<start>2026-02-03T08:00:00Z</start>", "<today>2026-02-03</today>"])
def test_part_of_a_zone_whose_digit_is_wrong_is_not_taken(day: str) -> None:
    zone = ZONE.replace("7408122", "7408123").replace("L898902C36", "L898902C37")
    (read,) = read_person_records(ZONED, submission(f"{day}<mrz>{zone}</mrz>"))
    assert (read.family_name, read.document_number, read.birth_date) == ("ERIKSSON", None, None)


def test_unreadable_zone_leaves_what_was_typed() -> None:
    (read,) = read_person_records(ZONED, submission("<nom>Diallo</nom><mrz>ABC</mrz>"))
    assert (read.family_name, read.given_names) == ("Diallo", None)


def test_form_without_claims_gives_nobody_and_no_encounter() -> None:
    form, record = definition("<a/>"), submission("<a>1</a>")
    assert (read_person_records(form, record), read_encounters(form, record)) == ([], [])


def test_encounter_carries_its_claimed_fields() -> None:
    (encounter,) = read_encounters(sample_form("accueil.md").definition, sample_submission("accueil.xml"))
    assert encounter == Encounter("/data", at=datetime(2026, 2, 3, 8, 10, tzinfo=UTC), direction="entree", origin="mr")


def test_blank_encounter_is_none() -> None:
    form = definition("<a/>", '<bind nodeset="/data/a" teral:encounter="kind"/>')
    assert read_encounters(form, submission("<a/>")) == []


def test_times_keep_the_tablets_offset() -> None:
    times = read_times(sample_form("accueil.md").definition, sample_submission("accueil.xml"))
    end = datetime(2026, 2, 3, 8, 42, 30, 500_000, tzinfo=timezone(timedelta(hours=1)))
    assert times == RecordTimes(datetime(2026, 2, 3, 8, 15, tzinfo=UTC), end, date(2026, 2, 3))
    assert times.end is not None
    assert times.end.utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize("start", ["", "<g><start>hier</start></g>"])
def test_times_that_are_absent_or_unreadable_are_none(start: str) -> None:
    form = definition(
        "<g><start/></g>", '<bind nodeset="/data/g/start" jr:preload="timestamp" jr:preloadParams="start"/>'
    )
    assert read_times(form, submission(start)) == RecordTimes()


def test_every_property_of_the_registry_has_its_place() -> None:
    assert set(PERSON_PROPERTIES) - {"mrz"} <= set(PersonRecord.__dataclass_fields__)
    assert set(ENCOUNTER_PROPERTIES) <= set(Encounter.__dataclass_fields__)
