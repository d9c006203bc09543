"""One program speaks to Central and to us in the same words; what they answer is held side by side.

ETags are not compared: Central tags every answer, while ours are kept by no cache (no-store) but for files.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zipfile import ZipFile

import requests
from lxml import etree

Only = Callable[[Any], Any]
_HEADERS = ("Content-Disposition", "OData-Version", "Location", "WWW-Authenticate", "Retry-After")
# What a server makes up itself, and sentences for people: only that it is there, and of which type, is compared.
_MADE_UP = re.compile(r".*Id|.*Hash|.*Token|id|token|csrf|message|sha|hash|reason|error")
_NAMED = {"xmlFormId", "instanceId", "__id", "formId", "deviceId"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_SKIP = re.compile(r"skiptoken=[^&\"]*")


@dataclass
class Side:
    """One of the two servers, with a program that is logged in there. What it answered fills later addresses."""

    url: str
    session: requests.Session
    names: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, path: str, given: dict[str, Any]) -> requests.Response:
        address = f"{self.url}/v1/{_fill(path, self.names)}"
        return self.session.request(method, address, timeout=60, allow_redirects=False, **given)


@dataclass
class Pair:
    """Both sides, and every difference between their answers so far."""

    central: Side
    ours: Side
    found: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, only: Only | None = None, **given: Any) -> tuple[Any, Any]:
        """Both answers to one request; `only` names the part of them that is compared."""
        there, here = (side.ask(method, path, given) for side in (self.central, self.ours))
        told = [tell(answer, side, only) for answer, side in ((there, self.central), (here, self.ours))]
        self.found += [f"{_label(method, path, given)}: {said}" for said in compare(*told)]
        return there, here

    def get(self, *paths: str, only: Only | None = None, **given: Any) -> None:
        for path in paths:
            self.ask("GET", path, only, **given)

    def name(self, name: str, *values: Any) -> None:
        """Keep what each of them called something as a part of later addresses."""
        for side, value in zip((self.central, self.ours), values, strict=True):
            side.names[name] = value


def _fill(path: str, names: dict[str, Any]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(names[found[1]]), path)


def _label(method: str, path: str, given: dict[str, Any]) -> str:
    body = given.get("json", given.get("data", b""))
    said = json.dumps(body) if not isinstance(body, bytes) else body[:60].decode(errors="replace") if body else ""
    asked = "".join(f" {name}={value}" for name, value in given.get("headers", {}).items() if name != "Content-Type")
    return f"{method} {path.replace('projects/{project}/', '')}{asked} {said}".strip()


def tell(answer: requests.Response, side: Side, only: Only | None = None) -> dict[str, Any]:
    """An answer as it can be compared: whatever differs from server to server and from run to run is levelled."""
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    told: dict[str, Any] = {"status": answer.status_code, "type": kind}
    told |= {name: _level(answer.headers[name], side) for name in _HEADERS if name in answer.headers}
    told["body"] = _read_body(kind, answer, side, only)
    return told


def _read_body(kind: str, answer: requests.Response, side: Side, only: Only | None) -> Any:
    if kind == "application/json":
        body = answer.json()
        return _level_json(only(body) if only is not None and answer.ok else body, side)
    if kind == "text/csv":
        return _read_csv(answer.content, side)
    if kind == "application/zip":
        return _read_zip(answer.content, side)
    if kind.endswith("xml") and answer.content:
        return _level(_order(etree.fromstring(answer.content)), side)
    return _level(answer.text, side)


def _order(root: etree._Element) -> str:
    """In $metadata order means nothing, and annotations are for what each server can filter by."""
    if root.tag.endswith("}Edmx"):
        etree.strip_elements(root, "{*}Annotation")
        for one in root.iter():
            one.text = one.tail = None
            one[:] = sorted(one, key=lambda inner: (inner.tag, inner.get("Name", "")))
    return etree.tostring(root, method="c14n2", strip_text=True).decode()


def _read_csv(content: bytes, side: Side) -> list[list[str]]:
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    made_up = [at for at, name in enumerate(rows[0]) if name in ("SubmitterID", "__creatorId")]
    return [[_level(one, side) if at not in made_up else "…" for at, one in enumerate(row)] for row in rows]


def _read_zip(content: bytes, side: Side) -> dict[str, Any]:
    with ZipFile(io.BytesIO(content)) as archive:
        return {
            name: _read_csv(archive.read(name), side) if name.endswith(".csv") else archive.read(name).decode("latin-1")
            for name in sorted(archive.namelist())
        }


def _level_json(value: Any, side: Side, name: str = "") -> Any:
    if isinstance(value, dict):
        return {one: _level_json(inner, side, one) for one, inner in value.items()}
    if isinstance(value, list):
        return [_level_json(one, side, name) for one in value]
    if value is not None and _MADE_UP.fullmatch(name) and name not in _NAMED:
        return f"<{type(value).__name__}>"
    return _level(value, side) if isinstance(value, str) else value


def _level(text: str, side: Side) -> str:
    levelled = text.replace(side.url, "").replace(f"projects/{side.names['project']}/", "projects/N/")
    return _SKIP.sub("skiptoken=…", _TIME.sub("<time>", levelled))


def compare(there: Any, here: Any, place: str = "") -> Iterator[str]:
    """What is said differently, member by member."""
    if isinstance(there, dict) and isinstance(here, dict):
        for name in {**there, **here}:
            if name not in here:
                yield f"{place}/{name} is missing ({_short(there[name])})"
            elif name not in there:
                yield f"{place}/{name} is more ({_short(here[name])})"
            else:
                yield from compare(there[name], here[name], f"{place}/{name}")
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for one, other in zip(there, here, strict=True):
            yield from compare(one, other, f"{place}[]")
    elif there != here or isinstance(there, bool) is not isinstance(here, bool):
        yield f"{place}: {_short(there)} → {_short(here)}"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:300]
