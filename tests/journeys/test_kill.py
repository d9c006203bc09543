"""SIGKILL at random moments under load: every record that got a 201 is there, whole, and no half record is."""

import contextlib
import hashlib
import http.client
import itertools
import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.journeys.field import Field, make_field, multipart
from tests.live import start, wait_until_open
from tests.sync.factory import xml

SENDERS = 6


@pytest.mark.parametrize("kills", [pytest.param(2, id="few"), pytest.param(100, id="hundred", marks=pytest.mark.slow)])
def test_no_acknowledged_record_is_lost_by_a_kill(tmp_path: Path, sqlite_template: Path, kills: int) -> None:
    field = make_field(tmp_path, sqlite_template)
    rng, acknowledged = random.Random(kills), dict[str, tuple[bytes, bytes]]()
    for round_ in range(kills):
        acknowledged |= send_until_killed(field, round_, rng.uniform(0, 0.7))
    assert len(acknowledged) >= kills
    check_all_is_there(field, acknowledged)
    check_nothing_is_half(field)


def send_until_killed(field: Field, round_: int, seconds: float) -> dict[str, tuple[bytes, bytes]]:
    """Start the server, load it, kill it and all its workers some time after its first 201; return what it promised."""
    server, over = start(field.settings, "serve"), threading.Event()
    acknowledged: dict[str, tuple[bytes, bytes]] = {}
    senders = [
        threading.Thread(target=send, args=(field, f"{round_}-{number}", acknowledged, over))
        for number in range(SENDERS)
    ]
    try:
        wait_until_open(field.settings.port, server)
        for sender in senders:
            sender.start()
        wait_for_the_first(acknowledged)
        time.sleep(seconds)
    finally:
        kill_all(server)
        over.set()
    for sender in senders:
        sender.join()
    return acknowledged


def wait_for_the_first(acknowledged: dict[str, tuple[bytes, bytes]]) -> None:
    """A kill before any 201 would prove nothing, and a busy machine may need seconds for one."""
    until = time.monotonic() + 30
    while not acknowledged:
        assert time.monotonic() < until, "nothing was acknowledged"
        time.sleep(0.005)


def send(field: Field, name: str, acknowledged: dict[str, tuple[bytes, bytes]], over: threading.Event) -> None:
    """Send records with a photograph each, one after the other, as a tablet that tries again, until it is over."""
    numbers = itertools.count()
    while not over.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", field.settings.port, timeout=20)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            for number in numbers:
                send_one(field, f"uuid:{name}-{number}", connection, acknowledged)


def send_one(
    field: Field, instance_id: str, connection: http.client.HTTPConnection, acknowledged: dict[str, tuple[bytes, bytes]]
) -> None:
    photo, record = os.urandom(2000), xml(instance_id, photo="photo.jpg")
    body, content_type = multipart(record, **{"photo.jpg": photo})
    connection.request("POST", f"{field.path}/submission", body, {"Content-Type": content_type})
    response = connection.getresponse()
    if b"OpenRosaResponse" in response.read() and response.status == 201:
        acknowledged[instance_id] = record, photo


def kill_all(server: subprocess.Popen[bytes]) -> None:
    """The workers get no chance to notice; the stopped master starts none that would be overlooked and live on."""
    os.kill(server.pid, signal.SIGSTOP)
    while _state(server.pid) != "T":
        time.sleep(0.001)
    workers = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for process in (server.pid, *map(int, workers)):
        os.kill(process, signal.SIGKILL)
    server.wait()
    while any(Path(f"/proc/{worker}").exists() and _state(worker) != "Z" for worker in workers):
        time.sleep(0.01)


def _state(process: int | str) -> str:
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]


def check_all_is_there(field: Field, acknowledged: dict[str, tuple[bytes, bytes]]) -> None:
    kept = {str(one): xml_ for one, xml_ in field.ask("SELECT instance_id, xml FROM submissions")}
    lost = [one for one, (record, _photo) in acknowledged.items() if kept.get(one) != record]
    assert lost == []
    store = field.settings.data_path / "attachments"
    for _record, photo in acknowledged.values():
        name = hashlib.sha256(photo).hexdigest()
        assert (store / name[:2] / name[2:]).read_bytes() == photo


def check_nothing_is_half(field: Field) -> None:
    """Every record has its file and its first event, every file its row's hash: what is there is there as a whole."""
    files = field.ask(
        "SELECT s.id, a.blob_sha256 FROM submissions s"
        " LEFT JOIN submission_attachments a ON a.submission_id = s.id AND a.name = 'photo.jpg'"
    )
    store = field.settings.data_path / "attachments"
    for _id, name in files:
        assert hashlib.sha256((store / str(name)[:2] / str(name)[2:]).read_bytes()).hexdigest() == name
    events = field.ask("SELECT count(*) FROM submission_events WHERE kind = 'received'")[0][0]
    assert events == len(files)
    assert field.ask("PRAGMA integrity_check") == [("ok",)]
