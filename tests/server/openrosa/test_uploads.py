"""Multipart bodies as tablets and odder clients write them."""

import io
from contextlib import ExitStack
from typing import Any

import pytest
from werkzeug import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.test import EnvironBuilder

from server.openrosa import uploads
from server.openrosa.errors import MISSING_PART, TOO_LARGE, TOO_SLOW, UNREADABLE_UPLOAD, OpenRosaError, translate_error
from server.openrosa.uploads import Parts, name_of, read_parts
from server.spooling import TooSlow

XML = b"<data id='a'/>"


def posted(**data: Any) -> Request:
    return Request(EnvironBuilder(method="POST", data=data, content_type="multipart/form-data").get_environ())


def read(request: Request) -> Parts:
    with ExitStack() as closing:
        parts = read_parts(request, closing)
        for one in parts.files:
            one.content = one.stream.read()  # type: ignore[attr-defined]
        return parts


def refused(request: Request) -> tuple[int, str]:
    with pytest.raises((OpenRosaError, RequestEntityTooLarge)) as refusal:
        read(request)
    answer = translate_error(refusal.value)
    return answer.status, answer.message


def test_record_and_files_are_told_apart() -> None:
    parts = read(posted(xml_submission_file=(io.BytesIO(XML), "a.xml"), photo=(io.BytesIO(b"jpeg"), "photo.jpg")))
    assert (parts.xml, parts.incomplete) == (XML, False)
    assert [(name_of(one), one.content) for one in parts.files] == [("photo.jpg", b"jpeg")]  # type: ignore[attr-defined]


def test_record_as_a_plain_field_is_a_record() -> None:
    assert read(posted(xml_submission_file=XML.decode())).xml == XML


@pytest.mark.parametrize(("said", "incomplete"), [("yes", True), ("YES", True), ("no", False), ("", False)])
def test_tablet_says_whether_more_follows(said: str, incomplete: bool) -> None:
    request = posted(**{"xml_submission_file": (io.BytesIO(XML), "a.xml"), "*isIncomplete*": said})
    assert read(request).incomplete is incomplete


def test_file_without_a_file_name_has_its_fields_name() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n'
    whole = body % (b"xml_submission_file", b"a.xml", XML) + body % (b"photo.jpg", b"", b"jpeg") + b"--B--\r\n"
    builder = EnvironBuilder(method="POST", data=whole, content_type="multipart/form-data; boundary=B")
    assert [name_of(one) for one in read(Request(builder.get_environ())).files] == ["photo.jpg"]


def test_body_without_a_record_is_refused() -> None:
    assert refused(posted(photo=(io.BytesIO(b"jpeg"), "photo.jpg"))) == (400, MISSING_PART)


def test_what_is_no_multipart_is_refused() -> None:
    builder = EnvironBuilder(method="POST", data=XML, content_type="text/xml")
    assert refused(Request(builder.get_environ())) == (400, UNREADABLE_UPLOAD)


def test_record_of_endless_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_XML", 10)
    assert refused(posted(xml_submission_file=(io.BytesIO(XML), "a.xml"))) == (413, TOO_LARGE)


class Broken(io.BytesIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def read(self, _size: int | None = -1) -> bytes:
        raise self.error

    def readinto(self, _buffer: Any) -> int:
        raise self.error


def broken(error: OSError) -> Request:
    environ = posted(xml_submission_file=XML.decode()).environ
    return Request({**environ, "wsgi.input": Broken(error), "CONTENT_LENGTH": "100"})


def test_tablet_that_is_too_slow_is_told_when_to_try_again() -> None:
    assert refused(broken(TooSlow())) == (408, TOO_SLOW)


def test_tablet_that_went_away_is_no_fault_of_ours() -> None:
    with pytest.raises(ClientDisconnected):
        read(broken(ConnectionResetError()))
