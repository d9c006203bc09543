"""Invented people: names as they are common in the region, in the spellings that officers hear and write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

# nationality → (given names of women, given names of men, family names, places, languages). Spellings of one name are
# separated by "/": different officers write the same person differently.
_REGIONS: dict[str, tuple[str, str, str, str, str]] = {
    "SEN": (
        "Fatou/Fatu Awa/Haoua Aminata/Aminatta Khady/Khadi Ndeye/Ndèye Mariama/Mariame Sokhna/Soxna",
        "Moussa/Musa Ousmane/Ousmann Cheikh/Cheick Ibrahima/Ibrahim Modou/Modu Alioune/Aliou Pape/Papa",
        "Diop/Dioup Ndiaye/Ndiaï Fall/Faal Sarr/Sar Gueye/Guèye Faye/Fay Sow/Soh Thiam/Tiam",
        "Saint-Louis Kaolack Tambacounda Ziguinchor Matam Louga",
        "wol ful fra",
    ),
    "GMB": (
        "Binta/Bintou Isatou/Aïssatou Fatoumatta/Fatoumata Kaddy/Khady",
        "Lamin/Lamine Ebrima/Ibrahima Bakary/Bacary Yankuba/Yancouba",
        "Jallow/Diallo Ceesay/Sissé Touray/Touré Jobe/Diop Bojang/Bodian",
        "Banjul Serekunda Farafenni Basse Brikama",
        "man wol eng",
    ),
    "MLI": (
        "Oumou/Umu Kadiatou/Kadiatu Assitan/Assétou Djeneba/Djénéba",
        "Amadou/Amadu Seydou/Saïdou Boubacar/Bubacar Modibo/Modybo",
        "Traoré/Traore Coulibaly/Koulibaly Keïta/Keita Diarra/Jarra Sidibé/Sidibe",
        "Kayes Bamako Nioro Ségou Mopti",
        "bam ful fra",
    ),
    "GIN": (
        "Mariama/Mariame Hadja/Hadia Fanta/Fatoumata Kadiatou/Kadiatu",
        "Mamadou/Mamadu Alpha/Alfa Thierno/Tierno Abdoulaye/Abdulaye",
        "Diallo/Jallow Bah/Ba Barry/Bari Camara/Kamara Condé/Konde",
        "Labé Conakry Boké Kankan Mamou",
        "ful sus fra",
    ),
    "MRT": (
        "Mariem/Meriem Aichetou/Aïchetou Khadijetou/Khadijatou",
        "Sidi/Sidy Ahmedou/Ahmadou Moctar/Mokhtar Brahim/Ibrahim",
        "Vall/Fall Salem/Salim Lemine/Lamine Kane/Kan Sy/Si",
        "Nouakchott Rosso Kaédi Sélibaby",
        "ara ful fra",
    ),
    "GNB": (
        "Fatumata/Fatoumata Domingas/Dominga Binta/Bintou",
        "Braima/Ibrahima João/Joao Mamadú/Mamadou Malam/Malang",
        "Mané/Mane Djaló/Diallo Sanhá/Sagna Embaló/Mballo",
        "Bissau Gabú Bafatá Cacheu",
        "por man ful",
    ),
}
NATIONALITIES = tuple(_REGIONS)
_WEIGHTS = {"SEN": 5, "GMB": 3, "MLI": 4, "GIN": 3, "MRT": 2, "GNB": 2}


@dataclass(frozen=True, slots=True)
class Person:
    """One invented human being. Names hold every spelling of each part; `spell` chooses one of each."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    mother: tuple[str, ...]
    sex: str
    birth_date: date
    nationality: str
    birth_place: str
    phone: str
    language: str
    document_type: str
    document_number: str

    def answers(self, rng: Random, on: date) -> dict[str, str]:
        """What an officer notes about this person on a day, by the registry's names for it."""
        return {
            "given_names": _spell(self.given, rng),
            "family_name": _spell(self.family, rng),
            "mother_name": _spell(self.mother, rng),
            "sex": self.sex,
            "birth_date": self.birth_date.isoformat(),
            "age": str((on - self.birth_date).days // 365),
            "nationality": self.nationality,
            "birth_place": self.birth_place,
            "phone": self.phone,
            "language": self.language,
            "document_type": self.document_type,
            "document_issuer": self.nationality,
            "document_number": self.document_number,
        }


class Population:
    """The people who pass. Some pass more than once, at other sites, in other spellings."""

    def __init__(self, rng: Random, size: int = 400) -> None:
        self._people: list[Person] = [invent_person(rng) for _ in range(size)]

    def meet(self, rng: Random) -> Person:
        return rng.choice(self._people)


def invent_person(rng: Random, nationality: str | None = None) -> Person:
    """Make up a person of one of the region's countries."""
    country = nationality or rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    women, men, families, places, languages = _REGIONS[country]
    sex = rng.choice(("1", "1", "2"))
    family = _pick(families, rng)
    return Person(
        given=_pick(men if sex == "1" else women, rng),
        family=family,
        mother=tuple(f"{name} {own}" for name, own in zip(_pick(women, rng), _pick(families, rng), strict=True)),
        sex=sex,
        birth_date=date(2008, 1, 1) - timedelta(days=int(rng.triangular(-5000, 22000, 5500))),
        nationality=country,
        birth_place=rng.choice(places.split()),
        phone=f"+221 7{rng.choice('05678')} {rng.randrange(100, 999)} {rng.randrange(10, 99)} {rng.randrange(10, 99)}",
        language=rng.choice(languages.split()),
        document_type=rng.choice(("P", "CE", "CE", "SA")),
        document_number=f"{rng.choice('ABCDEFGH')}{rng.randrange(10_000_000):07}",
    )


def _pick(names: str, rng: Random) -> tuple[str, ...]:
    return tuple(rng.choice(names.split()).split("/"))


def _spell(spellings: Sequence[str], rng: Random) -> str:
    """Mostly the usual spelling, sometimes another, sometimes in capitals."""
    name = spellings[0] if rng.random() < 0.75 else rng.choice(spellings)
    return name.upper() if rng.random() < 0.15 else name
