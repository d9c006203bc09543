"""What officers write of invented persons: four spelling systems, slips, crossed names, 1 January, heaped ages."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from benchmarks.regional.world import (
    TODAY,
    Household,
    Name,
    Person,
    given_names,
    make_document,
    make_households,
    make_phone,
    pick,
)

POSTS = {f"P{number:02d}": share for number, share in enumerate((9, 8, 7, 6, 5, 5, 4, 4, 3, 3, 2, 2, 2, 1, 1, 1), 1)}
HOME = {"GMB": "english", "SLE": "english", "NGA": "english", "GNB": "portuguese"}
TITLES = {
    "1": ("El Hadji", "Alhaji", "Papa", "Pape", "Serigne", "Cheikh", "Thierno", "Elhadj", "El Hadj"),
    "2": ("Ndeye", "Sokhna", "Hadja", "Mame", "Adja"),
}
NEIGHBOURS = {
    "a": "zq",
    "e": "zr",
    "i": "uo",
    "o": "ip",
    "u": "yi",
    "s": "qd",
    "m": "ln",
    "n": "mb",
    "d": "sf",
    "l": "km",
}


@dataclass(frozen=True, slots=True)
class Meeting:
    """One household met at one post on one day."""

    day: date
    post: str
    tablet: str
    ear: str


def make_records(records: int, seed: int) -> tuple[list[dict[str, str]], dict[str, int]]:
    """So many records as rows of the columns of `teral link file`, shuffled, and the number of each one's person."""
    dice = random.Random(seed)
    rows: list[dict[str, str]] = []
    truth: dict[str, int] = {}
    shared = [make_phone(dice, "SEN") for _ in range(records // 700 + 1)]
    for household in make_households(dice, records // 2):
        for person, row in _meet(dice, household, shared):
            row["record_id"] = f"{dice.getrandbits(48):012x}"
            rows.append(row)
            truth[row["record_id"]] = person.number
    rows = rows[:records]
    dice.shuffle(rows)
    return rows, {row["record_id"]: truth[row["record_id"]] for row in rows}


def _meet(dice: random.Random, household: Household, shared: list[str]) -> Iterator[tuple[Person, dict[str, str]]]:
    for _ in range(_geometric(dice, 0.34)):
        meeting = _make_meeting(dice)
        if dice.random() < 0.25:
            household.phone = make_phone(dice, household.nation)
        for person in household.members:
            if dice.random() < (0.85 if len(household.members) > 1 else 1):
                yield person, Recording(dice, person, household, meeting, shared).write()


def _geometric(dice: random.Random, chance: float) -> int:
    count = 1
    while dice.random() > chance and count < 14:
        count += 1
    return count


def _make_meeting(dice: random.Random) -> Meeting:
    post = dice.choices(list(POSTS), list(POSTS.values()))[0]
    ear = dice.choices(["french", "english", "national", "portuguese"], [80, 7, 9, 4])[0]
    return Meeting(TODAY + timedelta(days=dice.randrange(540)), post, f"{post}-{dice.randrange(3)}", ear)


class Recording:
    """One person, as one officer writes them on one day."""

    def __init__(
        self, dice: random.Random, person: Person, household: Household, meeting: Meeting, shared: list[str]
    ) -> None:
        self.dice, self.person, self.household, self.meeting, self.shared = dice, person, household, meeting, shared
        self.shows = person.document is not None and dice.random() < 0.6
        # Whoever copies a paper writes as its country does; whoever listens writes as they learnt to.
        home = HOME.get(person.nation, "french")
        self.system = home if self.shows or dice.random() < 0.35 else meeting.ear

    def write(self) -> dict[str, str]:
        family, given = self._write_names()
        kind, number = self._write_document()
        born, age = self._write_birth()
        return {
            "record_id": "", "family_name": family, "given_name": given, "sex": self._write_sex(), "birth_date": born,
            "age": age, "nationality": self._write_nation(), "birth_place": self._write_place(),
            "mother_name": self._write_mother(), "phone": self._write_phone(), "document_type": kind,
            "document_number": number, "post": self.meeting.post, "tablet": self.meeting.tablet,
            "recorded_on": self.meeting.day.isoformat(),
        }  # fmt: skip

    def _write_names(self) -> tuple[str, str]:
        family = self._slip(self._spell(self.person.family), 0.04)
        given = self._write_given()
        if self._happens(0.06):
            family, given = given, family
        return self._case(family), self._case(given)

    def _write_given(self) -> str:
        names = self.person.given
        first = self._slip(self._spell(names[0], pet=0.07), 0.04)
        more = [self._spell(name) for name in names[1:] if not self._happens(0.4)]
        if not more and len(names) == 1 and self._happens(0.03):
            more = [self._spell(pick(self.dice, given_names(self.person.sex)))]
        if more and self._happens(0.06):
            more, first = [first], more[0]
        title = [self.dice.choice(TITLES[self.person.sex])] if self._happens(0.07) else []
        return " ".join([*title, first, *more])

    def _spell(self, name: Name, pet: float = 0.0) -> str:
        if name.pets and self._happens(pet):
            return self.dice.choice(name.pets)
        choices = name.spellings[self.system]
        return choices[0] if self._happens(0.8) else self.dice.choice(choices)

    def _slip(self, text: str, chance: float) -> str:
        if len(text) < 3 or not self._happens(chance):
            return text
        at = self.dice.randrange(1, len(text))
        letter = text[at].lower()
        return self.dice.choice((
            text[:at] + text[at + 1 :],
            text[:at] + letter + text[at:],
            text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :],
            text[:at] + self.dice.choice(NEIGHBOURS.get(letter, "aeiou")) + text[at + 1 :],
        ))  # fmt: skip

    def _case(self, text: str) -> str:
        return text.upper() if self.meeting.tablet.endswith("2") else text

    def _write_sex(self) -> str:
        if self._happens(0.02):
            return ""
        return {"1": "2", "2": "1"}[self.person.sex] if self._happens(0.01) else self.person.sex

    def _write_birth(self) -> tuple[str, str]:
        precision = self.person.precision
        if precision == "day" and not self.shows and self._happens(0.2):
            precision = self.dice.choice(("year", "age"))
        if self._happens(0.04):
            return "", ""
        born = self._misremember(precision)
        if precision == "day":
            return self._slip_day(born).isoformat(), ""
        if precision == "year":
            return date(born.year, 1, 1).isoformat(), ""
        return "", str(self._heap((self.meeting.day - born).days // 365))

    def _misremember(self, precision: str) -> date:
        born = self.person.born
        off = self.dice.choice((-2, -1, 1, 2)) if precision != "day" and self._happens(0.2) else 0
        return date(born.year + off, born.month, min(born.day, 28)) if off else born

    def _slip_day(self, born: date) -> date:
        if not self._happens(0.06):
            return born
        if born.day <= 12 and self._happens(0.4):
            return date(born.year, born.day, born.month)
        return self.dice.choice((
            date(born.year, born.month, self.dice.randrange(1, 29)),
            date(born.year, self.dice.randrange(1, 13), min(born.day, 28)),
            date(born.year + self.dice.choice((-10, -1, 1, 10)), born.month, min(born.day, 28)),
        ))  # fmt: skip

    def _heap(self, age: int) -> int:
        if age < 12:
            return max(0, age + self.dice.choice((0, 0, 0, 1, -1)))
        if self._happens(0.35):
            return 5 * round(age / 5)
        return age + self.dice.choice((-2, -1, 0, 0, 0, 0, 0, 1))

    def _write_nation(self) -> str:
        if self._happens(0.03):
            return ""
        return self.dice.choice(("SEN", "GMB", "GIN", "MLI")) if self._happens(0.03) else self.person.nation

    def _write_place(self) -> str:
        if self._happens(0.25):
            return ""
        place = self.person.place
        if self._happens(0.12):
            return self._case(self.dice.choice(place.near))
        return self._case(
            self._slip(place.spellings[0] if self._happens(0.7) else self.dice.choice(place.spellings), 0.04)
        )

    def _write_mother(self) -> str:
        if self._happens(0.3):
            return ""
        given, family = self.person.mother
        if self._happens(0.12):
            return self._case(self._slip(self._spell(given, pet=0.07), 0.04))
        return self._case(f"{self._slip(self._spell(given, pet=0.07), 0.04)} {self._slip(self._spell(family), 0.04)}")

    def _write_phone(self) -> str:
        if self._happens(0.5):
            return ""
        if self._happens(0.07):
            return self.dice.choice(self.shared)
        phone = self.person.phone if self._happens(0.4) else self.household.phone
        if self._happens(0.03):
            at = self.dice.randrange(5, len(phone))
            phone = phone[:at] + str(self.dice.randrange(10)) + phone[at + 1 :]
        return phone if self._happens(0.5) else phone[4:]

    def _write_document(self) -> tuple[str, str]:
        if self.person.document is not None and self._happens(0.08):
            self.person.document = make_document(self.dice, self.person.nation)
        if not self.shows or self.person.document is None:
            return "", ""
        kind, number = self.person.document
        if self._happens(0.04):
            at = self.dice.randrange(1, len(number))
            number = number[:at] + str(self.dice.randrange(10)) + number[at + 1 :]
        return kind, number

    def _happens(self, chance: float) -> bool:
        return self.dice.random() < chance
