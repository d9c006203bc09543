"""Weeks that nobody wrote: tablets at two sites do whatever officers may do, and in the end all hold the same.

What is asserted is Collect's view: no row of any tablet is ahead of the server, and every row says what the registry
says. A failing week is printed as it was lived.
"""

import os
import re
from collections.abc import Callable, Mapping
from random import Random

import pytest
from sqlalchemy import select

from server.tablets.queue import Record
from sync.models import Entity
from sync.quarantine import accept, reject, replay
from tests.journeys.outposts import Officers, Outposts

WEEKS = range(3)
LONG_WEEKS = range(40 * int(os.environ.get("TERAL_SOAK", "1")))


class Week:
    """One invented week at two centres, told line by line."""

    def __init__(self, place: Outposts, seed: int) -> None:
        self.place, self.rng, self.told = place, Random(seed), list[str]()
        self.sites = [place.site(), place.site()]
        self.tablets = [place.tablet(self.sites[0]), place.tablet(self.sites[0]), place.tablet(self.sites[1])]
        self.records: list[tuple[Officers, Record]] = []
        self.acts: list[Callable[[Officers], str]] = [
            self._open, self._open, self._follow, self._follow, self._follow, self._register, self._go_round,
            self._edit, self._send_in_disorder, self._sync, self._refresh, self._damage, self._decide,
        ]  # fmt: skip

    def live(self, steps: int) -> None:
        for _ in range(steps):
            officers = self.rng.choice(self.tablets)
            officers.sleep(self.rng.choice((0, 0, 1)))
            name = f"tablet {self.tablets.index(officers)}"
            self.told.append(f"{name}: {self.rng.choice(self.acts)(officers)}")

    def end(self) -> None:
        """Everything is sent and judged, what was refused too; then all ring twice."""
        self.place.meet(*self.tablets)
        for _, record in self.records:
            if self.place.state(record) in ("quarantined", "rejected"):
                self.place.decide(self.rng.choice((accept, reject)), record)
        self.place.meet(*self.tablets)

    def _keep(self, officers: Officers, record: Record, words: str) -> str:
        self.records.append((officers, record))
        return f"{words} ({record.instance_id})"

    def _open(self, officers: Officers) -> str:
        record = officers.fill("ouvrir", ref=f"R-{len(self.told)}", lit="0", site=officers.tablet.officer.site)
        return self._keep(officers, record, "opens a stay")

    def _follow(self, officers: Officers) -> str:
        # Few stays and many updates of each: what one tablet did not see is what others did.
        rows = sorted(officers.rows())[:2]
        if not rows:
            return "has no stay to follow"
        values = {
            "lit": str(self.rng.randrange(9)), "urgence": str(self.rng.randrange(4)), "ref": f"X-{len(self.told)}",
            "etat": self.rng.choice(("arrive", "arrive", "transfere")), "site": self.rng.choice(self.sites),
        }  # fmt: skip
        chosen = {name: values[name] for name in self.rng.sample(sorted(values), self.rng.choice((1, 1, 2)))}
        stay = self.rng.choice(rows)
        return self._keep(officers, officers.follow(stay, **chosen), f"writes {chosen} on {stay}")

    def _register(self, officers: Officers) -> str:
        known = self.rng.choice(["", *sorted(officers.rows())])
        told = {"dossier": known, "ref": f"I-{len(self.told)}", "lit": "5"}
        if not known:
            told["site"] = officers.tablet.officer.site
        return self._keep(officers, officers.fill("inscrire", **told), f"registers {known or 'somebody new'}")

    def _go_round(self, officers: Officers) -> str:
        chosen = self.rng.sample(sorted(officers.rows()), min(2, len(officers.rows())))
        record = officers.fill("tournee", choisis=" ".join(chosen), chacun=[{"lit": "7"} for _ in chosen])
        return self._keep(officers, record, f"goes round {chosen}")

    def _edit(self, officers: Officers) -> str:
        mine = [one for owner, one in self.records if owner is officers and one.form_id in ("ouvrir", "inscrire")]
        if not mine:
            return "has nothing to edit"
        record = self.rng.choice(mine)
        edited = officers.edit(record, lit=str(self.rng.randrange(9)))
        return self._keep(officers, edited, f"edits {record.instance_id}")

    def _send_in_disorder(self, officers: Officers) -> str:
        waiting = officers.tablet.queue.list_waiting()
        chosen = self.rng.sample(waiting, len(waiting) // 2)
        for record in chosen:
            officers.tablet.deliver(record)
        self.place.settle()
        return f"sends {[one.instance_id for one in chosen]}"

    def _sync(self, officers: Officers) -> str:
        self.place.meet(officers)
        return "rings"

    def _refresh(self, officers: Officers) -> str:
        officers.refresh()
        return "fetches"

    def _damage(self, officers: Officers) -> str:
        """An answer that the form does not take, as an older Collect lets it pass."""
        sound = [one for one in officers.tablet.queue.list_waiting() if re.search(rb"<urgence>[0-3]<", one.xml)]
        for record in sound:
            record.xml = re.sub(rb"<urgence>[0-3]<", b"<urgence>8<", record.xml)
        return f"damages {[one.instance_id for one in sound]}"

    def _decide(self, _officers: Officers) -> str:
        sent = [one for _, one in self.records if one.state == "sent"]
        if not sent:
            return "nothing to decide"
        record, verb = self.rng.choice(sent), self.rng.choice((accept, reject, replay))
        self.place.decide(verb, record)
        return f"a supervisor: {verb.__name__} {record.instance_id}"


Rows = dict[str, tuple[int, str, dict[str, str]]]


def on_board(officers: Officers) -> Rows:
    """What a tablet holds. A row that is ahead of the server, or that it never saw, has no number of the server's."""
    return {
        uuid: (row.version if row.online and not row.is_dirty else -1, row.label, _written(row.properties))
        for uuid, row in officers.rows().items()
    }


def in_registry(place: Outposts, site: str) -> Rows:
    with place.looking() as session:
        found = session.scalars(select(Entity).where(Entity.site_code == site, Entity.is_open))
        return {one.uuid: (one.version, one.label or one.uuid, _written(one.properties)) for one in found}


def _written(values: Mapping[str, str]) -> dict[str, str]:
    """Blank and absent are one in a CSV."""
    return {name: value for name, value in values.items() if value}


def live(place: Outposts, seed: int, steps: int) -> None:
    week = Week(place, seed)
    week.live(steps)
    week.end()
    for officers in week.tablets:
        assert on_board(officers) == in_registry(place, officers.tablet.officer.site), "\n".join(["", *week.told])


@pytest.mark.parametrize("seed", WEEKS)
def test_in_the_end_every_tablet_holds_what_the_registry_says(place: Outposts, seed: int) -> None:
    live(place, seed, 30)


@pytest.mark.slow
@pytest.mark.parametrize("seed", LONG_WEEKS)
def test_in_the_end_of_long_weeks_too(place: Outposts, seed: int) -> None:
    live(place, 1000 + seed, 40)
