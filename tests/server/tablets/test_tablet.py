"""What a tablet makes of answers: Collect's table of statuses, its downloads, its order of sending."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from forms.xlsform import read_form
from server.tablets.client import Client
from server.tablets.filler import Officer
from server.tablets.link import Link
from server.tablets.listing import NotOpenRosa
from server.tablets.people import Population
from server.tablets.tablet import Tablet, list_forms
from tests.server.tablets.recorder import OPENROSA, Recorder, Reply, Seen, recording

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
XLSFORM = b"""
| survey |
| | type | name | label | required |
| | text | nom | Nom | yes |
| | select_one_from_file lieux.csv | lieu | Lieu | yes |
| settings |
| | form_id | version |
| | simple | 1 |
"""
XML = read_form(XLSFORM, "simple.md").xml
CSV = b"name,label\na,A\nb,B\n"
THANKS = b'<OpenRosaResponse xmlns="http://openrosa.org/http/response"><message>Merci</message></OpenRosaResponse>'


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class FakeServer:
    """What a stranger's OpenRosa server would say; `head` and `post` are the statuses of a submission."""

    def __init__(self) -> None:
        self.head, self.post = 204, 201
        self.accepts = "10000000"
        self.xml, self.csv, self.announced = XML, CSV, md5(XML)
        self.base = ""

    def __call__(self, seen: Seen) -> Reply:
        path = seen.target.partition("?")[0]
        if path.endswith("/submission"):
            length = {"X-OpenRosa-Accept-Content-Length": self.accepts}
            return (self.head, {**OPENROSA, **length}, b"") if seen.method == "HEAD" else (self.post, OPENROSA, THANKS)
        body = {"/formList": self.list_forms(), "/manifest": self.manifest(), "/form": self.xml, "/lieux": self.csv}[
            path
        ]
        return 200, OPENROSA, body

    def list_forms(self) -> bytes:
        return (
            '<xforms xmlns="http://openrosa.org/xforms/xformsList"><xform><formID>simple</formID><name>S</name>'
            f"<version>1</version><hash>md5:{self.announced}</hash><downloadUrl>{self.base}/form</downloadUrl>"
            f"<manifestUrl>{self.base}/manifest</manifestUrl></xform></xforms>"
        ).encode()

    def manifest(self) -> bytes:
        return (
            '<manifest xmlns="http://openrosa.org/xforms/xformsManifest"><mediaFile><filename>lieux.csv</filename>'
            f"<hash>md5:{md5(self.csv)}</hash><downloadUrl>{self.base}/lieux</downloadUrl></mediaFile></manifest>"
        ).encode()


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@pytest.fixture
def server(fake: FakeServer) -> Iterator[Recorder]:
    with recording(fake) as recorder:
        fake.base = recorder.url
        yield recorder


@pytest.fixture
def tablet(server: Recorder) -> Tablet:
    officer = Officer(Random(1), Population(Random(1), 5))
    return Tablet(server.url, Client("collect:x", "agent", Link(Random(1))), officer, retries=2)


def test_form_comes_with_its_files(tablet: Tablet, server: Recorder) -> None:
    tablet.refresh()
    assert list_forms(tablet) == ["simple"]
    assert server.lines() == ["GET /formList", "GET /manifest", "GET /lieux", "GET /form"]


def test_second_check_asks_for_every_manifest_and_nothing_else(tablet: Tablet, server: Recorder) -> None:
    tablet.refresh()
    server.seen.clear()
    tablet.refresh()
    assert server.lines() == ["GET /formList", "GET /manifest"]


def test_list_that_changed_is_fetched_alone(tablet: Tablet, server: Recorder, fake: FakeServer) -> None:
    tablet.refresh()
    server.seen.clear()
    fake.csv = b"name,label\nc,C\n"
    tablet.refresh()
    assert server.lines() == ["GET /formList", "GET /manifest", "GET /lieux"]


def test_form_that_is_not_what_was_announced_is_refused(tablet: Tablet, fake: FakeServer) -> None:
    fake.announced = md5(b"another")
    with pytest.raises(NotOpenRosa):
        tablet.refresh()


def test_form_that_is_listed_no_more_goes(tablet: Tablet, fake: FakeServer) -> None:
    tablet.refresh()
    fake.list_forms = lambda: b'<xforms xmlns="http://openrosa.org/xforms/xformsList"/>'  # type: ignore[method-assign]
    tablet.refresh()
    assert list_forms(tablet) == []


def test_every_record_is_announced_by_a_head(tablet: Tablet, server: Recorder) -> None:
    tablet.refresh()
    server.seen.clear()
    for minute in range(2):
        tablet.fill("simple", NOW + timedelta(minutes=minute))
    assert tablet.send() == 0
    assert server.lines() == ["HEAD /submission", "POST /submission"] * 2


@pytest.mark.parametrize(
    ("head", "post", "posts", "state"),
    [
        pytest.param(204, 201, 1, "sent", id="201 is sent"),
        pytest.param(204, 202, 1, "sent", id="202 is sent"),
        pytest.param(204, 200, 2, "failed", id="200 looks like a network's login page"),
        pytest.param(204, 204, 2, "failed", id="204 is an exception"),
        pytest.param(204, 400, 2, "failed", id="400 stays on the tablet"),
        pytest.param(204, 409, 2, "failed", id="409 stays on the tablet"),
        pytest.param(204, 503, 2, "failed", id="503 is tried again"),
        pytest.param(204, 401, 1, "failed", id="401 stops the run"),
        pytest.param(200, 201, 0, "failed", id="HEAD with another 2xx stops the record"),
        pytest.param(401, 201, 0, "failed", id="HEAD with 401 stops the run"),
        pytest.param(403, 201, 1, "sent", id="HEAD with 403 is ignored"),
        pytest.param(404, 201, 1, "sent", id="HEAD with 404 is ignored"),
        pytest.param(500, 201, 1, "sent", id="HEAD with 500 is ignored"),
    ],
)
def test_answer_decides_what_becomes_of_a_record(
    tablet: Tablet, server: Recorder, fake: FakeServer, head: int, post: int, posts: int, state: str
) -> None:
    tablet.refresh()
    record = tablet.fill("simple", NOW)
    fake.head, fake.post = head, post
    tablet.send()
    assert record.state == state
    assert server.lines().count("POST /submission") == posts


def test_message_is_shown_unless_it_is_a_401(tablet: Tablet, fake: FakeServer) -> None:
    tablet.refresh()
    shown = []
    for fake.post in (201, 401):
        record = tablet.fill("simple", NOW)
        tablet.send()
        shown.append(record.message)
    assert shown == ["Merci", ""]


def test_records_go_in_the_order_in_which_they_were_finalised(tablet: Tablet, server: Recorder) -> None:
    tablet.refresh()
    records = [tablet.fill("simple", NOW - timedelta(hours=hours)) for hours in range(3)]
    tablet.send()
    sent = [one.parts()[0][1] for one in server.seen if one.method == "POST"]
    assert sent == [one.xml for one in reversed(records)]


def test_edit_is_a_clone_that_names_what_it_replaces(tablet: Tablet) -> None:
    tablet.refresh()
    first = tablet.fill("simple", NOW)
    edit = tablet.edit(first, NOW + timedelta(minutes=5))
    assert edit.instance_id != first.instance_id
    assert f"<deprecatedID>{first.instance_id}</deprecatedID>".encode() in edit.xml
    assert b"<lieu>" + first.xml.partition(b"<lieu>")[2][:1] in edit.xml
