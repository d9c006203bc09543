"""Which kind of file a form came in, and whether a workbook is safe to open. Nothing is unpacked to disk."""

import zipfile
from io import BytesIO
from pathlib import PurePath
from typing import Literal

from forms.errors import FormRefused

SourceKind = Literal["xlsx", "xls", "csv", "md", "xml"]

_MB = 1024 * 1024
_MAX_FILE = 16 * _MB
# The largest public XLSForms unpack to a few MB in some twenty members, at ratios under 20.
_MAX_UNPACKED = 64 * _MB
_MAX_MEMBERS = 500
_MAX_RATIO = 200
# Small members of repeated bytes compress very well and harm nobody.
_RATIO_FROM = _MB
_KINDS: dict[str, SourceKind] = {".csv": "csv", ".md": "md", ".xml": "xml"}
_OLE_MAGIC = b"\xd0\xcf\x11\xe0"


def find_source_kind(data: bytes, filename: str) -> SourceKind:
    """Tell the kind by the content where it can be told, by the name for text; refuse all other files."""
    if data.startswith(b"PK"):
        return "xlsx"
    if data.startswith(_OLE_MAGIC):
        return "xls"
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "xml"
    kind = _KINDS.get(PurePath(filename).suffix.lower())
    if kind is None:
        raise FormRefused("form_file_kind")
    return kind


def refuse_unsafe(data: bytes, kind: SourceKind) -> None:
    """Refuse a workbook that would take more memory than any form needs, before anything opens it."""
    if len(data) > _MAX_FILE:
        raise FormRefused("form_file_too_large", limit_mb=_MAX_FILE // _MB)
    if kind == "xlsx":
        _refuse_unsafe_archive(data)


def _refuse_unsafe_archive(data: bytes) -> None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            _refuse_bomb(members)
            _refuse_doctype(archive, members)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        # RuntimeError is zipfile's word for an encrypted member.
        raise FormRefused("form_file_unreadable") from None


def _refuse_bomb(members: list[zipfile.ZipInfo]) -> None:
    # zipfile never reads past the size that a member declares, so that the declared sizes can be trusted as caps.
    unpacked = sum(one.file_size for one in members)
    dense = any(one.file_size > max(_RATIO_FROM, _MAX_RATIO * one.compress_size) for one in members)
    if len(members) > _MAX_MEMBERS or unpacked > _MAX_UNPACKED or dense:
        raise FormRefused("form_file_bomb")


def _refuse_doctype(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        with archive.open(member) as opened:
            # Without the zero bytes, UTF-16 reads like ASCII.
            if b"<!DOCTYPE" in opened.read(4096).replace(b"\0", b"").upper():
                raise FormRefused("xml_doctype")
