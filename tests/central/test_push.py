"""What we tell the real Central: findings, review states, forms with their files, and entity lists like ours."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from forms.programme import LIBRARY
from forms.xlsform import read_form
from server.extensions import attachment_store
from server.processing import process_pending
from sync.attachments import add_blob
from sync.central.run import exchange, plan
from sync.entity_acts import NewEntity, add_entities, add_entity_list, add_property, change_entity, delete_entity
from sync.models import PeerList
from sync.publishing import FormFile, publish_form
from tests.central.backend import Project
from tests.central.conftest import Connect
from tests.server.rest.samples import workbook
from tests.sync.central.test_lists import LIST, act, now
from tests.sync.factory import form_file, xml

pytestmark = pytest.mark.central
LONG_AGO = datetime(2026, 3, 2, tzinfo=UTC)
VILLAGES = b"name,label\nv1,Dagana\n"


def publish(session: Session, file: FormFile, at: datetime, media: dict[str, bytes] | None = None) -> None:
    stored = {name: attachment_store().save(content) for name, content in (media or {}).items()}
    for one in stored.values():
        add_blob(session.connection(), one, at)
    publish_form(session, file, {name: one.sha256 for name, one in stored.items()}, None, at)
    session.commit()


def test_findings_and_states_are_told_once(project: Project, session: Session, connect: Connect) -> None:
    project.publish(form_file("1").xml)
    project.send(xml("uuid:good"))
    project.send(xml("uuid:bad", [{"prenoms": "Awa", "age": "douze"}]))
    project.send(xml("uuid:theirs", [{"prenoms": "Awa", "age": "douze"}]))
    project.call("PATCH", "forms/passage/submissions/uuid:theirs", json={"reviewState": "rejected"})
    bridge = connect(direction="both")
    exchange(bridge)
    process_pending()
    outcome = exchange(bridge)
    assert (outcome.word, outcome.counts["answers_out"], outcome.problems) == ("done", 3, [])
    told = {one["instanceId"]: one["reviewState"] for one in project.json("forms/passage/submissions")}
    assert told == {"uuid:good": "approved", "uuid:bad": "hasIssues", "uuid:theirs": "rejected"}
    (said,) = project.json("forms/passage/submissions/uuid:bad/comments")
    assert "/data/personnes[1]/age" in said["body"]
    assert "douze" not in said["body"]
    assert dict(exchange(bridge).counts) == {}


def test_what_was_mended_there_is_told_anew(project: Project, session: Session, connect: Connect) -> None:
    project.publish(form_file("1").xml)
    project.send(xml("uuid:bad", [{"prenoms": "Awa", "age": "douze"}]))
    bridge = connect(direction="both")
    for _ in range(2):
        exchange(bridge)
        process_pending()
    project.send(xml("uuid:mended", [{"prenoms": "Awa", "age": "12"}], deprecated_id="uuid:bad"))
    for _ in range(2):
        exchange(bridge)
        process_pending()
    assert project.json("forms/passage/submissions/uuid:bad")["reviewState"] == "approved"


def test_forms_are_published_there_with_their_files_once(project: Project, session: Session, connect: Connect) -> None:
    publish(session, form_file("1"), LONG_AGO, {"villages.csv": VILLAGES})
    bridge = connect(direction="push", publishes="passage")
    assert dict(exchange(bridge).counts) == {"forms_out": 1}
    publish(session, form_file("2"), now(), {"villages.csv": VILLAGES})
    assert dict(exchange(bridge).counts) == {"forms_out": 1}
    assert dict(exchange(bridge).counts) == {}
    assert [one["version"] for one in project.json("forms/passage/versions")] == ["2", "1"]
    assert project.call("GET", "forms/passage.xml").content == form_file("2").xml
    assert project.call("GET", "forms/passage/attachments/villages.csv").content == VILLAGES
    assert {one["name"]: one["exists"] for one in project.json("forms/passage/attachments")}["sites.csv"]


def test_a_draft_that_was_left_half_made_there_is_made_anew(
    project: Project, session: Session, connect: Connect
) -> None:
    project.publish(form_file("1").xml)
    project.call("POST", "forms/passage/draft", data=form_file("0").xml, headers={"Content-Type": "text/xml"})
    publish(session, form_file("2"), LONG_AGO, {"villages.csv": VILLAGES})
    outcome = exchange(connect(direction="push", publishes="passage"))
    assert (dict(outcome.counts), outcome.problems) == ({"forms_out": 1}, [])


def test_a_form_that_never_got_beyond_its_draft_there_is_published(
    project: Project, session: Session, connect: Connect
) -> None:
    project.call("POST", "forms", data=form_file("0").xml, headers={"Content-Type": "application/xml"})
    publish(session, form_file("1"), LONG_AGO)
    outcome = exchange(connect(direction="push", publishes="passage"))
    assert (dict(outcome.counts), outcome.problems) == ({"forms_out": 1}, [])
    assert [one["version"] for one in project.json("forms/passage/versions")] == ["1"]


def test_a_form_that_lies_in_the_bin_there_is_published_anew(
    project: Project, session: Session, connect: Connect
) -> None:
    project.publish(form_file("1").xml)
    project.call("DELETE", "forms/passage")
    publish(session, form_file("2"), LONG_AGO)
    outcome = exchange(connect(direction="push", publishes="passage"))
    assert (dict(outcome.counts), outcome.problems) == ({"forms_out": 1}, [])


def test_a_field_whose_type_changed_is_told_and_stops_no_other(
    project: Project, session: Session, connect: Connect
) -> None:
    """Central refuses a type that is not the one that it knows; that form is a problem, the others go on."""
    project.publish(form_file("1").xml.replace(b'type="int"', b'type="string"'))
    publish(session, form_file("2"), LONG_AGO)
    publish(session, form_file("1", "arrivee"), LONG_AGO)
    outcome = exchange(connect(direction="push", publishes="passage, arrivee"))
    assert (outcome.word, dict(outcome.counts)) == ("done", {"forms_out": 1})
    assert [one["what"] for one in outcome.problems] == ["passage 2"]


def test_shipped_forms_are_published_there(project: Project, session: Session, connect: Connect) -> None:
    names = []
    for path in sorted(LIBRARY.glob("*.xlsx")):
        read = read_form(path.read_bytes(), path.name)
        publish(session, FormFile(read.xml, read.definition), LONG_AGO)
        names.append(read.definition.form_id)
    outcome = exchange(connect(direction="push", publishes=",".join(names)))
    assert (outcome.counts["forms_out"], outcome.problems) == (len(names), [])


@pytest.fixture
def boats(session: Session) -> list[str]:
    add_entity_list(session, LIST, None, now())
    add_property(session, LIST, "port", None, now())
    new = [NewEntity("Awa", {"port": "Mbour"}), NewEntity("Binta", {"port": "Kayar"}), NewEntity("Coumba")]
    return act(session, lambda: add_entities(session, LIST, new, None, now()))  # type: ignore[no-any-return]


def listed(project: Project) -> dict[str, tuple[str, dict[str, str]]]:
    rows = project.json(f"datasets/{LIST}.svc/Entities")["value"]
    named = ("__id", "label", "__system")
    return {
        one["__id"]: (one["label"], {name: value for name, value in one.items() if name not in named and value})
        for one in rows
    }


def look_again(session: Session) -> None:
    """As if a day had gone by."""
    act(session, lambda: session.execute(PeerList.__table__.delete()))


def test_a_list_is_made_filled_changed_and_thinned_out(
    project: Project, session: Session, connect: Connect, boats: list[str]
) -> None:
    bridge = connect(direction="push", lists=LIST)
    assert dict(exchange(bridge).counts) == {"lists_out": 1, "entities_out": 3}
    assert dict(exchange(bridge).counts) == {}
    act(session, lambda: change_entity(session, LIST, boats[0], "Awa II", {"port": "Joal"}, None, None, now()))
    act(session, lambda: delete_entity(session, LIST, boats[1], None, now()))
    act(session, lambda: add_property(session, LIST, "etat.1", None, now()))
    assert dict(plan(bridge).counts) == {"entities_out": 2}
    assert exchange(bridge).problems == []
    assert listed(project) == {boats[0]: ("Awa II", {"port": "Joal"}), boats[2]: ("Coumba", {})}
    look_again(session)
    assert dict(exchange(bridge).counts) == {}


def test_what_was_changed_there_is_ours_again_and_what_only_they_know_stays(
    project: Project, session: Session, connect: Connect, boats: list[str]
) -> None:
    bridge = connect(direction="push", lists=LIST)
    exchange(bridge)
    project.call("PATCH", f"datasets/{LIST}/entities/{boats[0]}?baseVersion=1", json={"label": "Zoé"})
    project.call(
        "POST", f"datasets/{LIST}/entities", json={"uuid": "10000000-0000-4000-8000-000000000001", "label": "Y"}
    )
    look_again(session)
    assert dict(exchange(bridge).counts) == {"entities_out": 1}
    told = listed(project)
    assert (len(told), told[boats[0]][0]) == (4, "Awa")


def test_what_lies_in_the_bin_there_is_taken_out_of_it(
    project: Project, session: Session, connect: Connect, boats: list[str]
) -> None:
    """Somebody deleted there what is still ours: the list is kept equal."""
    bridge = connect(direction="push", lists=LIST)
    exchange(bridge)
    project.call("DELETE", f"datasets/{LIST}/entities/{boats[0]}")
    act(session, lambda: change_entity(session, LIST, boats[0], None, {"port": "Joal"}, None, None, now()))
    outcome = exchange(bridge)
    assert outcome.problems == []
    assert listed(project)[boats[0]] == ("Awa", {"port": "Joal"})


def test_a_list_that_differs_by_capitals_alone_is_told(
    project: Project, session: Session, connect: Connect, boats: list[str]
) -> None:
    project.call("POST", "datasets", json={"name": LIST.upper()})
    outcome = exchange(connect(direction="push", lists=LIST))
    assert (outcome.word, [one["what"] for one in outcome.problems][:1]) == ("done", [LIST])


def test_many_entities_go_over(project: Project, session: Session, connect: Connect) -> None:
    add_entity_list(session, LIST, None, now())
    act(session, lambda: add_entities(session, LIST, [NewEntity(f"Bateau {n}") for n in range(1203)], None, now()))
    bridge = connect(direction="push", lists=LIST)
    assert exchange(bridge).counts["entities_out"] == 1203
    look_again(session)
    assert dict(exchange(bridge).counts) == {}


def test_a_form_that_asks_about_a_list_finds_it_there(
    project: Project, session: Session, connect: Connect, boats: list[str]
) -> None:
    """Central links a file of a form to an entity list of that name only when the form comes."""
    sheet = {
        "survey": [["type", "name", "label"], [f"select_one_from_file {LIST}.csv", "boat", "Boat"]],
        "settings": [["form_id", "version"], ["sortie", "1"]],
    }
    read = read_form(workbook(sheet), "sortie.xlsx")
    publish(session, FormFile(read.xml, read.definition), LONG_AGO)
    exchange(connect(direction="push", publishes="sortie", lists=LIST))
    (file,) = project.json("forms/sortie/attachments")
    assert (file["name"], file["datasetExists"]) == (f"{LIST}.csv", True)
