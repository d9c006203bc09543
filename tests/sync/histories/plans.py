"""What may happen in a history, how often, and what is said then."""

import random
from datetime import UTC, datetime

LIST = "dossiers"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
CHOICES = {
    "sexe": ("1", "2", "9"),
    "urgence": ("0", "1", "2", "3"),
    "etat": ("arrive", "transfere", "clos"),
    "note": ("a", "b", "c", "d"),
}

Step = tuple[str, int, int, int]
# How often each step is drawn while most is done on tablets, and when people look at what came of it.
IN_THE_FIELD = {
    "create": 2, "update": 14, "round": 3, "edit": 4, "twin": 2, "spoil": 2, "lose": 1, "send": 10, "download": 3,
    "process": 6, "make": 1, "change": 1, "delete": 1,
}  # fmt: skip
AT_THE_CENTRE = {
    "update": 8, "edit": 2, "send": 8, "download": 4, "process": 6, "verdict": 5, "decide": 12, "undo": 3,
    "release": 8, "change": 2, "delete": 1, "restore": 4, "visit": 8,
}  # fmt: skip


def draw_plan(seed: int) -> list[Step]:
    draw = random.Random(seed)

    def steps(weights: dict[str, int], most: int) -> list[Step]:
        names = draw.choices(list(weights), list(weights.values()), k=draw.randint(4, most))
        return [(name, draw.randrange(99), draw.randrange(99), draw.randrange(99)) for name in names]

    everyone = [("send", tablet, 2, 1) for tablet in range(3)] + [("process", 0, 0, 0)]
    listed = [("download", tablet, 0, 0) for tablet in range(3)]
    opening = [("create", 0, 0, draw.randrange(99)), *everyone, *listed]
    return [*opening, *steps(IN_THE_FIELD, 20), *everyone, *steps(AT_THE_CENTRE, 16)]


def draw_values(number: int) -> dict[str, str]:
    draw = random.Random(number)
    return {name: draw.choice(values) for name, values in CHOICES.items() if draw.random() < 0.4}
