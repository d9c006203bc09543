"""pyodk unchanged against a running server: every method that it has, under names as awkward as in its own tests.

At the end stand the calls that its published examples make, one test for each script or notebook.
"""

import ast
import base64
import inspect
import json
import zlib
from collections.abc import Iterator
from csv import DictReader
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from pyodk import errors
from pyodk.client import Client, Session

from server import create_app
from server.cli.setup import set_up
from server.config import Settings
from server.extensions import db
from tests.accounts import PASSWORD, add_account, add_site
from tests.live import demo_settings, serving
from tests.server.rest.samples import Sheets, simple, workbook

SECOND = "second@teral.test"
CHECK, SPECIALS = "✅", "'=+/*-451%/%"
PULL = ["calculate", "price", "", "pulldata('fruits', 'name', 'name_key', 'mango')"]
_numbers = count(2)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A fresh server's, with one account that may do all that pyodk does, at a site for its tablets."""
    settings = demo_settings(tmp_path_factory.mktemp("pyodk"))
    set_up(settings, demo=False)
    with create_app(settings).app_context():
        site = add_site(db.session(), "SIEGE", "headquarters")
        add_account(db.session(), "exchange", site, email="script@teral.test")
        add_account(db.session(), "exchange", email=SECOND)
        db.session.remove()
        db.engine.dispose()
    return settings


@pytest.fixture(scope="module")
def config(settings: Settings) -> Path:
    path = settings.data_path / "pyodk.toml"
    told = {"base_url": settings.base_url, "username": "script@teral.test", "password": PASSWORD}
    lines = [f'{name} = "{value}"' for name, value in told.items()]
    path.write_text("\n".join(["[central]", *lines, "default_project_id = 1"]))
    return path


@pytest.fixture(scope="module")
def client(settings: Settings, config: Path) -> Iterator[Client]:
    with serving(settings), Client(config_path=config, cache_path=config.with_name("cache.toml")) as client:
        for form_id in (CHECK, SPECIALS, "fruits"):
            client.forms.create(definition=workbook(pulling(form_id, "1")))
        yield client


@pytest.fixture(scope="module")
def fruits(settings: Settings) -> Path:
    path = settings.data_path / "fruits.csv"
    path.write_text("name,name_key\n" + "".join(f"mango {number},{number}\n" for number in range(5000)))
    return path


def sightings(form_id: str) -> Sheets:
    """A form with a group, a place and a repeat."""
    return {
        "settings": [["form_id", "version"], [form_id, "1"]],
        "survey": [
            ["type", "name", "label"],
            ["text", "first_name", "First name"],
            ["begin group", "age_location", "Age and place"],
            ["integer", "age", "Age"],
            ["geopoint", "location", "Place"],
            ["end group", "", ""],
            ["begin repeat", "observation", "Observation"],
            ["text", "thing", "Thing"],
            ["integer", "count", "Count"],
            ["end repeat", "", ""],
        ],
    }


def sighting(form_id: str, name: str, things: dict[str, int]) -> str:
    group = "<age_location><age>31</age><location>16.5 -15.5 2 0</location></age_location>"
    seen = "".join(
        f"<observation><thing>{thing}</thing><count>{count}</count></observation>" for thing, count in things.items()
    )
    inner = f"<first_name>{name}</first_name>{group}{seen}"
    return f'<data id="{form_id}" version="1"><meta><instanceID>{name}</instanceID></meta>{inner}</data>'


def pulling(form_id: str, version: str) -> Sheets:
    """A form that looks prices up in a file, and asks for another."""
    sheets = simple(form_id, version, ["file", "receipt", "Receipt"])
    head, *rows = sheets["survey"]
    return {**sheets, "survey": [[*head, "calculation"], *([*row, ""] for row in rows), PULL]}


def record(form_id: str, version: str, instance: str, more: str = "", fruit: str = "papaya") -> str:
    """As pyodk's own tests write one: with what must be escaped as it is."""
    meta = f"<meta>{more}<instanceID>{instance}</instanceID></meta>"
    return f'\n    <data id="{form_id}" version="{version}">{meta}<fruit>{fruit}</fruit></data>'


def latest_version(client: Client, form_id: str) -> str:
    url = client.session.urlformat("projects/{pid}/forms/{fid}/versions", pid=client.project_id, fid=form_id)
    return str(max(client.get(url).json(), key=lambda one: one["publishedAt"])["version"])


def list_calls() -> set[str]:
    """The service.method pairs that this file calls on a client."""
    nodes = ast.walk(ast.parse(Path(__file__).read_text()))
    called = [one.func for one in nodes if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
    return {f"{one.value.attr}.{one.attr}" for one in called if isinstance(one.value, ast.Attribute)}


def test_every_method_of_pyodk_is_called_here(client: Client) -> None:
    services = {"projects", "forms", "submissions", "entities", "entity_lists"}
    methods = {
        f"{service}.{name}"
        for service in services
        for name, _ in inspect.getmembers(getattr(client, service), callable)
        if not name.startswith("_") and name not in ("urls", "session")
    }
    assert methods - list_calls() == set()
    assert services <= set(vars(client))


def test_projects(client: Client) -> None:
    (project,) = client.projects.list()
    assert client.projects.get().id == project.id == 1
    made = client.projects.create_app_users(display_names=["Awa ✅", "Binta"], forms=[CHECK, SPECIALS])
    assert [one.displayName for one in made] == ["Awa ✅", "Binta"]
    assert client.projects.create_app_users(display_names=["Awa ✅"]) == []


def test_forms_are_created_from_xml_and_workbooks(client: Client, fruits: Path) -> None:
    unnamed = client.forms.create(definition=workbook({"survey": pulling("", "")["survey"]}))
    assert unnamed.xmlFormId.startswith("uuid:")
    named = client.forms.create(definition=workbook({"survey": simple("", "")["survey"]}), form_id="a/b %2F")
    assert client.forms.get("a/b %2F").xmlFormId == named.xmlFormId == "a/b %2F"
    with_file = client.forms.create(definition=workbook(pulling("with file", "1")), attachments=[fruits.as_posix()])
    xml = client.forms.get_xml(with_file.xmlFormId).replace('id="with file"', 'id="as xml"')
    assert client.forms.create(definition=xml).xmlFormId == "as xml"
    assert {CHECK, SPECIALS, "as xml"} <= {one.xmlFormId for one in client.forms.list()}


def test_a_form_id_is_taken_once(client: Client) -> None:
    with pytest.raises(errors.PyODKError) as refused:
        client.forms.create(definition=workbook(pulling(CHECK, "1")))
    assert refused.value.is_central_error(code=409.3)


@pytest.mark.parametrize("form_id", [CHECK, SPECIALS])
def test_forms_are_updated(client: Client, fruits: Path, form_id: str) -> None:
    number = str(next(_numbers))
    client.forms.update(form_id, definition=workbook(pulling(form_id, number)), attachments=[fruits.as_posix()])
    assert client.forms.get(form_id).version == number
    client.forms.update(form_id, attachments=[], version_updater=lambda version: f"{version}/é")
    assert latest_version(client, form_id) == f"{number}/é"
    client.forms.update(form_id, attachments=[fruits.as_posix()])
    assert latest_version(client, form_id).startswith(str(datetime.now(UTC).year))


def test_records_under_any_name(client: Client, fruits: Path) -> None:
    instance = f"scna+~!@#$%^&*()_+=-✅✅+{datetime.now(UTC).isoformat()}"
    version = latest_version(client, SPECIALS)
    sent = client.submissions.create(record(SPECIALS, version, instance), SPECIALS, device_id="script-1")
    assert (sent.instanceId, sent.deviceId, sent.attachments) == (instance, "script-1", None)
    assert client.submissions.get(instance, SPECIALS).instanceId == instance
    assert instance in [one.instanceId for one in client.submissions.list(SPECIALS)]
    xml = record("fruits", "1", uuid4().hex).replace("</data>", f"<receipt>{fruits.name}</receipt></data>")
    (file,) = client.submissions.create(xml, "fruits", attachments=[fruits]).attachments
    assert (file.name, file.exists) == (fruits.name, True)


def test_records_are_edited_reviewed_and_commented(client: Client) -> None:
    version, first = latest_version(client, SPECIALS), f"sena_~~!@#$%^&*()_+=-✅✅ {uuid4()}"
    client.submissions.create(record(SPECIALS, version, first), SPECIALS)
    with pytest.raises(errors.PyODKError) as refused:
        client.submissions.create(record(SPECIALS, version, first, fruit="kiwi"), SPECIALS)
    assert refused.value.is_central_error(code=409.3)
    edit = record(SPECIALS, version, f"{first} 2", f"<deprecatedID>{first}</deprecatedID>", "mango")
    client.submissions.edit(first, edit, SPECIALS, comment="edited by a script")
    client.submissions.add_comment(first, "once more", form_id=SPECIALS)
    assert [one.body for one in client.submissions.list_comments(form_id=SPECIALS, instance_id=first)][
        -1
    ] == "edited by a script"
    for state in ("hasIssues", "approved"):
        client.submissions.review(first, state, SPECIALS)
        assert client.submissions.get(first, SPECIALS).reviewState == state
    url = client.session.urlformat(
        "projects/{pid}/forms/{fid}/submissions/{iid}/versions", pid=client.project_id, fid=SPECIALS, iid=first
    )
    assert [one["instanceId"] for one in client.get(url).json()] == [f"{first} 2", first]


def test_tables(client: Client) -> None:
    for number in range(3):
        client.submissions.create(record("fruits", "1", f"row-{number}", fruit=f"fruit {number}"), "fruits")
    told = client.submissions.get_table(
        form_id="fruits", table_name="Submissions", count=True, wkt=True, skip=1, top=2, filter="fruit ne null",
        select="__id,meta/instanceID,__system/formVersion,fruit",
    )  # fmt: skip
    assert told["@odata.count"] >= 3
    assert told["value"][0] == {
        "__id": "row-1", "__system": {"formVersion": "1"}, "meta": {"instanceID": "row-1"}, "fruit": "fruit 1",
    }  # fmt: skip
    assert client.submissions.get_table("fruits", expand="*")["value"]


def test_entity_lists(client: Client) -> None:
    name = f"uuid:{uuid4()}"
    assert client.entity_lists.create(entity_list_name=name).name == name
    client.entity_lists.add_property(name="state", entity_list_name=name)
    assert [one.name for one in client.entity_lists.get(name).properties or ()] == ["state"]
    assert name in [one.name for one in client.entity_lists.list()]
    for again in (client.entity_lists.create, lambda **given: client.entity_lists.add_property("state", **given)):
        with pytest.raises(errors.PyODKError) as refused:
            again(entity_list_name=name)
        assert refused.value.is_central_error(code=409.3)


def test_entities(client: Client) -> None:
    name = client.entity_lists.create(entity_list_name="towns_of_tests").name
    client.entity_lists.add_property(name="region", entity_list_name=name)
    made = client.entities.create("Dagana", {"region": "SL"}, name)
    changed = client.entities.update(made.uuid, name, data={"region": "TH"}, base_version=made.currentVersion.version)
    assert changed.currentVersion.data == {"region": "TH"}
    forced = client.entities.update(made.uuid, name, label="Dagana 2", force=True)
    assert (forced.currentVersion.label, forced.currentVersion.version) == ("Dagana 2", 3)
    with pytest.raises(errors.PyODKError) as refused:
        client.entities.update(made.uuid, name, data={"region": "KL"}, base_version=1)
    assert refused.value.is_central_error(code=409.15)
    assert client.entities.create_many([{"label": "Podor", "region": "SL"}, {"label": "Matam"}], name)
    table = client.entities.get_table(name, select="__id,region", filter="region eq 'SL'", count=True, skip=0, top=5)
    assert [one["region"] for one in table["value"]] == ["SL"]
    assert client.entities.delete(made.uuid, name)
    assert made.uuid not in [one.uuid for one in client.entities.list(name)]


def test_entities_are_merged(client: Client) -> None:
    name = client.entity_lists.create(entity_list_name=f"uuid:{uuid4()}").name
    client.entity_lists.add_property(name="state", entity_list_name=name)
    client.entities.create_many([{"label": "Sydney", "state": "VIC"}, {"label": "Darwin", "state": "NT"}], name)
    told = [
        {"label": "Sydney", "state": "NSW", "postcode": "2001"},
        {"label": "Brisbane", "state": "QLD", "postcode": "4000"},
    ]
    client.entities.merge(told, name, add_new_properties=True, delete_not_matched=True)
    rows = client.entities.get_table(name)["value"]
    assert {(row["label"], row["state"], row["postcode"]) for row in rows} == {tuple(one.values()) for one in told}


def test_a_client_finds_its_token_again_or_works_without_a_cache(
    client: Client, settings: Settings, config: Path
) -> None:
    cache = config.with_name("cache.toml")
    before = cache.read_text()
    with Client(config_path=config, cache_path=cache) as again:
        assert again.projects.list()
    assert cache.read_text() == before
    session = Session(settings.base_url, "v1", "script@teral.test", PASSWORD)
    with Client(config_path=config, session=session) as uncached:
        assert uncached.forms.list()
    assert cache.read_text() == before


def test_a_wrong_password_is_told(settings: Settings, client: Client) -> None:
    session = Session(settings.base_url, "v1", "script@teral.test", "wrong-wrong")
    with pytest.raises(errors.PyODKError, match="401"):
        session.get("projects")


def test_example_tablets_are_provisioned_from_a_list_of_names(client: Client) -> None:
    """Names that have an app user are left out; a new one's token opens the list of forms for Collect."""
    names = ["Provisioned 1", "Provisioned 2"]
    client.projects.create_app_users(display_names=names[:1], forms=[CHECK], project_id=1)
    (made,) = client.projects.create_app_users(display_names=names, forms=[CHECK], project_id=1)
    told = {"general": {"server_url": f"{client.session.base_url}key/{made.token}/projects/1"}, "admin": {}}
    code = base64.b64encode(zlib.compress(json.dumps(told).encode()))
    address = json.loads(zlib.decompress(base64.b64decode(code)))["general"]["server_url"]
    answer = requests.get(f"{address}/formList", headers={"X-OpenRosa-Version": "1.0"}, timeout=30)
    assert (made.displayName, answer.status_code, CHECK in answer.text) == (names[1], 200, True)


def test_example_entities_are_made_from_a_table_one_by_one_or_merged(client: Client) -> None:
    lines = ["first_name,age,location,left_out", "Sally,31,Dagana,x", "Pedro,22,Podor,y"]
    one_by_one = client.entity_lists.create(entity_list_name=f"previous_survey_{uuid4()}").name
    for name in ("age", "location"):
        client.entity_lists.add_property(name=name, entity_list_name=one_by_one)
    for row in DictReader(lines):
        data = {name: row[name] for name in ("age", "location")}
        client.entities.create(label=row["first_name"], data=data, entity_list_name=one_by_one)
    client.entity_lists.default_entity_list_name = f"previous_survey_{uuid4()}"
    merged = client.entity_lists.create().name
    keys = ("first_name", "age", "location")
    told = {"entity_list_name": merged, "source_label_key": "first_name", "source_keys": keys}
    assert len(client.entities.merge(data=DictReader(lines), **told).to_insert) == 2
    assert not client.entities.merge(data=DictReader(lines), **told).to_update
    for name in (one_by_one, merged):
        rows = client.entities.get_table(name)["value"]
        assert {(one["label"], one["age"], one["location"]) for one in rows} == {
            ("Sally", "31", "Dagana"), ("Pedro", "22", "Podor"),
        }  # fmt: skip


def test_example_a_form_is_created_or_else_updated(client: Client, fruits: Path) -> None:
    def create_or_update(version: str, *files: Path) -> None:
        definition = workbook(pulling("by script", version))
        try:
            client.forms.create(definition=definition)
        except errors.PyODKError as refused:
            if not refused.is_central_error(code=409.3):
                raise
        client.forms.update(definition=definition, form_id="by script", attachments=iter(files))

    with pytest.raises(errors.PyODKError) as refused:
        create_or_update("1")
    assert refused.value.is_central_error(code=409.6), "as with Central: an update brings a version of its own"
    create_or_update("2", fruits)
    assert latest_version(client, "by script") == client.forms.get("by script").version == "2"
    files = client.get("projects/1/forms/by%20script/attachments").json()
    assert [(one["name"], one["exists"]) for one in files] == [(fruits.name, True)]


def test_example_letters_are_merged_for_approved_records(client: Client) -> None:
    client.forms.create(definition=workbook(sightings("letters")))
    for name in ("Sally", "Pedro"):
        client.submissions.create(sighting("letters", name, {}), "letters")
    client.submissions.review("Sally", "approved", "letters")
    rows = client.submissions.get_table(form_id="letters")["value"]
    (approved,) = [one for one in rows if one["__system"]["reviewState"] == "approved"]
    assert (approved["first_name"], approved["meta"]["instanceID"]) == ("Sally", "Sally")
    group = approved["age_location"]
    assert (group["age"], group["location"]["coordinates"][:2]) == (31, [-15.5, 16.5])
    assert datetime.fromisoformat(approved["__system"]["submissionDate"]) <= datetime.now(UTC)


def test_example_repeats_are_joined_with_their_records(client: Client) -> None:
    client.forms.create(definition=workbook(sightings("birds")))
    for name, things in {"Abo": {"tern": 7, "gull": 1}, "Kier": {"gull": 3}, "Wrong": {"gull": 99}}.items():
        client.submissions.create(sighting("birds", name, things), "birds")
    client.submissions.review("Wrong", "rejected", "birds")
    kept = "__system/reviewState ne 'rejected'"
    rows = client.submissions.get_table(form_id="birds", filter=kept)["value"]
    repeats = client.submissions.get_table(
        form_id="birds", table_name="Submissions.observation", filter=f"$root/Submissions/{kept}"
    )["value"]
    names = {one["__id"]: one["first_name"] for one in rows}
    joined = {(names[one["__Submissions-id"]], one["thing"], one["count"]) for one in repeats}
    assert joined == {("Abo", "tern", 7), ("Abo", "gull", 1), ("Kier", "gull", 3)}
    expanded = client.submissions.get_table(form_id="birds", expand="*", filter=kept)["value"]
    assert joined == {
        (one["first_name"], turn["thing"], turn["count"]) for one in expanded for turn in one["observation"]
    }


def test_example_what_has_no_method_is_asked_for_by_its_address(client: Client) -> None:
    assert client.get("projects/1").json()["id"] == client.projects.get().id
    answer = client.get("/projects/1/forms/fruits/versions/1.xlsx")
    assert (answer.status_code, answer.content[:2]) == (200, b"PK")
    made = client.post("/projects/1/app-users", json={"displayName": "Lab Tech"}).json()
    assert (made["displayName"], made["type"], len(made["token"])) == ("Lab Tech", "field_key", 64)


def test_example_a_second_client_has_an_account_and_a_cache_of_its_own(client: Client, config: Path) -> None:
    of_second, cache = config.with_name("second.toml"), config.with_name("second-cache.toml")
    of_second.write_text(config.read_text().replace("script@teral.test", SECOND))
    with Client(config_path=of_second, cache_path=cache) as second:
        assert [one.id for one in second.projects.list()] == [one.id for one in client.projects.list()]
        assert second.get("users/current").json()["email"] == SECOND
