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


STAY = "5f0c1f3e-1d2a-4b6c-8d3e-000000000001"
ENTITY_FORM = read_form(
    b"""
| survey |
| | type | name | label | save_to | required |
| | text | etat | Etat | etat | yes |
| | select_one_from_file dossiers.csv | autre | Autre | | |
| entities |
| | list_name | label |
| | dossiers | ${etat} |
| settings |
| | form_id | version |
| | arrivee | 1 |
""",
    "arrivee.md",
).xml


class EntityServer:
    """A server with one entity list, announced under a hash that is no MD5. `gone` is its word about every entity."""

    def __init__(self) -> None:
        self.csv, self.announced, self.gone = b"name,label,__version,etat\n", "jeton-1", "false"
        self.base = ""

    def __call__(self, seen: Seen) -> Reply:
        path, _, query = seen.target.partition("?")
        ids = query.partition("id=")[2].partition("&")[0].split("%2C")
        entities = "".join(f'<entity id="{one}"><deleted>{self.gone}</deleted></entity>' for one in ids)
        body = {
            "/formList": '<xforms xmlns="http://openrosa.org/xforms/xformsList"><xform><formID>arrivee</formID>'
            f"<name>A</name><version>1</version><hash>md5:{md5(ENTITY_FORM)}</hash><downloadUrl>{self.base}/form"
            f"</downloadUrl><manifestUrl>{self.base}/manifest</manifestUrl></xform></xforms>",
            "/manifest": '<manifest xmlns="http://openrosa.org/xforms/xformsManifest"><mediaFile type="entityList">'
            f"<filename>dossiers.csv</filename><hash>md5:{self.announced}</hash><downloadUrl>{self.base}/dossiers"
            f"</downloadUrl><integrityUrl>{self.base}/integrity</integrityUrl></mediaFile></manifest>",
            "/form": ENTITY_FORM.decode(),
            "/dossiers": self.csv.decode(),
            "/integrity": f"<data><entities>{entities}</entities></data>",
        }[path]
        return 200, OPENROSA, body.encode()


@pytest.fixture
def lists() -> EntityServer:
    return EntityServer()


@pytest.fixture
def follower(lists: EntityServer) -> Iterator[tuple[Tablet, Recorder]]:
    """A tablet with one entity list, and what its server saw."""
    with recording(lists) as recorder:
        lists.base = recorder.url
        officer = Officer(Random(1), Population(Random(1), 5))
        yield Tablet(recorder.url, Client("collect:x", "agent", Link(Random(1))), officer), recorder


def test_entity_list_is_fetched_when_its_hash_changed_and_its_form_every_time(
    follower: tuple[Tablet, Recorder], lists: EntityServer
) -> None:
    tablet, server = follower
    seen = []
    for lists.announced in ("jeton-1", "jeton-1", "jeton-2"):
        tablet.refresh()
        seen.append([one.removeprefix("GET /") for one in server.lines()[2:]])
        server.seen.clear()
    assert seen == [["form", "dossiers"], ["form"], ["form", "dossiers"]]


def test_entities_made_offline_are_asked_about_in_one_address_until_they_are_gone(
    follower: tuple[Tablet, Recorder], lists: EntityServer
) -> None:
    tablet, server = follower
    tablet.refresh()
    for etat in ("arrive", "clos"):
        tablet.fill("arrivee", NOW, {"etat": etat})
    tablet.refresh()
    asked = [one.target for one in server.seen if one.target.startswith("/integrity")]
    ids = tablet.queue.entities.list_offline("dossiers")
    assert asked == [f"/integrity?id={'%2C'.join(ids)}&deviceID=collect%3Ax"]
    lists.gone = "true"
    tablet.refresh()
    assert tablet.queue.entities.list_offline("dossiers") == []


def test_list_that_cannot_be_read_is_told_and_fetched_again(
    follower: tuple[Tablet, Recorder], lists: EntityServer
) -> None:
    tablet, server = follower
    lists.csv = b"name,label,__version,etat\nabc\n"
    tablet.refresh()
    tablet.refresh()
    assert tablet.faults == ["list dossiers: KeyError"] * 2
    assert server.lines().count("GET /dossiers") == 2


def test_next_form_offers_what_the_last_one_made(follower: tuple[Tablet, Recorder]) -> None:
    tablet, _server = follower
    tablet.refresh()
    tablet.fill("arrivee", NOW, {"etat": "arrive"})
    [made] = tablet.queue.entities.list_offline("dossiers")
    record = tablet.fill("arrivee", NOW, {"etat": "clos", "autre": made})
    assert (record.filled.root.findtext("autre"), record.filled.problems) == (made, [])
    stranger = tablet.fill("arrivee", NOW, {"etat": "clos", "autre": STAY})
    assert stranger.filled.problems == ["/data/autre"]


def test_edit_leaves_the_tablets_lists_as_they_are(follower: tuple[Tablet, Recorder]) -> None:
    tablet, _server = follower
    tablet.refresh()
    record = tablet.fill("arrivee", NOW, {"etat": "arrive"})
    edit = tablet.edit(record, NOW, {"etat": "clos"})
    [made] = tablet.queue.entities.lists["dossiers"].entities.values()
    assert (edit.filled.root.findtext("etat"), made.properties, made.version) == ("clos", {"etat": "arrive"}, 1)


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
    assert server.lines() == ["GET /formList", "GET /manifest", "GET /form", "GET /lieux"]


def test_second_check_asks_for_every_manifest_and_nothing_else(tablet: Tablet, server: Recorder) -> None:
    tablet.refresh()
    server.seen.clear()
    tablet.refresh()
    assert server.lines() == ["GET /formList", "GET /manifest"]


def test_list_that_changed_is_fetched_with_its_form(tablet: Tablet, server: Recorder, fake: FakeServer) -> None:
    tablet.refresh()
    server.seen.clear()
    fake.csv = b"name,label\nc,C\n"
    tablet.refresh()
    assert server.lines() == ["GET /formList", "GET /manifest", "GET /form", "GET /lieux"]


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


def test_a_form_that_nobody_can_answer_is_given_up(tablet: Tablet, fake: FakeServer) -> None:
    fake.csv = b"name,label\n"
    tablet.refresh()
    assert tablet.try_fill("simple", NOW) is None
    assert (tablet.queue.records, tablet.queue.last_saved) == ([], {})
