from datetime import date
from random import Random

from forms.mrz import parse_mrz
from server.tablets.people import invent_person
from server.tablets.zones import write_passport

DAY = date(2026, 3, 2)


def test_zone_of_a_passport_holds_by_all_its_digits() -> None:
    rng = Random(1)
    for _ in range(50):
        person = invent_person(rng).answers(rng, DAY)
        lines = write_passport(person, rng, DAY)
        read = parse_mrz("".join(lines), DAY)
        assert [len(line) for line in lines] == [44, 44]
        assert (read.failed, read.nationality, read.document_number) == (
            (),
            person["nationality"],
            person["document_number"],
        )
