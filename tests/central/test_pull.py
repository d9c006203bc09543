"""What we read from the real Central: everything, once, wherever the line breaks."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.programme import LIBRARY
from forms.xlsform import read_form
from server.extensions import attachment_store
from server.processing import process_pending
from sync.central.run import exchange
from sync.models import Form, FormVersion, PeerForm, Submission, SubmissionFinding
from tests.central.backend import Central, Project
from tests.central.conftest import Connect
from tests.library_fills import fill_shipped
from tests.sync.central.second_server import count_heads, cut_line, records
from tests.sync.factory import form_file, xml

pytestmark = pytest.mark.central
ENVELOPE = """<data xmlns="http://opendatakit.org/submissions" id="passage" version="{version}" encrypted="yes">
<base64EncryptedKey>eA==</base64EncryptedKey><meta xmlns="http://openrosa.org/xforms"><instanceID>uuid:e</instanceID></meta>
<encryptedXmlFile>submission.xml.enc</encryptedXmlFile>
<base64EncryptedElementSignature>eA==</base64EncryptedElementSignature></data>"""
Sent = dict[str, tuple[str, str | None, tuple[tuple[str, str], ...]]]


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def send_one(project: Project, number: int, seed: int) -> Sent:
    """A record: every fifth with a photograph, every seventh edited, some twice."""
    rng = random.Random(seed + number)
    name = f"r{number}.jpg" if number % 5 == 0 else ""
    photo = rng.randbytes(rng.randrange(1, 40_000)) if name else b""
    files = ((name, digest(photo)),) if name else ()
    instance, sent = f"uuid:r{number}", {}
    chain = [(instance, None)] + [(f"{instance}-b", instance)] * (number % 7 == 0)
    chain += [(f"{instance}-c", f"{instance}-b")] * (number % 21 == 0)
    for one, replaced in chain:
        body = xml(one, photo=name, deprecated_id=replaced, direction=rng.choice(("entree", "sortie")))
        project.send(body, {name: photo} if name and replaced is None else {})
        sent[one] = (digest(body), replaced, files)
    return sent


def fill(project: Project, number: int, seed: int = 7) -> Sent:
    project.publish(form_file("1").xml)
    sent: Sent = {}
    with ThreadPoolExecutor(4) as threads:
        for one in threads.map(lambda number: send_one(project, number, seed), range(number)):
            sent |= one
    return sent


@pytest.mark.parametrize(("number", "cuts"), [(60, 10), (5000, 50)])
def test_a_line_that_breaks_loses_nothing_and_brings_nothing_twice(
    project: Project, central: Central, session: Session, connect: Connect, number: int, cuts: int
) -> None:
    rng = random.Random(7)
    sent = fill(project, number)
    total = number * 2500
    with cut_line(central.url, [rng.randrange(0, total // cuts) for _ in range(cuts)]) as line:
        bridge, runs = connect(line.url), 1
        while (outcome := exchange(bridge)).word != "done":
            runs += 1
            assert runs < 3 * cuts
        assert outcome.problems == []
        assert line.cut == cuts
        assert records(session, attachment_store()) == sent
        assert count_heads(session) == number
        again = exchange(bridge)
    assert (again.word, dict(again.counts), again.problems) == ("done", {}, [])


def versions(session: Session) -> dict[str, str]:
    session.rollback()
    query = select(Form.form_id, FormVersion.version, FormVersion.state).join(Form)
    return {f"{form_id} {version}": state for form_id, version, state in session.execute(query)}


def test_shipped_forms_come_as_central_made_them(project: Project, session: Session, connect: Connect) -> None:
    """Central converts the workbooks with its own pyxform: repeats, attachments, entities, our own columns."""
    for path in sorted(LIBRARY.glob("*.xlsx")):
        project.upload(path.read_bytes(), path.stem)
    outcome = exchange(connect())
    assert (outcome.word, outcome.problems) == ("done", [])
    for one in session.scalars(select(FormVersion)):
        own = read_form((LIBRARY / f"{one.form.form_id}.xlsx").read_bytes(), "form.xlsx")
        assert (one.version, one.xml) == (own.definition.version, own.xml)


def test_records_of_shipped_forms_come_whole_and_are_judged_as_a_tablets_are(
    project: Project, session: Session, connect: Connect
) -> None:
    """Repeats, files and entities as simulated tablets fill them: Central checks nothing, we find nothing wrong."""
    sent: Sent = {}
    for seed, path in enumerate(sorted(LIBRARY.glob("*.xlsx"))):
        project.upload(path.read_bytes(), path.stem)
        for filled in fill_shipped(path.stem, 5, seed):
            project.send(filled.xml, filled.files)
            files = tuple((name, digest(content)) for name, content in sorted(filled.files.items()))
            sent[filled.instance_id] = (digest(filled.xml), None, files)
    outcome = exchange(connect())
    assert (outcome.word, outcome.problems, outcome.counts["records_in"]) == ("done", [], len(sent))
    assert {name: (xml, old, tuple(sorted(files))) for name, (xml, old, files) in read(session).items()} == sent
    process_pending()
    session.rollback()
    assert session.scalars(select(SubmissionFinding.code).where(SubmissionFinding.grade == "error")).all() == []


def read(session: Session) -> Sent:
    return records(session, attachment_store())


def test_versions_files_and_closed_forms_come(project: Project, session: Session, connect: Connect) -> None:
    project.publish(form_file("1").xml, {"villages.csv": b"name,label\nv1,Dagana\n"})
    project.publish(form_file("2").xml)
    project.call("PATCH", "forms/passage", json={"state": "closed"})
    project.call("POST", "forms/passage/draft")
    assert exchange(connect()).problems == []
    assert versions(session) == {"passage 1": "closing", "passage 2": "closing"}
    kept = session.scalars(select(FormVersion).where(FormVersion.version == "2")).one().attachments
    assert {one.name for one in kept if one.blob_sha256} == {"villages.csv"}


def test_a_version_that_we_refuse_stops_no_record_and_is_told(
    project: Project, session: Session, connect: Connect
) -> None:
    good = form_file("1").xml
    project.publish(good)
    project.publish(
        good.replace(b'version="1"', b'version="2"').replace(b"<bind ", b'<bind relevant="no such thing(" ', 1)
    )
    project.send(xml("uuid:a"))
    project.send(xml("uuid:b", version="2"))
    outcome = exchange(connect())
    assert (outcome.word, outcome.counts["records_in"]) == ("done", 2)
    assert [one["what"] for one in outcome.problems] == ["passage 2"]
    process_pending()
    session.rollback()
    states = {one.instance_id: one.state for one in session.scalars(select(Submission))}
    assert states == {"uuid:a": "merged", "uuid:b": "quarantined"}


def test_tests_of_a_draft_stay_there(project: Project, session: Session, connect: Connect) -> None:
    project.publish(form_file("1").xml)
    project.call("POST", "forms/passage/draft")
    project.call("POST", "forms/passage/draft/submissions", data=xml("uuid:t"), headers={"Content-Type": "text/xml"})
    assert dict(exchange(connect()).counts) == {"forms_in": 1}


def test_what_is_deleted_there_stays_here(project: Project, session: Session, connect: Connect) -> None:
    project.publish(form_file("1").xml)
    for one in ("uuid:a", "uuid:b"):
        project.send(xml(one))
    project.call("DELETE", "forms/passage/submissions/uuid:b")
    bridge = connect()
    assert exchange(bridge).counts["records_in"] == 1
    project.call("DELETE", "forms/passage/submissions/uuid:a")
    again = exchange(bridge)
    assert (again.word, dict(again.counts), again.problems) == ("done", {}, [])
    session.rollback()
    assert session.scalars(select(Submission.instance_id)).all() == ["uuid:a"]


def test_what_is_restored_there_comes_though_no_time_says_so(
    project: Project, session: Session, connect: Connect
) -> None:
    project.publish(form_file("1").xml)
    project.send(xml("uuid:a"))
    project.call("DELETE", "forms/passage/submissions/uuid:a")
    project.send(xml("uuid:b"))
    bridge = connect()
    exchange(bridge)
    project.call("POST", "forms/passage/submissions/uuid:a/restore")
    # As if it had lain there for longer than two exchanges overlap.
    read = session.scalars(select(PeerForm)).one()
    read.read_until += timedelta(hours=1)
    session.commit()
    assert dict(exchange(bridge).counts) == {"records_in": 1}


def test_reviews_and_late_files_come(project: Project, session: Session, connect: Connect) -> None:
    project.publish(form_file("1").xml)
    project.send(xml("uuid:a", photo="a.jpg"))
    bridge = connect()
    exchange(bridge)
    project.call("POST", "forms/passage/submissions/uuid:a/attachments/a.jpg", data=b"jpeg")
    assert dict(exchange(bridge).counts) == {"files_in": 1}
    project.call("PATCH", "forms/passage/submissions/uuid:a", json={"reviewState": "approved"})
    assert dict(exchange(bridge).counts) == {"reviews_in": 1}
    session.rollback()
    assert session.scalars(select(Submission.decision)).one() == "accept"


def test_an_edit_in_the_browser_comes_with_its_file(project: Project, session: Session, connect: Connect) -> None:
    """Another file under the same name replaces the first in the newest version only."""
    project.publish(form_file("1").xml)
    project.send(xml("uuid:a", photo="a.jpg"), {"a.jpg": b"first"})
    bridge = connect()
    exchange(bridge)
    edited = xml("uuid:b", photo="a.jpg", deprecated_id="uuid:a")
    project.send(edited, {"a.jpg": b"second"})
    exchange(bridge)
    files = {name: files for name, (_, _, files) in records(session, attachment_store()).items()}
    assert files == {"uuid:a": (("a.jpg", digest(b"first")),), "uuid:b": (("a.jpg", digest(b"second")),)}


def test_a_central_that_restarts_is_waited_for(
    project: Project, central: Central, session: Session, connect: Connect
) -> None:
    project.publish(form_file("1").xml)
    for one in "abc":
        project.send(xml(f"uuid:{one}"))
    bridge, left = connect(), [True, True]
    assert exchange(bridge, lambda: bool(left and left.pop())).word == "stopped"
    central.stop()
    assert exchange(bridge).word == "failed"
    central.start()
    assert exchange(bridge).word == "done"
    session.rollback()
    assert len(session.scalars(select(Submission)).all()) == 3


def test_a_session_that_ends_is_begun_anew(
    project: Project, central: Central, session: Session, connect: Connect
) -> None:
    project.publish(form_file("1").xml)
    bridge = connect()
    exchange(bridge)
    project.send(xml("uuid:a"))
    bridge.client.call("DELETE", "sessions/current")
    assert dict(exchange(bridge).counts) == {"records_in": 1}


def test_a_password_that_was_changed_there_is_told(
    project: Project, central: Central, session: Session, connect: Connect
) -> None:
    project.publish(form_file("1").xml)
    bridge = connect()
    exchange(bridge)
    with central.other_password(project):
        outcome = exchange(bridge)
        assert (outcome.word, outcome.problems[0]["message"]) == (
            "failed",
            "The server does not accept the credentials.",
        )
    assert exchange(bridge).word == "done"


def test_an_account_that_may_see_nothing_is_told(
    project: Project, central: Central, session: Session, connect: Connect
) -> None:
    project.publish(form_file("1").xml)
    outcome = exchange(connect(project="999999"))
    assert outcome.problems[0]["message"].startswith("The server has nothing at this address")


def test_encrypted_records_come_locked(project: Project, session: Session, connect: Connect) -> None:
    """Central's own encryption: the form comes under another version, with a key that only its passphrase opens."""
    project.publish(form_file("1").xml)
    project.call("POST", "key", json={"passphrase": "baobab sous la pluie"})
    (newest,) = [one for one in project.json("forms/passage/versions") if one["keyId"]]
    project.send(ENVELOPE.format(version=newest["version"]).encode(), {"submission.xml.enc": b"sealed"})
    bridge = connect()
    outcome = exchange(bridge)
    assert (outcome.word, outcome.problems, outcome.counts["records_in"]) == ("done", [], 1)
