"""Many tablets for some days: made from enrolments, filled while offline, then all ringing at once."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from server.tablets.client import Client, Unreachable
from server.tablets.filler import Officer, make_collect_id
from server.tablets.link import Link
from server.tablets.listing import NotOpenRosa
from server.tablets.login import Login
from server.tablets.people import Population
from server.tablets.tablet import Tablet, list_forms

AGENT = "org.odk.collect.android/v2026.3.0 Dalvik/2.1.0 (Linux; U; Android 13; SM-T225 Build/TP1A.220624.014)"
_SHIFT_STARTS, _SHIFT_HOURS = 7, 12


@dataclass(frozen=True, slots=True)
class Plan:
    """What the tablets live through. Rates are parts of one; `days` offline end at `until`."""

    until: datetime
    records: int = 10
    days: int = 1
    lost_answers: float = 0.0
    cuts: float = 0.0
    duplicates: float = 0.0
    edits: float = 0.0
    most_files: int = 101
    clock_ahead_s: float = 0.0
    seed: int = 1
    at_once: int = 4
    # Forms that make sense in a story only: chance never fills them.
    told: frozenset[str] = frozenset()
    digest: bool = False


def make_tablet(enrolment: dict[str, Any], plan: Plan, population: Population) -> Tablet:
    """A tablet set up by the JSON of `teral devices enrol`. The same seed and name make the same installation."""
    name = str(enrolment["device"])
    rng = Random(f"{plan.seed} {name}")  # noqa: S311 (an invented week must be repeatable)
    collect_id = make_collect_id(Random(f"installation {name}"))  # noqa: S311
    login = Login(enrolment["username"], enrolment["password"]) if plan.digest else None
    client = Client(collect_id, AGENT, Link(rng, plan.lost_answers, plan.cuts), login, plan.clock_ahead_s)
    officer = Officer(rng, population, collect_id, name, enrolment.get("site") or _site_of(enrolment))
    url = enrolment["server_url"].partition("/v1/key/")[0] if plan.digest else enrolment["server_url"]
    return Tablet(url, client, officer, most_files=plan.most_files)


def _site_of(enrolment: dict[str, Any]) -> str:
    """The project's name in Collect ends with the site's code."""
    return str(enrolment["settings"].get("project", {}).get("name", "")).rpartition(" ")[2]


def make_fleet(enrolments: Sequence[dict[str, Any]], plan: Plan) -> list[Tablet]:
    population = Population(Random(plan.seed))  # noqa: S311
    return [make_tablet(enrolment, plan, population) for enrolment in enrolments]


def run_fleet(tablets: Sequence[Tablet], plan: Plan) -> dict[str, Any]:
    """Fetch, work offline, send, check the forms again; returns the summary."""
    _each(tablets, plan, _fetch)
    for tablet in tablets:
        work_offline(tablet, plan)
    _each(tablets, plan, lambda tablet: send_all(tablet, plan.duplicates))
    _each(tablets, plan, _fetch)
    return summarise(tablets)


def _each(tablets: Sequence[Tablet], plan: Plan, act: Callable[[Tablet], None]) -> None:
    with ThreadPoolExecutor(plan.at_once) as pool:
        list(pool.map(act, tablets))


def _fetch(tablet: Tablet) -> None:
    try:
        tablet.refresh()
    except (Unreachable, NotOpenRosa) as error:
        tablet.faults.append(f"form list: {error}")


def work_offline(tablet: Tablet, plan: Plan) -> None:
    """Fill the day's records in the hours of a shift, and correct some of them later."""
    forms = [one for one in list_forms(tablet) if one not in plan.told]
    if not forms:
        return
    for day in range(plan.days, 0, -1):
        opened_at = (plan.until - timedelta(days=day)).replace(hour=_SHIFT_STARTS, minute=0)
        for moment in _moments(tablet.rng, opened_at, plan):
            record = tablet.try_fill(tablet.rng.choice(forms), moment)
            if record is None:
                tablet.given_up += 1
            elif tablet.rng.random() < plan.edits:
                tablet.edit(record, moment + timedelta(minutes=20))


def _moments(rng: Random, opened_at: datetime, plan: Plan) -> list[datetime]:
    skew = timedelta(seconds=plan.clock_ahead_s)
    minutes = sorted(rng.uniform(0, _SHIFT_HOURS * 60) for _ in range(plan.records))
    return [opened_at + skew + timedelta(minutes=one) for one in minutes]


def send_all(tablet: Tablet, duplicates: float = 0.0) -> None:
    """Send what waits, then send some of it once more, as after a restored backup."""
    tablet.send()
    for record in tablet.queue.list_sent():
        if tablet.rng.random() < duplicates:
            tablet.deliver(record)
    tablet.send()


def summarise(tablets: Sequence[Tablet]) -> dict[str, Any]:
    """What happened, in numbers and without any answer."""
    records = [record for tablet in tablets for record in tablet.queue.records]
    states = Counter(record.state for record in records)
    return {
        "tablets": len(tablets),
        "records": len(records),
        "sent": states["sent"],
        "failed": states["failed"] + states["finalised"],
        "edits": sum(record.deprecated_id is not None for record in records),
        "given_up": sum(tablet.given_up for tablet in tablets),
        "files": sum(len(record.files) for record in records),
        "entities": sum(len(tablet.queue.entities.list_rows()) for tablet in tablets),
        "entities_ahead": sum(one.is_dirty for tablet in tablets for one in tablet.queue.entities.list_rows()),
        "forms": dict(Counter(record.form_id for record in records)),
        "statuses": dict(Counter(str(record.status) for record in records)),
        "requests": sum(tablet.client.requests for tablet in tablets),
        "bytes_sent": sum(tablet.client.bytes_sent for tablet in tablets),
        "not_modified": sum(tablet.client.not_modified for tablet in tablets),
        "lost_answers": sum(tablet.client.link.lost for tablet in tablets),
        "cut_connections": sum(tablet.client.link.cut for tablet in tablets),
        "faults": [fault for tablet in tablets for fault in tablet.faults],
    }
