"""The requests themselves, held against what is known of Collect v2026.3: its source and its own tests.

OkHttpConnection.java, OkHttpOpenRosaServerClientProvider.java, InstanceServerUploader.java,
OpenRosaPostRequestTest.java.
"""

import re
from collections.abc import Iterator
from random import Random

import pytest

from server.tablets.client import Client, Unreachable, spell_date, split_posts
from server.tablets.link import Link
from server.tablets.login import Login
from tests.server.tablets.recorder import OPENROSA, Recorder, Reply, Seen, recording

AGENT = "org.odk.collect.android/v2026.3.0 Dalvik/2.1.0 (Linux; U; Android 13; SM-T225)"
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def ok(_seen: Seen) -> Reply:
    return 200, OPENROSA, b"<xforms/>"


@pytest.fixture
def server() -> Iterator[Recorder]:
    with recording(ok) as recorder:
        yield recorder


def make_client(link: Link | None = None, login: Login | None = None) -> Client:
    return Client("collect:aB3dE6gH9jK2mN5p", AGENT, link or Link(Random(1)), login)


def test_every_request_says_who_speaks(server: Recorder) -> None:
    client = make_client()
    client.get(f"{server.url}/formList")
    client.head(f"{server.url}/submission")
    client.post(f"{server.url}/submission", b"--b--\r\n", "b")
    for one in server.seen:
        assert one.headers["user-agent"] == AGENT
        assert one.headers["x-openrosa-version"] == "1.0"
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} (0\d|1[0-2]):\d\d:\d\d GMT", one.headers["date"])


def test_device_id_is_on_every_address(server: Recorder) -> None:
    client = make_client()
    client.get(f"{server.url}/formList")
    client.head(f"{server.url}/submission")
    client.post(f"{server.url}/submission", b"--b--\r\n", "b")
    assert {one.target.partition("?")[2] for one in server.seen} == {"deviceID=collect%3AaB3dE6gH9jK2mN5p"}


def test_device_id_joins_a_query_that_is_there(server: Recorder) -> None:
    make_client().get(f"{server.url}/integrity?id=a,b")
    assert server.seen[0].target == "/integrity?id=a,b&deviceID=collect%3AaB3dE6gH9jK2mN5p"


def test_date_has_a_clock_of_twelve_hours() -> None:
    assert spell_date(1_789_571_405) == "Wed, 16 Sep 2026 03:10:05 GMT"


def test_midnight_and_noon_read_twelve() -> None:
    assert [spell_date(at)[17:19] for at in (1_789_516_800, 1_789_560_000)] == ["12", "12"]


def test_post_is_form_data_with_the_record_first(server: Recorder) -> None:
    [(body, boundary)] = split_posts("f02_2026.xml", b"<data/>", {"1.jpg": b"picture", "audit.csv": b"event"})
    make_client().post(f"{server.url}/submission", body, boundary)
    assert re.fullmatch(rf"multipart/form-data; boundary={UUID4}", server.seen[0].headers["content-type"])
    assert server.seen[0].parts() == [
        (
            {
                "content-disposition": 'form-data; name="xml_submission_file"; filename="f02_2026.xml"',
                "content-type": "text/xml",
            },
            b"<data/>",
        ),
        (
            {"content-disposition": 'form-data; name="1.jpg"; filename="1.jpg"', "content-type": "image/jpeg"},
            b"picture",
        ),
        (
            {"content-disposition": 'form-data; name="audit.csv"; filename="audit.csv"', "content-type": "text/csv"},
            b"event",
        ),
    ]


def names_of(body: bytes) -> list[str]:
    return [name.decode() for name in re.findall(rb'form-data; name="([^"]*)"', body)]


def test_more_than_a_hundred_and_one_files_are_split() -> None:
    posts = list(split_posts("x.xml", b"<data/>", {f"{n}.jpg": b"" for n in range(150)}))
    assert [len(names_of(body)) for body, _ in posts] == [103, 50]
    assert [names_of(body)[-1] for body, _ in posts] == ["*isIncomplete*", "149.jpg"]


def test_what_exceeds_the_announced_length_goes_into_the_next_post() -> None:
    files = {"a": b"x" * 60, "b": b"x" * 60, "c": b"x" * 500, "d": b"x"}
    posts = [names_of(body)[1:] for body, _ in split_posts("x.xml", b"<data/>", files, accepted=130)]
    assert posts == [["a", "b", "*isIncomplete*"], ["c", "*isIncomplete*"], ["d"]]


def test_every_part_repeats_the_record_and_says_yes_when_more_follow() -> None:
    posts = [body for body, _ in split_posts("x.xml", b"<data/>", {"a": b"1", "b": b"2"}, accepted=0)]
    assert all(b"\r\n\r\n<data/>\r\n" in body for body in posts)
    assert b'name="*isIncomplete*"\r\n\r\nyes\r\n' in posts[0]


def test_what_is_in_the_cache_is_asked_after() -> None:
    def reply(seen: Seen) -> Reply:
        known = seen.headers.get("if-none-match") == '"1"'
        return 304 if known else 200, {**OPENROSA, "ETag": '"1"'}, b"" if known else b"<xforms/>"

    with recording(reply) as server:
        client = make_client()
        answers = [client.get(f"{server.url}/formList") for _ in range(2)]
    assert [(one.status, one.body, one.from_cache) for one in answers] == [
        (200, b"<xforms/>", False),
        (200, b"<xforms/>", True),
    ]


def test_a_post_that_is_cut_arrives_in_part_and_is_no_answer(server: Recorder) -> None:
    client = make_client(Link(Random(1), cuts=1.0))
    with pytest.raises(Unreachable):
        client.post(f"{server.url}/submission", b"x" * 100_000, "b")
    assert all(len(one.body) < 100_000 for one in server.seen)


def test_a_lost_answer_leaves_the_record_with_the_server(server: Recorder) -> None:
    client = make_client(Link(Random(1), lost_answers=1.0))
    with pytest.raises(Unreachable):
        client.post(f"{server.url}/submission", b"whole", "b")
    assert server.seen[0].body == b"whole"


def test_nobody_there_is_no_answer() -> None:
    with recording(ok) as gone:
        url = gone.url
    with pytest.raises(Unreachable):
        make_client().get(f"{url}/formList")


def ask(scheme: str) -> "Iterator[Recorder]":
    def reply(seen: Seen) -> Reply:
        if "authorization" in seen.headers:
            return 200, OPENROSA, b""
        return 401, {"WWW-Authenticate": scheme}, b""

    return recording(reply)  # type: ignore[return-value]


def test_digest_is_answered_once_asked_and_then_by_itself() -> None:
    with ask('Digest realm="teral", nonce="n", qop="auth", algorithm=MD5') as server:  # type: ignore[attr-defined]
        client = make_client(login=Login("t1", "secret"))
        statuses = [client.get(f"{server.url}/{name}").status for name in ("formList", "other")]
    assert statuses == [200, 200]
    assert ["authorization" in one.headers for one in server.seen] == [False, True, True]
    assert [re.search(r"nc=(\w+)", one.headers["authorization"])[1] for one in server.seen[1:]] == [  # type: ignore[index]
        "00000001",
        "00000002",
    ]


def test_basic_is_never_answered_over_http() -> None:
    with ask('Basic realm="teral"') as server:  # type: ignore[attr-defined]
        answer = make_client(login=Login("t1", "secret")).get(f"{server.url}/formList")
    assert answer.status == 401
    assert len(server.seen) == 1
