"""Who there is: households of invented persons, as they truly are. What officers write of them is recording.py's."""

import csv
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
SYSTEMS = ("french", "english", "national", "portuguese")
NATIONS = {"SEN": 40, "GMB": 14, "GIN": 14, "MLI": 12, "GNB": 7, "MRT": 6, "SLE": 4, "CIV": 2, "BFA": 1, "NGA": 1}
TODAY = date(2026, 6, 1)


@dataclass(frozen=True, slots=True)
class Name:
    """One name with its spellings, by who writes it."""

    spellings: dict[str, tuple[str, ...]]
    weight: int
    sex: str = ""
    nations: tuple[str, ...] = ()
    pets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    nation: str
    weight: int
    spellings: tuple[str, ...]
    near: tuple[str, ...]


@dataclass(slots=True)
class Person:
    """One human being. `precision` says how well they know their birth: day, year, age or none."""

    number: int
    family: Name
    given: list[Name]
    sex: str
    born: date
    precision: str
    nation: str
    place: Place
    mother: tuple[Name, Name]
    phone: str
    document: tuple[str, str] | None


@dataclass(slots=True)
class Household:
    nation: str
    phone: str
    members: list[Person] = field(default_factory=list)


@cache
def family_names() -> list[Name]:
    return [
        Name(_spellings(row), int(row["weight"]), nations=tuple(row["nations"].split()))
        for row in _rows("family_names")
    ]


@cache
def given_names(sex: str) -> list[Name]:
    return [
        Name(_spellings(row), int(row["weight"]), row["sex"], pets=tuple(filter(None, row["pet"].split("/"))))
        for row in _rows("given_names")
        if row["sex"] == sex
    ]


@cache
def places(nation: str) -> list[Place]:
    return [
        Place(nation, int(row["weight"]), tuple(row["spellings"].split("/")), tuple(row["near"].split("/")))
        for row in _rows("places")
        if row["nation"] == nation
    ]


@cache
def families_of(nation: str) -> list[Name]:
    return [name for name in family_names() if nation in name.nations]


def pick(dice: random.Random, names: list[Name]) -> Name:
    return dice.choices(names, [name.weight for name in names])[0]


def make_households(dice: random.Random, persons: int) -> list[Household]:
    """Households until there are so many persons; some of them share a name and a year with a stranger."""
    made: list[Household] = []
    everybody: list[Person] = []
    while len(everybody) < persons:
        household = _make_household(dice, len(everybody))
        for member in household.members:
            if everybody and dice.random() < 0.03:
                _make_homonym(dice, member, dice.choice(everybody))
        made.append(household)
        everybody += household.members
    return made


def _make_household(dice: random.Random, first: int) -> Household:
    nation = dice.choices(list(NATIONS), list(NATIONS.values()))[0]
    household = Household(nation, make_phone(dice, nation))
    home = dice.choices(places(nation), [place.weight for place in places(nation)])[0]
    size = dice.choices([1, 2, 3, 4, 5, 6, 7, 8], [45, 12, 10, 10, 8, 7, 5, 3])[0]
    head = _make_adult(dice, first, nation, home, "1" if dice.random() < 0.7 else "2", household.phone)
    household.members.append(head)
    if size > 1:
        spouse_sex = "2" if head.sex == "1" else "1"
        spouse = _make_adult(dice, first + 1, nation, home, spouse_sex, household.phone)
        household.members.append(spouse)
        _add_children(dice, household, head, spouse, size - 2)
    return household


def _add_children(dice: random.Random, household: Household, head: Person, spouse: Person, count: int) -> None:
    father, mother = (head, spouse) if head.sex == "1" else (spouse, head)
    born = mother.born + timedelta(days=365 * 18 + dice.randrange(1500))
    taken: set[int] = set()
    while count > 0 and born < TODAY:
        twins = 2 if count > 1 and dice.random() < 0.05 else 1
        for _ in range(twins):
            child = _make_child(dice, household, father, mother, born, taken)
            household.members.append(child)
            count -= 1
        born += timedelta(days=400 + dice.randrange(900))


def _make_child(
    dice: random.Random, household: Household, father: Person, mother: Person, born: date, taken: set[int]
) -> Person:
    sex = dice.choice("12")
    namesake = father if sex == "1" else mother
    given = namesake.given[0] if dice.random() < 0.1 else pick(dice, given_names(sex))
    while id(given) in taken:
        given = pick(dice, given_names(sex))
    taken.add(id(given))
    number = household.members[0].number + len(household.members)
    return Person(
        number, father.family, [given, *_second(dice, sex)], sex, born, _precision(dice, born), household.nation,
        father.place, (mother.given[0], mother.family), household.phone, _document(dice, household.nation, 0.15),
    )  # fmt: skip


def _make_adult(dice: random.Random, number: int, nation: str, home: Place, sex: str, phone: str) -> Person:
    born = TODAY - timedelta(days=int(365.25 * min(80, 17 + dice.gammavariate(2.2, 6.5))) + dice.randrange(365))
    mother = (pick(dice, given_names("2")), pick(dice, families_of(nation)))
    own = home if dice.random() < 0.6 else dice.choice(places(nation))
    return Person(
        number, pick(dice, families_of(nation)), [pick(dice, given_names(sex)), *_second(dice, sex)], sex, born,
        _precision(dice, born), nation, own, mother, phone if dice.random() < 0.7 else make_phone(dice, nation),
        _document(dice, nation, 0.5),
    )  # fmt: skip


def _make_homonym(dice: random.Random, member: Person, other: Person) -> None:
    """A stranger of the same name, sex, nation and about the same age: only mother, phone and papers tell."""
    member.family, member.given, member.sex, member.nation = other.family, list(other.given), other.sex, other.nation
    shift = dice.choice((0, 0, 1, 1, 2))
    member.born = date(other.born.year - shift, dice.randrange(1, 13), dice.randrange(1, 29))
    if dice.random() < 0.5:
        member.place = other.place


def _second(dice: random.Random, sex: str) -> list[Name]:
    return [pick(dice, given_names(sex))] if dice.random() < 0.25 else []


def _precision(dice: random.Random, born: date) -> str:
    if (TODAY - born).days < 365 * 15:
        return dice.choices(["day", "year", "age"], [60, 18, 22])[0]
    return dice.choices(["day", "year", "age"], [52, 25, 23])[0]


def make_phone(dice: random.Random, nation: str) -> str:
    country, digits = {
        "SEN": ("221", 9), "GMB": ("220", 7), "GIN": ("224", 9), "MLI": ("223", 8), "GNB": ("245", 9),
        "MRT": ("222", 8), "SLE": ("232", 8), "CIV": ("225", 10), "BFA": ("226", 8), "NGA": ("234", 10),
    }[nation]  # fmt: skip
    return f"+{country}7{dice.randrange(10 ** (digits - 1)):0{digits - 1}d}"


def _document(dice: random.Random, nation: str, share: float) -> tuple[str, str] | None:
    return make_document(dice, nation) if dice.random() < share else None


def make_document(dice: random.Random, nation: str) -> tuple[str, str]:
    kind = dice.choices(["P", "CE", "NI", "I"], [30, 35, 25, 10])[0]
    if kind == "P":
        return kind, f"{dice.choice('ABCDEO')}{dice.randrange(10**8):08d}"
    return kind, f"{dice.randrange(1, 3)}{dice.randrange(10**11):011d}"


def _spellings(row: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {system: tuple(row[system].split("/")) for system in SYSTEMS}


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
