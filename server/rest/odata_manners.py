"""What every OData answer keeps to (OData 4.01 part 1, 8 and 11): its version, its format, the options it knows."""

import functools
import re
from collections.abc import Callable
from typing import Any

from flask import Response, after_this_request, request
from flask.typing import ResponseReturnValue

from server.rest.problems import Problem
from server.rest.queries import FormatQuery
from server.rest.speech import add_query, read_asked

_VERSION = "4.0"
_JSON = re.compile(r"(^|[,/])json($|[;,])", re.IGNORECASE)
_XML = re.compile(r"(^|[,/+])(xml|atom)($|[;,])", re.IGNORECASE)
_FORMAT = FormatQuery()
_NAMES = {"json": ["application/json", "json"], "xml": ["application/xml", "atom"]}
View = Callable[..., ResponseReturnValue]


def speaks_odata(kind: str) -> Callable[[View], View]:
    """Let a view answer OData clients, as JSON or as XML."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def speak(**names: Any) -> ResponseReturnValue:
            after_this_request(_tell_version)
            _refuse_other(kind, read_asked(_FORMAT)["format"] or request.headers.get("Accept", ""))
            return view(**names)

        add_query(speak, _FORMAT)
        return speak

    return wrap


def _tell_version(answer: Response) -> Response:
    answer.headers["OData-Version"] = _VERSION
    return answer


def list_own() -> dict[str, str]:
    """What the client asks for besides its place in the table: the address of the next page says it again."""
    return {name: value for name, value in request.args.items() if name not in ("$skip", "$skiptoken")}


def _refuse_other(kind: str, asked: str) -> None:
    own, other = (_JSON, _XML) if kind == "json" else (_XML, _JSON)
    if other.search(asked) and not own.search(asked):
        raise Problem(406.1, allowed=_NAMES[kind], got=asked)
    if request.headers.get("OData-MaxVersion", _VERSION) < "4":
        raise Problem(404.1)
