"""What a program is told when something is refused: ODK Central's numeric codes, in its JSON {message, code, details}.

Sentences are ours. Details hold names, ids and codes, never an answer.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, g, jsonify, request
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from forms.errors import N_, FormProblem, FormRefused, FormsError
from forms.xml import XmlRefused
from server.extensions import db
from server.openrosa.errors import is_disk_full

log = logging.getLogger(__name__)

MESSAGES: dict[float, str] = {
    400.1: N_("What was sent cannot be read as %(format)s."),
    400.2: N_("The parameter %(field)s is missing."),
    400.6: N_("The header %(field)s cannot be understood."),
    400.8: N_("The value of %(field)s cannot be used here: %(reason)s"),
    400.11: N_("The value of %(field)s is not of the expected type."),
    400.15: N_("This XLSForm has errors; the details name them."),
    400.16: N_("The form can be used, but has warnings. Send it again with ?ignoreWarnings=true to accept them."),
    400.18: N_("The filter cannot be read: %(reason)s"),
    400.19: N_("An edit must name the present version of the record in meta/deprecatedID."),
    400.23: N_("There is no property named %(property)s."),
    400.28: N_("The entity cannot be used: %(reason)s"),
    400.31: N_("Expected were these parameters: %(expected)s"),
    400.32: N_("This entity has no conflict."),
    400.35: N_("The skip token cannot be read."),
    400.36: N_("What was sent is larger than this server accepts."),
    401.2: N_("The e-mail address, the password or the token is not right."),
    401.3: N_("A password in a header is accepted over https only."),
    403.1: N_("Your account may not do this."),
    404.1: N_("There is nothing at this address that you may see."),
    404.6: N_("The form has no version “%(formVersion)s”."),
    406.1: N_("This is to be had as: %(allowed)s"),
    408.1: N_("The request did not arrive in time."),
    409.2: N_("This form accepts no records now."),
    409.3: N_("There is one already with this %(fields)s."),
    409.6: N_("Version “%(version)s” of form %(xmlFormId)s is published already. Give the form a new version."),
    409.7: N_("The form has no published version, so its draft cannot go."),
    409.9: N_("The record was changed meanwhile: %(deprecatedId)s is not its present version any more."),
    409.15: N_("The entity is at version %(current)s, not at %(provided)s. Read it again, or add ?force=true."),
    409.19: N_("These identifiers belonged to entities that were deleted."),
    409.99: N_("Records of form %(form_id)s were received, so it cannot be deleted. Close it instead."),
    429.1: N_("Too many failed tries. Wait before the next one."),
    500.1: N_("The server made a mistake. Nothing was changed; the fault is noted in its log."),
    501.1: N_("%(feature)s is not supported here."),
    501.4: N_("The filter uses something that is not supported here: %(text)s"),
    501.5: N_("The filter or order uses a field that cannot be used here: %(text)s"),
    501.6: N_("Only $expand=* is supported."),
    501.11: N_("$select and $expand do not go together."),
    501.99: N_("The form has %(columns)s columns, and a sheet of Excel takes %(most)s. Take another format."),
    503.1: N_("The server is busy. Nothing was lost; try again in a minute."),
    507.1: N_("The server has no room left. Nothing was changed; tell those who run it."),
}
# What werkzeug and our guard raise by HTTP status; Central knows no 405.
_BY_STATUS = {401: 401.2, 403: 403.1, 404: 404.1, 405: 404.1, 408: 408.1, 413: 400.36, 429: 429.1, 503: 503.1}
# What the rooms below refuse; their params are the details.
_TAKEN = {
    "entity_exists": "uuid", "entity_list_exists": "name", "entity_property_exists": "name",
    "device_name_taken": "displayName",
}  # fmt: skip
_UNUSABLE = {"entity_list_name": "name", "entity_property_name": "name", "review_state_unknown": "state"}
_BY_REFUSAL = {
    "draft_not_found": 404.1,
    "form_not_found": 404.1,
    "form_differs": 400.8,
    "form_has_records": 409.99,
    "version_unknown": 404.6,
    "form_closed": 409.2,
    "record_exists": 409.3,
    "edit_expected": 400.19,
    "record_changed": 409.9,
    "filter_unreadable": 400.18,
    "filter_unsupported": 501.4,
    "filter_field": 501.5,
    "entity_list_unknown": 404.1,
    "entity_unknown": 404.1,
    "entity_not_deleted": 404.1,
}


class Problem(Exception):
    """Something that Central would refuse with this code; `details` fill the sentence and go along."""

    def __init__(self, code: float, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


def answer_problem(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Undo what the request began, and say why in the caller's language."""
    db.session.rollback()
    for left in ("login", "basic_user"):
        g.pop(left, None)
    told = {name: _tell(value) for name, value in problem.details.items()}
    body = {"message": gettext(MESSAGES[problem.code]) % told, "code": problem.code}
    answer = jsonify(body | ({"details": problem.details} if problem.details else {}))
    answer.status_code = int(problem.code)
    answer.headers.update(headers or {})
    return answer


def answer_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return Response(error.get_response().get_data(), status, error.get_headers())
    code = _find_code(status)
    kept = {name: value for name, value in error.get_headers() if name == "Retry-After"}
    return answer_problem(Problem(code, **({"format": "HTTP"} if code == 400.1 else {})), kept)


def _find_code(status: int) -> float:
    given = request.authorization
    if status == 401 and given and given.type == "basic" and not request.is_secure:
        return 401.3
    return _BY_STATUS.get(status) or (500.1 if status >= 500 else 400.1)


def answer_full_disk(error: Exception) -> Response:
    """Also what a disk without room broke; any other fault goes on to where faults are noted."""
    if not is_disk_full(error):
        raise error
    log.error("%s broke: no room is left", request.endpoint)
    return answer_problem(Problem(507.1))


def answer_refusal(refused: FormsError) -> Response:
    """What the rooms below refuse, in the code that fits; else as an unusable value, with the catalogue's words."""
    if refused.code in ("published_form_differs", "published_media_differ"):
        params = refused.params
        return answer_problem(Problem(409.6, xmlFormId=params["form_id"], version=params["version"]))
    if refused.code in _TAKEN:
        values = [str(value) for value in refused.params.values()]
        return answer_problem(Problem(409.3, fields=[_TAKEN[refused.code]], values=values))
    if refused.code == "entity_deleted":
        return answer_problem(Problem(409.19, entityUuids=[str(refused.params["id"])]))
    if refused.code == "entity_version_stale":
        params = refused.params
        return answer_problem(Problem(409.15, current=str(params["version"]), provided=str(params["seen"])))
    if refused.code in ("entity_property_unknown", "entity_label_missing", "entity_id"):
        return answer_problem(Problem(400.28, reason=refused.word(gettext)))
    if refused.code in _UNUSABLE:
        (value,) = refused.params.values()
        reason = refused.word(gettext)
        return answer_problem(Problem(400.8, field=_UNUSABLE[refused.code], value=value, reason=reason))
    if refused.code == "submission_without_form_id":
        return answer_problem(Problem(400.2, field="form ID xml attribute"))
    code = _BY_REFUSAL.get(refused.code)
    if code is not None:
        return answer_problem(Problem(code, **(refused.params if code != 404.1 else {})))
    if isinstance(refused, XmlRefused):
        return answer_problem(Problem(400.1, format="xml"))
    return answer_problem(Problem(400.8, field=refused.code, reason=refused.word(gettext)))


def answer_invalid(error: ValidationError) -> Response:
    """A JSON body that is not of its shape: what is missing, else what is of another type."""
    told = list(_list_faults(error.messages_dict))
    for name, said in told:
        if "Missing data" in said:
            return answer_problem(Problem(400.2, field=name))
    return answer_problem(Problem(400.11, field=told[0][0]))


def _list_faults(messages: Mapping[Any, Any], above: str = "body") -> Iterator[tuple[str, str]]:
    """Each member that is not as it must be, by its own name, and what is said of it."""
    for key, said in messages.items():
        # What is inside of a list has a number; of a free member marshmallow tells apart its name and its value.
        name = above if isinstance(key, int) or key in ("key", "value", "_schema") else str(key)
        if isinstance(said, dict):
            yield from _list_faults(said, name)
        else:
            yield name, str(said)


def refuse_form(refused: FormRefused, *, is_workbook: bool) -> Problem:
    """An XLSForm's problems as Central lists pyxform's; an XForm that cannot be used is one that cannot be read."""
    if not is_workbook:
        return Problem(400.1, format="xml", problems=[_word(one) for one in refused.problems])
    words = [_word(one) for one in refused.problems if one.grade == "error"]
    warnings = [_word(one) for one in refused.problems if one.grade != "error"]
    return Problem(400.15, error="\n".join(words), warnings=warnings)


def word_warnings(problems: list[FormProblem]) -> dict[str, Any]:
    return {"warnings": {"xlsFormWarnings": [_word(one) for one in problems], "workflowWarnings": []}}


def _word(problem: FormProblem) -> str:
    place = " ".join(str(part) for part in (problem.sheet, problem.row, problem.column) if part)
    said = problem.word(gettext)
    return f"{place}: {said}" if place else said


def _tell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
