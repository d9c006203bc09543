"""Entity lists at size: pages over a million rows, what tablets fetch of them, and making many without a form.

Pages are read by two people at once, lists by many tablets. Each measurement is a function of its own (MEASURES).
"""

import csv
import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from benchmarks.bench import Figure, describe, measured, show, write_get
from benchmarks.driver import Load, Result, drive
from benchmarks.entity_rows import LIST, analyse, fill, open_engine
from benchmarks.floor import floor
from benchmarks.freshness import measure_freshness
from server.accounts.users import add_user
from server.cli.setup import set_up
from server.config import Settings
from server.tablets.fleet import Plan, make_fleet
from server.tablets.listing import read_form_list, read_manifest
from sync.db import begin_write
from sync.models import Entity, EntityAct, EntityView
from tests.live import demo_settings, serving

ENTITIES = 1_000_000
CREATED = 100_000
CENTRAL_CSV = 8.0
CENTRAL_BULK_S = 120
_READERS, _TABLETS = 2, 8
_SOURCE = {"name": "banc.csv", "size": CREATED}


@dataclass(frozen=True)
class World:
    """A server over a full list, and what is needed to ask it."""

    settings: Settings
    pid: int
    engine: Engine
    made: dict[str, Any]
    uuid: str
    folder: Path
    floor_url: str
    seconds: float


def run(folder: Path, database_url: str, floor_url: str, seconds: float, _rate: float, total: int = ENTITIES) -> None:
    settings = demo_settings(folder / "server", database_url)
    made, begun = set_up(settings, demo=True), time.monotonic()
    engine = open_engine(settings.sqlalchemy_url)
    uuid = fill(engine, total)
    analyse(engine)
    print(f"{total} entities in one list, written in {time.monotonic() - begun:.0f} s", flush=True)
    with serving(settings) as process:
        world = World(settings, process.pid, engine, made, uuid, folder, floor_url, seconds)
        for measure in MEASURES:
            measure(world)
    engine.dispose()


def measure_pages(world: World) -> None:
    """The pages that people open, each beside its own bytes from the stub."""
    cookie, token, page = _log_in(world, "data_steward")
    base = f"{world.settings.base_url}/entities/"
    middle = f"CASTL-{50_000:05}"
    cases = {
        "entities: all lists": _get(base, cookie),
        "entities: list": _get(f"{base}{LIST}/", cookie),
        "entities: open ones of a site": _get(f"{base}{LIST}/?state=open&site=S042", cookie),
        "entities: a deep page": _get(f"{base}{LIST}/?after={page}", cookie),
        "entities: conflicts": _get(f"{base}{LIST}/?trouble=conflict", cookie),
        "entities: on hold": _get(f"{base}{LIST}/?trouble=held", cookie),
        "entities: search": _post(f"{base}{LIST}/", cookie, {"csrf_token": token, "asked": middle[:9]}),
        "entities: search, two words": _post(f"{base}{LIST}/", cookie, {"csrf_token": token, "asked": "h 00042"}),
        "entities: search, in all rows": _post(f"{base}{LIST}/", cookie, {"csrf_token": token, "asked": "lit"}),
        "entities: search, finds all": _post(f"{base}{LIST}/", cookie, {"csrf_token": token, "asked": "s"}),
        "entities: one": _get(f"{base}{LIST}/{world.uuid}", cookie),
    }
    bottom = _floor(world, _fetch(f"{base}{LIST}/", cookie), _READERS, "pages")
    show("floor: a page's bytes", bottom)
    # Each process reads the forms once, for the words on these pages.
    drive(Load(world.settings.port, [cases["entities: list"]], 2, connections=_TABLETS))
    for name, request in cases.items():
        load = Load(world.settings.port, [request], world.seconds, connections=_READERS)
        show(name, measured(load, world.pid), bottom)


def measure_kept_list(world: World) -> None:
    """A large list that many tablets fetch while it stays the same."""
    url = _list_url(world, "CASTL")
    body = urllib3.request("GET", url, headers={"X-OpenRosa-Version": "1.0"})
    _tell_size(body.data)
    bottom = _floor(world, body.data, _TABLETS, "large")
    show("floor: the list's bytes", bottom)
    drive(Load(world.settings.port, [write_get(url)], 1, connections=_TABLETS))  # every process has made it once
    load = Load(world.settings.port, [write_get(url)], world.seconds, connections=_TABLETS)
    kept = measured(load, world.pid)
    show("entity list: 10,000 rows", kept, bottom)
    print(f"{'':28}{kept.result.rate / CENTRAL_CSV:.1f} × Central's {CENTRAL_CSV:.0f}/s")
    known = write_get(url, f"If-None-Match: {body.headers['ETag']}")
    load = Load(world.settings.port, [known], world.seconds, connections=_TABLETS)
    show("entity list: unchanged (304)", measured(load, world.pid), bottom)


def measure_changed_list(world: World) -> None:
    """A usual list that changes before every download, so that it is made anew each time."""
    url, http = _list_url(world, "CADKR"), urllib3.PoolManager()
    body = http.request("GET", url, headers={"X-OpenRosa-Version": "1.0"}).data
    bare = _timed(world, lambda: _read_bare(world.engine, "CADKR"))
    made = _timed(
        world,
        lambda: http.request("GET", url, headers={"X-OpenRosa-Version": "1.0"}).data,
        before=lambda: _change(world.engine, "CADKR"),
    )
    _tell_size(body)
    print(f"{'floor: its SQL and its CSV':28}{describe(bare)}")
    print(f"{'entity list: made anew':28}{describe(made)}   {bare.rate / made.rate:.1f} × the floor's time", flush=True)


def measure_creation(world: World) -> None:
    """Many entities in one request of a program, all or none, beside their facts alone."""
    token, url = _open_session(world), f"{world.settings.base_url}/v1/projects/1/datasets/{LIST}/entities"
    data = {"sexe": "2", "site_id": "S001", "etat": "arrive"}
    body = {"entities": [{"label": f"Neuf {number}", "data": data} for number in range(CREATED)], "source": _SOURCE}
    bare, begun = _insert_bare(world.engine), time.monotonic()
    answer = urllib3.request("POST", url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=600)
    took = time.monotonic() - begun
    if answer.status != 200:
        raise RuntimeError(f"{url} answered {answer.status}")
    ratio = f"{took / bare:.1f} × the floor's time; Central's proxy answered 504 after {CENTRAL_BULK_S} s"
    print(f"{'floor: their facts alone':28}{CREATED / bare:8.0f}/s   {CREATED} in {bare:.1f} s")
    print(f"{'entities made by a program':28}{CREATED / took:8.0f}/s   {CREATED} in {took:.1f} s, {ratio}", flush=True)


def measure_new_stays(world: World) -> None:
    """How soon what one tablet opened is in the list that another one fetches."""
    measure_freshness(world.settings, world.made, world.seconds)


# What is measured over the same full list, in this order.
MEASURES: list[Callable[[World], None]] = [
    measure_pages, measure_kept_list, measure_changed_list, measure_new_stays, measure_creation,
]  # fmt: skip


def _log_in(world: World, role: str) -> tuple[str, str, int]:
    """A session's cookie and its form token, and the id of a row in the middle of the list."""
    user = next(one for one in world.made["users"] if one["role"] == role)
    base, http = world.settings.base_url, urllib3.PoolManager()
    page = http.request("GET", f"{base}/login")
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    given = {"csrf_token": _token(page.data), "email": user["email"], "password": user["password"]}
    answer = http.request(
        "POST", f"{base}/login", body=urlencode(given), redirect=False,
        headers={"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    # The form's token lies in the cookie too.
    page = http.request("GET", f"{base}/entities/{LIST}/", headers={"Cookie": cookie})
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    with world.engine.connect() as connection:
        deep = select(Entity.id).where(Entity.label_key > "s150").order_by(Entity.label_key)
        after = connection.scalar(deep.limit(1))
    return cookie, _token(page.data), after or 1


def _open_session(world: World) -> str:
    """A program's account and its session."""
    given = {"email": "banc@demo.teral.example", "password": "baobab-sous-la-pluie"}
    with Session(world.engine) as session:
        begin_write(session)
        add_user(session, role="exchange", site=None, now=datetime.now(UTC), **given)
        session.commit()
    answer = urllib3.request("POST", f"{world.settings.base_url}/v1/sessions", json=given)
    return str(answer.json()["token"])


def _token(page: bytes) -> str:
    found = re.search(rb'name="csrf_token" value="([^"]+)"', page)
    if found is None:
        raise RuntimeError("the page has no form")
    return found[1].decode()


def _fetch(url: str, cookie: str) -> bytes:
    answer = urllib3.request("GET", url, headers={"Cookie": cookie}, redirect=False)
    if answer.status != 200:
        raise RuntimeError(f"{url} answered {answer.status}")
    return answer.data


def _get(url: str, cookie: str) -> bytes:
    return write_get(url, f"Cookie: {cookie}")


def _post(url: str, cookie: str, fields: dict[str, str]) -> bytes:
    body = urlencode(fields).encode()
    head = write_get(url, f"Cookie: {cookie}", "Content-Type: application/x-www-form-urlencoded")
    return head.replace(b"GET ", b"POST ", 1)[:-2] + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def _floor(world: World, constant: bytes, connections: int, name: str) -> Figure:
    folder = world.folder / f"floor-{name}"
    folder.mkdir()
    with floor(folder, world.floor_url, constant) as (port, pid):
        request = write_get(f"http://127.0.0.1:{port}/")
        return measured(Load(port, [request], world.seconds, connections=connections), pid)


def _list_url(world: World, site: str) -> str:
    """Where the first tablet of this site fetches the list from."""
    enrolment = next(one for one in world.made["tablets"] if one["device"] == f"{site}-01")
    [tablet] = make_fleet([enrolment], Plan(datetime.now(UTC)))
    forms = read_form_list(tablet.client.get(f"{tablet.server_url}/formList"))
    manifests = [tablet.client.get(form.manifest_url) for form in forms if form.manifest_url]
    files = [file for manifest in manifests for file in read_manifest(manifest)]
    return next(file.download_url for file in files if file.name == f"{LIST}.csv")


def _tell_size(body: bytes) -> None:
    print(f"{'':28}{len(body.splitlines()) - 1} rows, {len(body) // 1000} kB")


def _timed(world: World, act: Callable[[], object], before: Callable[[], None] = lambda: None) -> Result:
    result, until = Result(statuses={"200": 0}), time.monotonic() + world.seconds
    while time.monotonic() < until:
        before()
        begun = time.perf_counter()
        act()
        result.latencies_ms.append((time.perf_counter() - begun) * 1000)
    result.count, result.seconds = len(result.latencies_ms), sum(result.latencies_ms) / 1000
    return result


def _change(engine: Engine, code: str) -> None:
    named = (EntityView.list_name == LIST, EntityView.site_code == code)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.execute(update(EntityView).where(*named).values(generation=EntityView.generation + 1))


def _read_bare(engine: Engine, code: str) -> str:
    text = io.StringIO()
    wanted = select(Entity.uuid, Entity.label, Entity.version, Entity.properties).where(
        Entity.list_name == LIST, Entity.site_code == code, Entity.is_open
    )
    with engine.connect() as connection:
        csv.writer(text).writerows([*row[:3], *row[3].values()] for row in connection.execute(wanted))
    return text.getvalue()


def _insert_bare(engine: Engine) -> float:
    """The seconds that it takes to keep as many plain facts, undone afterwards."""
    row = {"action": "create", "label": "Neuf", "properties": {"sexe": "2"}, "acted_at": datetime.now(UTC)}
    rows = [{"entity_id": 1, "uuid": f"{number:036}", **row} for number in range(CREATED)]
    begun = time.monotonic()
    with engine.connect().execution_options(write=True) as connection, connection.begin() as transaction:
        connection.execute(insert(EntityAct), rows)
        transaction.rollback()
    return time.monotonic() - begun
