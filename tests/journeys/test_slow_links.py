"""Thin links against the real server: the slow are waited for, the endless are not, and nobody else waits."""

import contextlib
import http.client
import io
import json
import random
import socket
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server import create_app
from server.extensions import db
from tests.accounts import PASSWORD, add_account
from tests.journeys.field import Field, make_field, multipart
from tests.live import serving
from tests.sync.factory import xml

GRACE_S = 1
RATE = 2000
MORE_THAN_WORK = 20  # slow clients; the server has 2 × 8 threads for work


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Field]:
    field = make_field(tmp_path_factory.mktemp("slow"), sqlite_template)
    field = replace(field, settings=replace(field.settings, slow_grace_s=GRACE_S, slow_rate=RATE))
    with serving(field.settings):
        yield field


def write_post(field: Field, instance_id: str, photo: bytes) -> tuple[bytes, bytes]:
    body, content_type = multipart(xml(instance_id, photo="photo.jpg"), **{"photo.jpg": photo})
    head = f"POST {field.path}/submission HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body


def dial(field: Field) -> socket.socket:
    return socket.create_connection(("127.0.0.1", field.settings.port), timeout=20)


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def send_at(connection: socket.socket, request: tuple[bytes, bytes], rate: int) -> None:
    """Send the body in small pieces at this rate, until all is sent or the other side has ended."""
    head, body = request
    connection.sendall(head)
    with contextlib.suppress(OSError):
        for start in range(0, len(body), rate // 20):
            connection.sendall(body[start : start + rate // 20])
            time.sleep(0.05)


def send_record(field: Field, instance_id: str) -> int:
    with dial(field) as connection:
        connection.sendall(b"".join(write_post(field, instance_id, b"jpeg")))
        return read_answer(connection)[0]


def test_thin_link_is_waited_for(field: Field) -> None:
    with dial(field) as connection:
        begun = time.monotonic()
        send_at(connection, write_post(field, "uuid:thin", b"x" * 30_000), 10 * RATE)
        assert time.monotonic() - begun > GRACE_S
        assert read_answer(connection)[0] == 201
    assert field.count("uuid:thin") == 1


def test_tablet_that_only_trickles_is_told_and_may_send_again(field: Field) -> None:
    with dial(field) as connection:
        send_at(connection, write_post(field, "uuid:trickle", b"x" * 600), 100)
        status, answer = read_answer(connection)
    assert (status, b"OpenRosaResponse" in answer, field.count("uuid:trickle")) == (408, True, 0)
    assert (send_record(field, "uuid:trickle"), field.count("uuid:trickle")) == (201, 1)


def test_request_without_an_end_is_closed(field: Field) -> None:
    with dial(field) as connection:
        connection.sendall(b"GET /healthz HTT")
        assert connection.recv(100) == b""


def test_many_slow_tablets_hold_up_nobody(field: Field) -> None:
    with contextlib.ExitStack() as links:
        for number in range(MORE_THAN_WORK):
            link = links.enter_context(dial(field))
            # So much that its rate is fine for longer than the others need.
            link.sendall(b"".join(write_post(field, f"uuid:slow-{number}", b"x" * 60_000))[:40_000])
        assert send_record(field, "uuid:quick") == 201
        assert ask(field, "/healthz") == 200


def test_slow_form_of_a_page_keeps_no_tablet_waiting(field: Field) -> None:
    with dial(field) as connection:
        connection.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n")
        connection.sendall(b"Content-Length: 100\r\n\r\nemail=")
        time.sleep(0.2)
        assert send_record(field, "uuid:beside-a-page") == 201
        assert read_answer(connection)[0] == 408


def ask(field: Field, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", field.settings.port, timeout=20)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def log_in(field: Field) -> str:
    """The token of a program that may export all."""
    with create_app(field.settings).app_context():
        email = add_account(db.session(), "exchange").email
        db.engine.dispose()
    connection = http.client.HTTPConnection("127.0.0.1", field.settings.port, timeout=20)
    body = json.dumps({"email": email, "password": PASSWORD})
    connection.request("POST", "/v1/sessions", body, {"Content-Type": "application/json"})
    token = str(json.load(connection.getresponse())["token"])
    connection.close()
    return token


def export(field: Field, token: str, **headers: str) -> tuple[socket.socket, http.client.HTTPResponse]:
    connection = socket.socket()
    # So little that the server waits for its reader long before the end.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", field.settings.port))
    asked = {"Host": "x", "Authorization": f"Bearer {token}", "Connection": "close", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
    connection.sendall(f"GET /v1/projects/1/forms/passage/submissions.csv.zip HTTP/1.1\r\n{lines}\r\n".encode())
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return connection, answer


def wait_until_kept(field: Field) -> None:
    deadline = time.monotonic() + 20
    while not [one for one in (field.settings.data_path / "exports").iterdir() if not one.suffix]:
        assert time.monotonic() < deadline, "it is not kept"
        time.sleep(0.02)


def test_who_lost_the_line_in_an_export_takes_it_up_again(field: Field) -> None:
    photo, token = random.Random(1).randbytes(12_000_000), log_in(field)
    with dial(field) as connection:
        connection.sendall(b"".join(write_post(field, "uuid:photo", photo)))
        assert read_answer(connection)[0] == 201
    connection, answer = export(field, token)
    begin = answer.read(300_000)
    answer.close(), connection.close()
    wait_until_kept(field)
    headers = {"Range": f"bytes={len(begin)}-", "If-Range": answer.headers["ETag"]}
    connection, rest = export(field, token, **headers)
    with connection, rest, zipfile.ZipFile(io.BytesIO(begin + rest.read())) as archive:
        assert (rest.status, archive.testzip(), archive.read("media/photo.jpg") == photo) == (206, None, True)
