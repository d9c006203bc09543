"""What we read from the real Central: everything, once, wherever the line breaks."""

import random
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from sqlalchemy.orm import Session

from server.extensions import attachment_store
from sync.central.run import exchange
from tests.central.backend import Central, Project
from tests.central.conftest import Connect
from tests.sync.central.second_server import count_heads, cut_line, records
from tests.sync.factory import form_file, xml

pytestmark = pytest.mark.central
Sent = dict[str, tuple[str, str | None, tuple[tuple[str, str], ...]]]


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def send_one(project: Project, number: int, seed: int) -> Sent:
    """A record: every fifth with a photograph, every seventh edited, some twice."""
    rng = random.Random(seed + number)
    name = f"r{number}.jpg" if number % 5 == 0 else ""
    photo = rng.randbytes(rng.randrange(1, 40_000)) if name else b""
    files = ((name, digest(photo)),) if name else ()
    instance, sent = f"uuid:r{number}", {}
    chain = [(instance, None)] + [(f"{instance}-b", instance)] * (number % 7 == 0)
    chain += [(f"{instance}-c", f"{instance}-b")] * (number % 21 == 0)
    for one, replaced in chain:
        body = xml(one, photo=name, deprecated_id=replaced, direction=rng.choice(("entree", "sortie")))
        project.send(body, {name: photo} if name and replaced is None else {})
        sent[one] = (digest(body), replaced, files)
    return sent


def fill(project: Project, number: int, seed: int = 7) -> Sent:
    project.publish(form_file("1").xml)
    sent: Sent = {}
    with ThreadPoolExecutor(4) as threads:
        for one in threads.map(lambda number: send_one(project, number, seed), range(number)):
            sent |= one
    return sent


@pytest.mark.parametrize(("number", "cuts"), [(60, 10), (5000, 50)])
def test_a_line_that_breaks_loses_nothing_and_brings_nothing_twice(
    project: Project, central: Central, session: Session, connect: Connect, number: int, cuts: int
) -> None:
    rng = random.Random(7)
    sent = fill(project, number)
    total = number * 2500
    with cut_line(central.url, [rng.randrange(0, total // cuts) for _ in range(cuts)]) as line:
        bridge, runs = connect(line.url), 1
        while (outcome := exchange(bridge)).word != "done":
            runs += 1
            assert runs < 3 * cuts
        assert outcome.problems == []
        assert line.cut == cuts
        assert records(session, attachment_store()) == sent
        assert count_heads(session) == number
        again = exchange(bridge)
    assert (again.word, dict(again.counts), again.problems) == ("done", {}, [])
