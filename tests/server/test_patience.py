"""A slow client is waited for as long as it keeps up a least rate, and no longer."""

import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from server import patience
from server.config import Settings
from server.patience import PatientSocket, make_worker
from server.spooling import TooSlow


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_came_is_read_at_once(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].sendall(b"a request")
    assert PatientSocket(ends[0], 60, 1024).recv(100) == b"a request"


def test_silence_is_borne_for_the_grace_only(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TooSlow):
        PatientSocket(ends[0], 0.05, 1).recv(100)


def test_a_client_that_trickles_is_given_up(ends: tuple[socket.socket, socket.socket]) -> None:
    patient, stop = PatientSocket(ends[0], 0.2, 1000), threading.Event()

    def trickle() -> None:
        while not stop.wait(0.02):
            ends[1].sendall(b"x")

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        with pytest.raises(TooSlow):
            read_all(patient)
    finally:
        stop.set()
        thread.join()


def read_all(patient: PatientSocket) -> None:
    while patient.recv(100):
        pass


def test_what_came_buys_more_time(ends: tuple[socket.socket, socket.socket]) -> None:
    patient = PatientSocket(ends[0], 0.1, 10)
    ends[1].sendall(b"x" * 100)
    patient.recv(100)
    time.sleep(0.2)
    ends[1].sendall(b"more")
    assert patient.recv(100) == b"more"


def test_each_request_has_its_own_time(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=lambda: 0.0)
    monkeypatch.setattr(patience, "time", clock)
    patient = PatientSocket(ends[0], 60, 1000)
    clock.monotonic = lambda: 61.0
    patient.begin()
    ends[1].sendall(b"the next")
    assert patient.recv(100) == b"the next"


def test_nothing_takes_longer_than_the_longest(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST_S", 0.0)
    ends[1].sendall(b"late")
    with pytest.raises(TooSlow):
        PatientSocket(ends[0], 60, 1).recv(100)


def test_gunicorn_may_be_less_patient(ends: tuple[socket.socket, socket.socket]) -> None:
    patient = PatientSocket(ends[0], 60, 1024)
    patient.settimeout(0.05)
    with pytest.raises(TooSlow):
        patient.recv(100)
    assert patient.gettimeout() == 0.05


def test_workers_are_as_patient_as_the_settings_say() -> None:
    worker = make_worker(Settings(slow_grace_s=5, slow_rate=10))
    assert (worker.grace_s, worker.rate) == (5.0, 10)
