"""How quickly the pages of those who say who is who open, when tens of thousands of questions wait for an answer.

A registry of so many records has as many questions. Every page is asked for through the front door by somebody who may
read all sites and by somebody of one site, who then answer one question after the other. Beside each stands its floor:
the page of the queue while the registry is empty, asked for by the same person.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.entity_rows import open_engine
from benchmarks.linkage_online import measure, show
from benchmarks.linkage_rows import fold_registry, load_registry, make_people
from server import create_app
from server.cli.setup import set_up
from server.extensions import db
from sync.linkage.record import LinkRecord
from sync.models import LinkQuestion, Site
from tests.accounts import add_account, log_in
from tests.live import demo_settings

RECORDS = 20_000
_TIMES = 40
_ROLES = ("data_steward", "protection_officer")
_PAIR, _PERSON = re.compile(r"/links/\d+/\d+"), re.compile(r"/people/\d+")


def run(folder: Path, database_url: str, _floor: str, _seconds: float, _rate: float, total: int = RECORDS) -> None:
    settings = demo_settings(folder / "server", database_url)
    set_up(settings, demo=True)
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        site = db.session.scalars(select(Site).order_by(Site.id).limit(1)).one()
        users = [add_account(db.session(), role, site if role != _ROLES[0] else None) for role in _ROLES]
        clients = {user.role: log_in(app.test_client(), user) for user in users}
        floors = {role: _time(client, "/links/") for role, client in clients.items()}
        _fill(settings.sqlalchemy_url, total)
        for role, client in clients.items():
            print(f"asked for by {role}:", flush=True)
            show("floor: the queue, still empty", floors[role])
            _measure(client, floors[role])


def _fill(url: str, total: int) -> None:
    """Link so many records, the last of them met today; each place of the generator is a site of the demonstration."""
    engine = open_engine(url)
    with Session(engine) as session:
        sites = session.scalars(select(Site.id).order_by(Site.id)).all()
    begun = time.monotonic()
    load_registry(engine, _place(make_people(total, seed=11), sites))
    fold_registry(engine)
    with Session(engine) as session:
        questions = session.scalar(select(func.count()).select_from(LinkQuestion))
    print(f"{total} records, {questions} open questions, linked in {time.monotonic() - begun:.0f} s", flush=True)
    engine.dispose()


def _place(people: Sequence[LinkRecord], sites: Sequence[int]) -> list[LinkRecord]:
    posts = dict(zip(sorted({one.post for one in people}), cycle(sites), strict=False))
    late = max(one.recorded_on for one in people if one.recorded_on) - datetime.now(UTC).date()
    return [
        replace(one, site_id=posts[one.post], recorded_on=one.recorded_on - late if one.recorded_on else None)
        for one in people
    ]


def _measure(client: FlaskClient, floor: Sequence[float]) -> None:
    question = _find(_PAIR, client, "/links/")
    person = _find(_PERSON, client, question)
    pages = {
        "the queue": "/links/", "a question": question, "decisions": "/links/decisions", "people": "/people/",
        "a person": person, "what became of links": "/people/changes",
    }  # fmt: skip
    for name, path in pages.items():
        show(name, _time(client, path), floor)
    show("an answer", list(_answer(client, question)), floor)


def _find(wanted: re.Pattern[str], client: FlaskClient, path: str) -> str:
    found = wanted.search(client.get(path).text)
    assert found, path
    return found.group()


def _time(client: FlaskClient, path: str) -> list[float]:
    client.get(path)
    return measure(lambda _: client.get(path), range(_TIMES))


def _answer(client: FlaskClient, path: str) -> Iterator[float]:
    """Milliseconds of each answer: kept, persons decided anew, the next question found."""
    for given in islice(cycle(("same", "apart")), _TIMES):
        begun = time.perf_counter()
        answer = client.post(path, data={"answer": given, "reason": "vus ensemble au poste"})
        if answer.status_code != 302:
            return  # nothing is left but what awaits a second person
        yield (time.perf_counter() - begun) * 1000
        path = answer.location.partition("?")[0]
