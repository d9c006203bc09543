"""Collect's odd habits against the real server: chunked bodies, endless addresses, a thousand equal records at once."""

import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.journeys.field import Field, make_field, multipart
from tests.live import serving
from tests.sync.factory import xml

ODD_FORM = "'=+/*-451%/%"


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Field]:
    field = make_field(tmp_path_factory.mktemp("live"), sqlite_template, draft=ODD_FORM)
    with serving(field.settings):
        yield field


def connect(field: Field) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", field.settings.port, timeout=30)


def ask(field: Field, method: str, path: str, **more: object) -> tuple[int, bytes]:
    connection = connect(field)
    connection.request(method, path, **more)  # type: ignore[arg-type]
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_chunked_body_is_taken(field: Field) -> None:
    body, content_type = multipart(xml("uuid:chunked"))
    pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
    status, _answer = ask(
        field, "POST", f"{field.path}/submission", body=iter(pieces), headers={"Content-Type": content_type},
        encode_chunked=True,
    )  # fmt: skip
    assert (status, field.count("uuid:chunked")) == (201, 1)


@pytest.mark.parametrize(("length", "status"), [(60_000, 200), (70_000, 414)], ids=["60 KB", "70 KB"])
def test_endless_address_is_taken_up_to_a_length(field: Field, length: int, status: int) -> None:
    assert ask(field, "GET", f"{field.path}/formList?id={'x' * length}")[0] == status


def test_form_id_of_any_characters_is_found(field: Field) -> None:
    path = f"/v1/test/{field.draft_token}/projects/1/forms/{quote(ODD_FORM, safe='')}/draft"
    status, listed = ask(field, "GET", f"{path}/formList")
    assert (status, b"-451%/%" in listed) == (200, True)
    assert ask(field, "GET", f"{path}/form.xml")[0] == 200
    assert ask(field, "HEAD", f"{path}/submission")[0] == 204


def test_a_thousand_equal_records_at_once_are_one(field: Field) -> None:
    body, content_type = multipart(xml("uuid:thousand"))

    def send_many(times: int) -> Counter[int]:
        connection, seen = connect(field), Counter[int]()
        for _ in range(times):
            connection.request("POST", f"{field.path}/submission", body, {"Content-Type": content_type})
            response = connection.getresponse()
            response.read()
            seen[response.status] += 1
        connection.close()
        return seen

    with ThreadPoolExecutor(20) as pool:
        seen = sum(pool.map(send_many, [50] * 20), Counter[int]())
    assert (seen, field.count("uuid:thousand")) == ({201: 1000}, 1)


def test_tablet_that_falls_silent_holds_nobody_up(field: Field) -> None:
    body, content_type = multipart(xml("uuid:silent"))
    head = f"POST {field.path}/submission HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n"
    silent = []
    for _ in range(6):
        one = socket.create_connection(("127.0.0.1", field.settings.port))
        one.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:50])
        silent.append(one)
    assert ask(field, "GET", f"{field.path}/formList")[0] == 200
    for one in silent:
        one.close()
    assert field.count("uuid:silent") == 0


def test_contacts_reach_the_database_within_seconds(field: Field) -> None:
    ask(field, "GET", f"{field.path}/formList?deviceID=collect%3Alive", headers={"User-Agent": "curl"})
    pause, deadline = threading.Event(), time.monotonic() + 15
    while field.collect_id() != "collect:live" and time.monotonic() < deadline:
        pause.wait(0.1)
    assert field.collect_id() == "collect:live"


def test_log_holds_no_token(field: Field) -> None:
    log = (field.settings.data_path / "serve.log").read_text()
    assert "/v1/key/…/projects/1/formList" in log
    assert field.path.split("/")[3] not in log
