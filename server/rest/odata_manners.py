"""What every OData answer keeps to (OData 4.01 part 1, 8 and 11): its version, its format, the options it knows."""

import functools
import re
from collections.abc import Callable, Collection
from typing import Any

from flask import Response, after_this_request, request
from flask.typing import ResponseReturnValue

from server.rest.problems import Problem

_VERSION = "4.0"
_JSON = re.compile(r"(^|[,/])json($|[;,])", re.IGNORECASE)
_XML = re.compile(r"(^|[,/+])(xml|atom)($|[;,])", re.IGNORECASE)
_NAMES = {"json": ["application/json", "json"], "xml": ["application/xml", "atom"]}
View = Callable[..., ResponseReturnValue]


def speaks_odata(kind: str) -> Callable[[View], View]:
    """Let a view answer OData clients, as JSON or as XML."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def speak(**names: Any) -> ResponseReturnValue:
            after_this_request(_tell_version)
            _refuse_other(kind)
            return view(**names)

        return speak

    return wrap


def _tell_version(answer: Response) -> Response:
    answer.headers["OData-Version"] = _VERSION
    return answer


def refuse_unknown(known: Collection[str]) -> None:
    """Refuse options of the system that are not answered; what has no `$` is the client's own."""
    for name in request.args:
        if name.startswith("$") and name not in known:
            raise Problem(501.1, feature=name)
    if "$orderby" in request.args and "$skiptoken" in request.args:
        raise Problem(501.1, feature="$orderby with $skiptoken")


def _refuse_other(kind: str) -> None:
    asked = request.args.get("$format") or request.headers.get("Accept", "")
    own, other = (_JSON, _XML) if kind == "json" else (_XML, _JSON)
    if other.search(asked) and not own.search(asked):
        raise Problem(406.1, allowed=_NAMES[kind], got=asked)
    if request.headers.get("OData-MaxVersion", _VERSION) < "4":
        raise Problem(404.1)
