"""A form, records, a draft with a test, an entity list: a server where every address of `/v1` leads to something."""

from typing import Any

from tests.server.rest.program import Program, form_path
from tests.server.rest.samples import Sheets, record, simple, to_xlsx

FORM, RECORD, EDIT, FILE, LIST = "fruits", "uuid:a", "uuid:b", "fruits.csv", "towns"
DAGANA = "7d1f3c1e-4b0a-4f0e-9a51-0b6d0f3a2c11"
_CSV = {"data": b"name,name_key\nmango,1\n", "content_type": "text/csv"}
_XML = {"content_type": "application/xml"}
_PATH, _TOWNS = form_path(FORM), f"projects/1/datasets/{LIST}"


def sheets() -> Sheets:
    """A form with a file of its own, a question for a file, a place and a repeat."""
    made = simple(
        FORM, "1", ["file", "receipt", "Receipt"], ["geopoint", "place", "Place"], ["begin repeat", "crate", "Crate"],
        ["text", "mark", "Mark"], ["end repeat", "", ""],
    )  # fmt: skip
    head, *rows = made["survey"]
    lookup = ["calculate", "price", "", "pulldata('fruits', 'name', 'name_key', '1')"]
    return {**made, "survey": [[*head, "calculation"], *([*row, ""] for row in rows), lookup]}


def fill(program: Program) -> dict[str, Any]:
    """What each argument of an address must be to lead to something."""
    _publish(program)
    for path in (f"{_PATH}/submissions", f"{_PATH}/draft/submissions"):
        _send(program, path)
    edited = record(EDIT, _answers("kola"), form=FORM, deprecated=RECORD)
    _do(program, "PUT", f"{_PATH}/submissions/{RECORD}", data=edited, **_XML)
    _do(program, "POST", f"{_PATH}/submissions/{RECORD}/comments", json={"body": "Heard."})
    _do(program, "POST", "projects/1/datasets", json={"name": LIST})
    _do(program, "POST", f"{_TOWNS}/properties", json={"name": "region"})
    new = {"uuid": DAGANA, "label": "Dagana", "data": {"region": "SL"}}
    _do(program, "POST", f"{_TOWNS}/entities", json=new)
    _do(program, "PATCH", f"{_TOWNS}/entities/{DAGANA}?force=true", json={"data": {"region": "TH"}})
    return {
        "form_id": FORM, "version": "1", "kind": "xlsx", "name": FILE, "instance_id": RECORD, "version_id": RECORD,
        "list_name": LIST, "uuid": DAGANA, "actor_id": program.actor_id, "role_id": 2, "table": "Submissions",
        "record": f"Submissions('{RECORD}')", "inner": "crate", "sha256": "0" * 64,
    }  # fmt: skip


def _publish(program: Program) -> None:
    workbook = to_xlsx(sheets())
    _do(program, "POST", "projects/1/forms?ignoreWarnings=true", **workbook)
    _do(program, "POST", f"{_PATH}/draft/attachments/{FILE}", **_CSV)
    _do(program, "POST", f"{_PATH}/draft/publish")
    _do(program, "POST", f"{_PATH}/draft?ignoreWarnings=true", **workbook)
    _do(program, "POST", f"{_PATH}/draft/attachments/{FILE}", **_CSV)


def _send(program: Program, path: str) -> None:
    _do(program, "POST", path, data=record(RECORD, _answers("mango"), form=FORM), **_XML)
    _do(program, "POST", f"{path}/{RECORD}/attachments/{FILE}", **_CSV)


def _answers(fruit: str) -> str:
    place, crate = "<place>16.5 -15.5 0 0</place>", "<crate><mark>K</mark></crate>"
    return f"<fruit>{fruit}</fruit><receipt>{FILE}</receipt>{place}{crate}"


def _do(program: Program, method: str, path: str, **given: Any) -> None:
    answer = program.call(method, path, **given)
    assert answer.status_code == 200, f"{method} {path}: {answer.text}"
