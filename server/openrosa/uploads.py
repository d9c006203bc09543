"""A submission's multipart body: the record's XML and the files beside it, read before anything is stored."""

from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any

from werkzeug import Request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser

from server.openrosa.errors import MISSING_PART, RETRY_LATER, TOO_LARGE, TOO_SLOW, UNREADABLE_UPLOAD, OpenRosaError
from server.spooling import TooSlow

XML_PART = "xml_submission_file"
_INCOMPLETE = "*isIncomplete*"
# Collect sends at most 101 parts in a request; other clients may be less tidy, an endless list of parts is an attack.
MAX_PARTS = 1000
_IN_MEMORY = 512 * 1024
MAX_XML = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parts:
    xml: bytes
    files: list[FileStorage]
    incomplete: bool


def read_parts(request: Request, closing: ExitStack) -> Parts:
    """Read the body; 400 when it is not multipart or was cut off, or when the record is not in it; 408 when it crawls.

    Large files lie in temporary ones, which end with `closing`.
    """
    form, found = _parse(request, closing)
    files = [file for files in found.listvalues() for file in files]
    xml = next((_read_xml(file) for file in files if file.name == XML_PART), None)
    if xml is None:
        # Some clients send the record as a plain field.
        xml = form.get(XML_PART, "").encode() or None
    if xml is None:
        raise OpenRosaError(400, MISSING_PART)
    others = [file for file in files if file.name != XML_PART]
    return Parts(xml, others, form.get(_INCOMPLETE, "").lower() == "yes")


def name_of(file: FileStorage) -> str:
    """Collect puts the name into both fields; it is data, so a path in it stays as it came."""
    return file.filename or file.name or ""


def _parse(request: Request, closing: ExitStack) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    if request.mimetype != "multipart/form-data" or "boundary" not in request.mimetype_params:
        raise OpenRosaError(400, UNREADABLE_UPLOAD)

    def make_stream(*_about: Any, **_more: Any) -> Any:
        return closing.enter_context(SpooledTemporaryFile(_IN_MEMORY))

    parser = FormDataParser(
        stream_factory=make_stream,
        max_form_memory_size=MAX_XML,
        max_form_parts=MAX_PARTS,
        silent=False,
    )
    try:
        _rest, form, files = parser.parse(
            request.stream, request.mimetype, request.content_length, request.mimetype_params
        )
    except ClientDisconnected as error:
        if isinstance(error.__context__, TooSlow):
            raise OpenRosaError(408, TOO_SLOW, RETRY_LATER) from error
        raise
    except ValueError as error:
        raise OpenRosaError(400, UNREADABLE_UPLOAD) from error
    return form, files


def _read_xml(file: FileStorage) -> bytes:
    xml = file.stream.read(MAX_XML + 1)
    if len(xml) > MAX_XML:
        raise OpenRosaError(413, TOO_LARGE)
    return xml
