"""What relays and their centre tell each other, line by line. The same over a link and on a USB key.

Lines that come are looked at here, and no further: they have the types and widths of what they are kept in.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from forms.errors import N_, FormsError
from sync.db import Base
from sync.models import (
    Device,
    Entity,
    Form,
    FormVersion,
    HeadcountExplanation,
    PeerReceipt,
    RelayedDevice,
    RelayedRecord,
    Site,
    Submission,
    SubmissionMark,
)
from sync.told import fill_in, read_told, widths_of

_Line = TypeVar("_Line", bound="Line")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class RelayRefused(FormsError):
    """Something that a relay or its centre does not take in; nothing of it is kept."""

    messages = {
        "relay_line": N_("What came is not what a relay and its centre tell each other (line %(line)s)."),
        "relay_number": N_("This relay's number is %(number)s here. Correct TERAL_UPSTREAM_NUMBER there."),
        "relay_exists": N_("The site %(site)s has a relay already."),
        "relay_numbers": N_("There are as many relays as there are numbers for them."),
        "relay_unknown": N_("This account is not that of a relay."),
        "relay_foreign": N_("A post speaks of no record but those of its own tablets and sites."),
        "relay_state": N_("A tablet has no such state."),
        "relay_form": N_("Version “%(version)s” of form %(form_id)s did not come with its content."),
        "relay_decision": N_("The centre decides about records and persons here, and about nothing else."),
        "relay_file": N_("A file is not on this server's disk as it was received."),
        "relay_piece": N_("This piece of a file does not continue what is here."),
        "relay_unawaited": N_("No record awaits this file any more."),
    }


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is told. A line of the same name takes the place of an earlier one."""

    @property
    def name(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class HeadLine(Line):
    """When this was told, by the teller's clock; and the latest that was taken of what the other told, by theirs."""

    at: datetime
    took: datetime | None

    @property
    def name(self) -> str:
        return "head"


@dataclass(frozen=True, slots=True)
class RelayLine(Line):
    """A relay as a whole: its number, how many of its records the centre has not taken, and since when."""

    at: datetime
    number: int
    waiting: int
    oldest_at: datetime | None
    # Whether it understands what the centre erased, and what it decided; one of an older version does not.
    erases: bool = False
    heeds: bool = False

    @property
    def name(self) -> str:
        return "relay"


@dataclass(frozen=True, slots=True)
class RecordLine(Line):
    """That a relay holds a record: when and from which tablet it came, and its files by name and content."""

    form_id: str
    version: str
    instance_id: str
    xml_sha256: str
    received_at: datetime
    device: str | None
    site: str | None
    collect_id: str | None
    user_agent: str | None
    files: list[tuple[str, str | None, str, int]]  # name, content type, SHA-256, size
    # Once its answers were erased there: the record itself is not to be had any more.
    erased: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not all(_SHA256.fullmatch(sha256) for _name, _kind, sha256, _size in self.files):
            raise ValueError("a file that no content names")

    @property
    def name(self) -> str:
        return f"record {self.form_id} {self.instance_id} {self.xml_sha256}"


@dataclass(frozen=True, slots=True)
class _OfRecord(Line):
    """What is said of one record, which its form, its instanceID and its bytes name on every server."""

    form_id: str
    instance_id: str
    xml_sha256: str

    @property
    def record(self) -> str:
        return f"{self.form_id} {self.instance_id} {self.xml_sha256}"


@dataclass(frozen=True, slots=True)
class CommentLine(_OfRecord):
    """What somebody at a post wrote about a record."""

    author: str
    body: str
    written_at: datetime

    @property
    def name(self) -> str:
        return f"comment {self.record} {self.written_at.isoformat()} {self.body}"


@dataclass(frozen=True, slots=True)
class MarkLine(_OfRecord):
    """That somebody at a post marked a record as one to be checked or edited, or took that back."""

    author: str
    mark: str
    marked_at: datetime

    @property
    def name(self) -> str:
        return f"mark {self.record}"


@dataclass(frozen=True, slots=True)
class ExplanationLine(Line):
    """Why the head-count of an event does not close, as somebody at a post said of these numbers, or took back."""

    event: str
    numbers: str
    reason: str
    author: str
    explained_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None

    @property
    def name(self) -> str:
        return f"explanation {self.event} {self.explained_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class FactLine(Line):
    """A line of the journal (sync/journal.py): a number that was served, what people did and decided.

    Down comes what was decided at the centre about the relay's records, and no other.
    """

    fact: str

    @property
    def name(self) -> str:
        return f"fact {self.fact}"


@dataclass(frozen=True, slots=True)
class DeviceLine(Line):
    """A tablet behind a relay, as the relay knows it.

    Where it is in a state that the centre gave it, `obeys` is the moment of that word, by the centre's clock.
    """

    device: str
    site: str
    state: str
    language: str
    state_changed_at: datetime
    last_contact_at: datetime | None
    last_contact_kind: str | None
    last_submission_at: datetime | None
    collect_version: str | None
    obeys: datetime | None = None

    @property
    def name(self) -> str:
        return f"device {self.device}"


@dataclass(frozen=True, slots=True)
class ErasureLine(_OfRecord):
    """That the answers of a record which the relay holds were erased at the centre, and what stays of them."""

    retained: dict[str, Any]
    reason: str
    erased_at: datetime

    @property
    def name(self) -> str:
        return f"erasure {self.record}"


@dataclass(frozen=True, slots=True)
class SiteLine(Line):
    """A site, as its list shows it to tablets."""

    code: str
    title: str
    kind: str
    region: str
    capacity: str
    languages: str
    phone: str
    closed: bool

    @property
    def name(self) -> str:
        return f"site {self.code}"


@dataclass(frozen=True, slots=True)
class FormLine(Line):
    """A published version of a form, and its files as [name, SHA-256]; its XML is named by its own."""

    form_id: str
    version: str
    state: str
    sha256: str
    files: list[tuple[str, str]]

    @property
    def name(self) -> str:
        return f"form {self.form_id} {self.version}"


@dataclass(frozen=True, slots=True)
class StateLine(Line):
    """Which state the centre gave a tablet behind the relay: lost, drained, revoked, or in use again.

    `instead_of` names the state that the relay had told of last, by the moment when it began there. A centre of an
    older version names none: only a revocation is obeyed then, until that centre is a newer one and tells it again.
    """

    device: str
    state: str
    changed_at: datetime
    instead_of: datetime | None = None

    @property
    def name(self) -> str:
        return f"state {self.device}"


@dataclass(frozen=True, slots=True)
class EntityLine(Line):
    """An entity as the centre serves it; blank with `gone_at` once it is for no tablet of the relay any more.

    `contains` names what the relay told and the centre has taken into account. `erased` says of how many of the records
    that speak of it the answers were erased, and which properties may stay of what was served before the last was.
    """

    list_name: str
    uuid: str
    number: int
    label: str
    properties: dict[str, str]
    contains: list[str]
    gone_at: datetime | None
    erased: tuple[int, list[str]] | None = None

    @property
    def name(self) -> str:
        return name_entity(self.list_name, self.uuid)


@dataclass(frozen=True, slots=True)
class ReceiptLine(Line):
    """That a line was taken in: the digests of its name and of itself."""

    line_name: str
    digest: str

    @property
    def name(self) -> str:
        return f"receipt {self.line_name}"


_KINDS: dict[str, type[Line]] = {
    "head": HeadLine, "relay": RelayLine, "record": RecordLine, "fact": FactLine, "device": DeviceLine,
    "site": SiteLine, "form": FormLine, "state": StateLine, "entity": EntityLine, "receipt": ReceiptLine,
    "comment": CommentLine, "mark": MarkLine, "explanation": ExplanationLine, "erasure": ErasureLine,
}  # fmt: skip
_NAMES = {kind: name for name, kind in _KINDS.items()}
_KEPT_IN: dict[type[Line], tuple[type[Base], ...]] = {
    RecordLine: (RelayedRecord, Submission), CommentLine: (RelayedRecord,), MarkLine: (RelayedRecord, SubmissionMark),
    ExplanationLine: (HeadcountExplanation,), DeviceLine: (Device,), SiteLine: (Site,), StateLine: (Device,),
    FormLine: (Form, FormVersion), EntityLine: (Entity,), ReceiptLine: (PeerReceipt,), ErasureLine: (RelayedRecord,),
}  # fmt: skip
# Names that a table calls otherwise.
_WIDTHS = {"device": widths_of(RelayedDevice)["name"], "line_name": widths_of(PeerReceipt)["name"]}


def name_entity(list_name: str, uuid: str) -> str:
    """The name of every line that tells of this entity."""
    return f"entity {list_name} {uuid}"


def write_line(line: Line) -> str:
    """One line as text; equal lines give equal texts.

    What a later version added has a default, and is told where it says more: a line that an older server took stays
    the same text.
    """
    more = {one.name for one in fields(line) if getattr(line, one.name) == one.default}
    told = {"line": _NAMES[type(line)], **{name: value for name, value in asdict(line).items() if name not in more}}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, default=lambda moment: moment.isoformat())


def parse_lines(texts: Iterable[str]) -> list[Line]:
    """The lines of these texts, or RelayRefused with the number of the first that is none."""
    return [_parse(text, number) for number, text in enumerate(texts, start=1)]


def parse_each(texts: Iterable[str]) -> tuple[list[Line], list[str]]:
    """The lines of these texts, and for each of those that are none a code: what is broken stops no other."""
    lines: list[Line] = []
    refused: list[str] = []
    for number, text in enumerate(texts, start=1):
        try:
            lines.append(_parse(text, number))
        except RelayRefused as wrong:
            refused.append(wrong.code)
    return lines, refused


def receipt_for(line: Line) -> ReceiptLine:
    """What the peer is answered for a line that was taken in."""
    return ReceiptLine(digest_of(line.name), digest_of(write_line(line)))


def digest_of(text: str) -> str:
    """A name of fixed length for a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_kind(lines: Iterable[Line], kind: type[_Line]) -> list[_Line]:
    """Those lines that are of this kind, in their order."""
    return [one for one in lines if isinstance(one, kind)]


def _parse(text: str, number: int) -> Line:
    try:
        told = read_told(text)
        kind = _KINDS[told.pop("line")]
        # A newer server may say more.
        values = {one.name: told[one.name] for one in fields(kind) if one.name in told}
        return fill_in(kind, values, widths_of(*_KEPT_IN.get(kind, ())) | _WIDTHS)
    except (ValueError, KeyError, TypeError) as wrong:
        raise RelayRefused("relay_line", line=number) from wrong
