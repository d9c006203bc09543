from datetime import date
from random import Random

from server.tablets.people import NATIONALITIES, Population, invent_person

DAY = date(2026, 3, 2)


def test_same_person_is_spelled_in_several_ways() -> None:
    rng = Random(1)
    person = invent_person(rng, "GIN")
    names = {person.answers(rng, DAY)["family_name"] for _ in range(60)}
    assert len({name.upper() for name in names}) > 1


def test_person_says_the_same_of_everything_but_names() -> None:
    rng = Random(1)
    person = invent_person(rng)
    said = [{**person.answers(rng, DAY), "given_names": "", "family_name": "", "mother_name": ""} for _ in range(9)]
    assert all(one == said[0] for one in said)


def test_people_come_from_the_whole_region() -> None:
    rng = Random(1)
    assert {invent_person(rng).nationality for _ in range(300)} == set(NATIONALITIES)


def test_nobody_is_born_after_today() -> None:
    rng = Random(1)
    assert all(invent_person(rng).birth_date < DAY for _ in range(500))


def test_somebody_passes_twice() -> None:
    rng = Random(1)
    population = Population(rng, 3)
    assert len({id(population.meet(rng)) for _ in range(50)}) == 3
