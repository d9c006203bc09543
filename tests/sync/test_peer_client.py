"""The polite client against a server that is busy, forgets tokens and lets connections break."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sync.peer_answers import PeerError
from sync.peer_client import Login, PeerClient
from sync.peer_pace import Pace, Patience

FILE = bytes(range(256)) * 1000


@dataclass
class Central:
    """As much of a server as the client must get along with. `faults` are used up one by one, the first first."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)  # after so many bytes of a body the connection ends
    heads: list[bytes] = field(default_factory=list)  # all that comes of an answer before the connection ends
    tokens: int = 0
    knows: str | None = ""  # the token that it takes; None: it wants to see none
    tag: str = '"1"'

    def answer(self, method: str, path: str, headers: Any) -> tuple[int, dict[str, str], bytes]:
        if path == "/v1/sessions":
            self.tokens += 1
            self.knows = f"token-{self.tokens}"
            return 200, {}, json.dumps({"token": self.knows}).encode()
        if headers.get("Authorization") != (self.knows and f"Bearer {self.knows}"):
            return 401, {}, json.dumps({"code": 401.2, "message": "no"}).encode()
        if self.faults:
            status, told = self.faults.pop(0)
            return status, told, json.dumps({"code": status + 0.3, "message": "Awa is known here"}).encode()
        if path.endswith("/file"):
            return self._answer_file(headers)
        return 200, {}, json.dumps(self._rows(path)).encode()

    def _answer_file(self, headers: Any) -> tuple[int, dict[str, str], bytes]:
        if self.tag and self.tag in headers.get("If-None-Match", ""):
            return 304, {"ETag": self.tag}, b""
        wanted = headers.get("Range", "")
        if wanted and headers.get("If-Range") == self.tag:
            return 206, {"ETag": self.tag}, FILE[int(wanted.removeprefix("bytes=").rstrip("-")) :]
        return 200, {"ETag": self.tag}, FILE

    def _rows(self, path: str) -> Any:
        number = int(path.partition("skiptoken=")[2] or 0)
        more = {"@odata.nextLink": f"http://elsewhere/x?%24skiptoken={number + 1}"} if number < 2 else {}
        return {"value": [{"__id": number}], **more}


@contextmanager
def running(certificate: Path | None = None) -> Iterator[Central]:
    central = Central()

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            central.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            central.asked.append((self.command, self.path))
            if central.heads:
                self.close_connection = True
                self.wfile.write(central.heads.pop(0))
                return
            status, headers, body = central.answer(self.command, self.path, self.headers)
            self.send_response_only(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if central.cuts and self.path != "/v1/sessions":
                body, self.close_connection = body[: central.cuts.pop(0)], True
            self.wfile.write(body if self.command != "HEAD" else b"")

        do_GET = do_POST = do_PATCH = do_PUT = do_HEAD = answer

        def log_message(self, *_arguments: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # Whoever waits for no answer has gone when it comes.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    central.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    try:
        yield central
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def central() -> Iterator[Central]:
    with running() as central:
        yield central


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(central: Central, slept: list[float]) -> Iterator[PeerClient]:
    pace = Pace(sleep=slept.append)
    client = PeerClient(central.url, 7, Login("bridge@teral.test", "secret"), pace, Patience(3, 1.0))
    yield client
    client.close()


def test_names_are_encoded_as_central_wants_them(client: PeerClient) -> None:
    assert client.path("forms/{form}", form="a/b ✅*") == "projects/7/forms/a%2Fb%20%E2%9C%85*"


def test_busy_server_is_asked_again_after_the_time_that_it_names(
    client: PeerClient, central: Central, slept: list[float]
) -> None:
    central.faults = [(429, {"Retry-After": "7"}), (503, {})]
    assert client.ask("projects/7")["value"]
    assert 7 <= slept[0] < 9
    assert 1 <= slept[1] <= 2


def test_those_who_are_told_the_same_time_come_at_different_ones(
    client: PeerClient, central: Central, slept: list[float]
) -> None:
    for told in ({"Retry-After": "7"}, {}):
        for _ in range(4):
            central.faults = [(503, told)]
            client.ask("projects/7")
    named, own = slept[:4], slept[4:]
    assert (len(set(named)), len(set(own))) == (4, 4)
    assert min(named) > 7


@pytest.mark.parametrize("status", [429, 503])
def test_what_the_server_did_not_do_is_asked_for_again(client: PeerClient, central: Central, status: int) -> None:
    central.faults = [(status, {})]
    client.call("POST", "projects/7/x", json={"body": "1"})
    assert central.asked.count(("POST", "/v1/projects/7/x")) == 2


@pytest.mark.parametrize(
    ("headers", "tries"), [({"Retry-After": "86400"}, 1), ({"Retry-After": "soon"}, 4)], ids=["for a day", "unreadable"]
)
def test_server_that_stays_busy_is_left_alone(
    client: PeerClient, central: Central, headers: dict[str, str], tries: int
) -> None:
    central.faults = [(503, headers)] * 9
    with pytest.raises(PeerError) as refused:
        client.ask("projects/7")
    assert (refused.value.code, refused.value.is_lasting, 9 - len(central.faults)) == ("peer_busy", True, tries)


def test_forgotten_token_is_replaced(client: PeerClient, central: Central) -> None:
    client.ask("projects/7")
    central.knows = "another"
    assert client.ask("projects/7")
    assert central.tokens == 2


def test_answer_that_breaks_off_is_asked_for_again(client: PeerClient, central: Central) -> None:
    central.cuts = [3, 0]
    assert client.ask("projects/7")["value"] == [{"__id": 0}]


@pytest.mark.parametrize("head", [b"", b"Content-Le", b"Content-Length: 1", b"Transfer-Encoding: chu"])
def test_answer_that_breaks_off_within_its_head_is_asked_for_again(
    client: PeerClient, central: Central, head: bytes
) -> None:
    client.ask("projects/7")
    central.heads = [b"HTTP/1.1 200 OK\r\n" + head] * 2
    with client.download("projects/7/file") as content:
        assert content.read() == FILE


def test_a_file_that_is_here_already_is_not_fetched_again(client: PeerClient, central: Central) -> None:
    with client.download_other("projects/7/file", ("2", "1")) as content:
        assert content is None
    with client.download_other("projects/7/file", ("2",)) as content:
        assert content is not None
        assert content.read() == FILE
    assert [method for method, path in central.asked if path.endswith("/file")] == ["HEAD", "HEAD", "GET"]


def test_what_may_have_been_done_is_not_repeated(client: PeerClient, central: Central) -> None:
    client.ask("projects/7")
    central.cuts = [0]
    with pytest.raises(PeerError) as broken:
        client.call("POST", "projects/7/x", json={"body": "1"})
    assert broken.value.code == "peer_unreachable"
    assert central.asked.count(("POST", "/v1/projects/7/x")) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize("status", [502, 504])
def test_what_a_gateway_lost_is_asked_for_again_only_where_it_changes_nothing(
    client: PeerClient, central: Central, method: str, status: int
) -> None:
    central.faults = [(status, {})]
    assert client.ask("projects/7")
    central.faults = [(status, {})]
    with pytest.raises(PeerError) as lost:
        client.call(method, "projects/7/x", json={"body": "1"})
    assert (lost.value.code, lost.value.is_lasting) == ("peer_busy", True)
    assert central.asked.count((method, "/v1/projects/7/x")) == 1


def test_file_goes_on_where_the_connection_broke(client: PeerClient, central: Central) -> None:
    client.ask("projects/7")
    central.cuts = [70_000, 0, 1, 100_000]
    with client.download("projects/7/file") as content:
        assert content.read() == FILE


def test_file_that_changed_meanwhile_is_fetched_anew(client: PeerClient, central: Central) -> None:
    client.ask("projects/7")
    central.cuts, central.tag = [70_000], ""
    with client.download("projects/7/file") as content:
        assert content.read() == FILE


def test_file_on_a_dead_line_is_given_up(client: PeerClient, central: Central) -> None:
    client.ask("projects/7")
    central.cuts = [0] * 9
    with pytest.raises(PeerError, match="connection broke"), client.download("projects/7/file"):
        raise AssertionError("there is no such file")


def test_every_page_of_a_table_is_read_by_its_token(client: PeerClient) -> None:
    assert [row["__id"] for rows in client.list_rows("projects/7/t") for row in rows] == [0, 1, 2]


def test_table_that_is_none_is_told(client: PeerClient, central: Central) -> None:
    client.ask("projects/7")
    with pytest.raises(PeerError) as refused:
        list(client.list_rows("sessions"))
    assert refused.value.code == "peer_confused"


@pytest.mark.parametrize(
    ("status", "code"), [(403, "peer_forbidden"), (404, "peer_missing"), (409, "peer_refused"), (501, "peer_refused")]
)
def test_refusals_are_told_apart_and_quote_no_answer(
    client: PeerClient, central: Central, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    central.faults = [(status, {})] * 2
    for ask in (lambda: client.ask("projects/7"), lambda: list(client.pyodk.forms.list())):
        with pytest.raises(PeerError) as refused, client.translating():
            ask()
        assert (refused.value.code, refused.value.problem, refused.value.is_lasting) == (code, status + 0.3, False)
    assert "Awa" not in caplog.text + str(refused.value)


def test_wrong_password_is_told(central: Central, client: PeerClient) -> None:
    client.ask("projects/7")
    central.answer = lambda *_: (401, {}, b"{}")  # type: ignore[method-assign, assignment]
    with pytest.raises(PeerError) as refused:
        client.ask("projects/7")
    assert refused.value.code == "peer_credentials"


def test_a_certificate_that_nobody_vouches_for_is_told_at_once(tmp_path: Path, slept: list[float]) -> None:
    with running(write_certificate(tmp_path / "server.pem")) as central:
        client = PeerClient(central.url, 7, Login("bridge@teral.test", "secret"), Pace(sleep=slept.append))
        with pytest.raises(PeerError) as told:
            client.ask("projects/7")
        client.close()
    assert (told.value.code, told.value.is_lasting, slept, central.asked) == ("peer_certificate", True, [], [])


@pytest.mark.parametrize("answers", [0, 1], ids=["the login", "a record"])
def test_what_is_for_one_server_is_sent_to_no_other(client: PeerClient, central: Central, answers: int) -> None:
    with running() as elsewhere:
        for _ in range(answers):
            client.ask("projects/7")
        central.heads.append(f"HTTP/1.1 307 Go\r\nLocation: {elsewhere.url}/x\r\nContent-Length: 0\r\n\r\n".encode())
        with pytest.raises(PeerError) as told:
            client.call("POST", "projects/7/forms/f/submissions", data=b"<data/>")
    assert (told.value.code, elsewhere.asked) == ("peer_confused", [])


def test_a_file_that_lies_elsewhere_is_fetched_there_without_our_token(client: PeerClient, central: Central) -> None:
    with running() as elsewhere:
        client.ask("projects/7")
        elsewhere.knows = None
        central.heads.append(
            f"HTTP/1.1 307 Go\r\nLocation: {elsewhere.url}/open/file\r\nContent-Length: 0\r\n\r\n".encode()
        )
        with client.download("projects/7/file") as content:
            assert content.read() == FILE


def write_certificate(path: Path) -> Path:
    """One that its server signed itself, with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(*pem) + made.sign(key, hashes.SHA256()).public_bytes(pem[0]))
    return path


def test_review_state_can_be_taken_back(client: PeerClient, central: Central) -> None:
    client.review("f", "uuid:1", None)
    assert json.loads(central.bodies[-1]) == {"reviewState": None}


def test_nothing_is_kept_in_the_home_folder(
    client: PeerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    client.ask("projects/7")
    assert list(tmp_path.iterdir()) == []


def test_no_request_is_made_after_the_time_for_all_of_them(central: Central) -> None:
    now = [0.0]
    client = PeerClient(central.url, 7, Login("a", "b"), Pace(clock=lambda: now[0]), Patience(whole_s=20))
    now[0] = 20.0
    assert client.ask("projects/7")
    now[0] = 20.1
    with pytest.raises(PeerError) as slow:
        client.ask("projects/7")
    assert (slow.value.code, slow.value.is_lasting) == ("peer_slow", True)
    client.close()


def test_no_answer_is_waited_for_longer_than_patience_lasts(central: Central) -> None:
    answered = threading.Event()
    central.answer = lambda *_: (answered.wait(10), (200, {}, b"{}"))[1]  # type: ignore[method-assign]
    client = PeerClient(central.url, 7, Login("a", "b"), patience=Patience(0, wait_s=0.05))
    with pytest.raises(PeerError) as late:
        client.ask("projects/7")
    answered.set()
    assert late.value.code == "peer_unreachable"
    client.close()


def test_bodies_go_out_at_the_pace_too(central: Central) -> None:
    slept: list[float] = []
    client = PeerClient(central.url, 7, Login("a", "b"), Pace(0, 1000, slept.append, lambda: 0.0), Patience())
    client.call("POST", "projects/7/x", data=b"x" * 200_000)
    client.call("POST", "projects/7/x", data=(b"ab" for _ in range(1)))
    assert len(central.bodies[-2]) == 200_000
    assert sum(slept) > 200
