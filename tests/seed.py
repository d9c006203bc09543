"""One record of everything, each answer of a class marked so that it can be found again in any page."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import current_app
from sqlalchemy.orm import Session

from forms.xlsform import read_form
from server.accounts.credentials import enrol_device
from server.extensions import attachment_store
from sync.attachments import add_blob
from sync.devices import find_device, raise_alert
from sync.entity_state import fold_label
from sync.link_decisions import Word, decide_unsure
from sync.link_fold import fold_links, read_link_record
from sync.link_inquiries import ask_site
from sync.link_reports import add_report
from sync.linkage.model import default_model
from sync.models import (
    Actor,
    Device,
    DeviceFetch,
    Encounter,
    Entity,
    EntityConflict,
    EntityContribution,
    EntityDecision,
    FormVersion,
    JobRun,
    LinkDecision,
    LinkInquiry,
    LinkQuestion,
    LinkReport,
    Peer,
    Person,
    PersonRecord,
    Site,
    Submission,
    SubmissionAttachment,
    SubmissionEvent,
    SubmissionFinding,
)
from sync.peers import PeerDetails, add_peer, add_run
from sync.publishing import FormFile, add_draft, publish_form
from sync.references import make_reference
from tests.accounts import add_site
from tests.sync.entities import keep_words

LIBRARY = Path(__file__).parent.parent / "forms/library"
# Class → what only those may find who read that class plainly.
CANARIES = {"D1": "canari-un", "D2": "canari-deux", "D3": "Canaritrois", "D4": "canari-quatre", "D7": "canari-sept"}
REFERENCE = make_reference("f04_arrivee", "uuid:1", "/data/personnes[1]")


@dataclass(frozen=True)
class Seeded:
    """The ids of what was seeded, to build addresses from."""

    site: Site
    device: Device
    submission: Submission
    file: SubmissionAttachment
    person: Person
    decision: LinkDecision
    inquiry: LinkInquiry
    version: FormVersion
    draft: FormVersion
    alert_id: int
    entity: Entity
    event: Entity
    peer: Peer
    report: LinkReport


def add_link_report(session: Session, now: datetime) -> LinkReport:
    told = dict.fromkeys(("records", "persons", "joined", "parted", "questions", "overlooked"), 0)
    content = {**told, "model": default_model().version, "calibration": [], "fairness": []}
    return add_report(session, default_model().version, content, now)


def seed(session: Session) -> Seeded:
    now = datetime.now(UTC)
    site = add_site(session, "DKR-C", "centre")
    device = add_device(session, site, now)
    version, draft = publish(session, "f04_arrivee", now)
    submission = add_submission(session, site, device, version, now)
    person = add_person(session, submission, now)
    decision, inquiry = add_doubt(session, person, now)
    entity = add_stay(session, submission, now)
    event = add_event(session, site, now)
    session.add(JobRun(job="process", started_at=now, finished_at=now, outcome="done", details={"judged": 1}))
    peer = add_peer(session, "ministere", PeerDetails("https://odk.example.sn"), None, now)
    refused = "The server refused a request (%(status)s)."
    problem = {"what": "f04_arrivee 2", "message": refused, "params": {"status": "409.6"}}
    add_run(session, peer.id, now, "done", {"records_in": 12}, [problem], now)
    report = add_link_report(session, now)
    session.commit()
    return Seeded(
        site, device, submission, submission.attachments[0], person, decision, inquiry, version, draft, 1,
        entity, event, peer, report,
    )  # fmt: skip


def add_device(session: Session, site: Site, now: datetime) -> Device:
    enrol_device(session, current_app.extensions["teral_settings"], site, f"{site.code}-01", now)
    device = find_device(session, f"{site.code}-01")
    assert device is not None
    device.last_contact_at, device.last_contact_kind = now - timedelta(hours=2), "form_list"
    device.collect_id, device.collect_version = f"collect:{CANARIES['D7']}", "2026.3.1"
    session.add(
        DeviceFetch(
            device_id=device.id,
            kind="form",
            form_id="f04_arrivee",
            version="1",
            hash="md5:x",
            first_at=now,
            last_at=now,
        )
    )
    raise_alert(session, "second_device_id", now, device.id, site.id)
    return device


@cache
def shipped_form(name: str) -> FormFile:
    content = (LIBRARY / f"{name}.xlsx").read_bytes()
    read = read_form(content, f"{name}.xlsx")
    return FormFile(read.xml, read.definition, content, f"{name}.xlsx")


def publish(session: Session, name: str, now: datetime) -> tuple[FormVersion, FormVersion]:
    file = shipped_form(name)
    return publish_form(session, file, {}, None, now).version, add_draft(session, file, {}, now)


def add_submission(
    session: Session, site: Site, device: Device, version: FormVersion, now: datetime, instance: str = "uuid:1"
) -> Submission:
    xml = arrival_xml(version.version, instance)
    stored = attachment_store().save(f"event,user\r\nform start,{CANARIES['D7']}\r\n".encode())
    add_blob(session.connection(), stored, now)
    submission = Submission(
        form_id=version.form.form_id,
        version=version.version,
        instance_id=instance,
        xml=xml,
        xml_sha256=sha256(xml).hexdigest(),
        received_at=now,
        ended_at=now - timedelta(hours=30),
        device=device,
        site=site,
        form_version=version,
        processed_at=now,
        error_count=1,
        state="quarantined",
    )
    submission.attachments.append(SubmissionAttachment(name="audit.csv", blob_sha256=stored.sha256, received_at=now))
    path = "/data/personnes[1]/accueil/situation"
    submission.findings.append(
        SubmissionFinding(
            path=path,
            kind="choice",
            grade="error",
            code="choice_unknown",
            params={},
            value=CANARIES["D4"],
            message={"French (fr)": "Choix inconnu"},
        )
    )
    submission.events.append(SubmissionEvent(at=now, kind="received", details={"files": 1}))
    session.add(submission)
    session.flush()
    return submission


def add_person(session: Session, submission: Submission, now: datetime) -> Person:
    person = Person(reference=REFERENCE)
    session.add(person)
    session.flush()
    session.add(
        PersonRecord(
            person=person,
            home=person,
            submission=submission,
            path="/data/personnes[1]",
            reference=REFERENCE,
            ended_at=now,
            site_id=submission.site_id,
            family_name=CANARIES["D3"],
            given_names="Awa",
            sex="2",
            age_band="25_59",
            birth_date=date(1991, 4, 12),
            nationality="MLI",
            phone="+221770000001",
        )
    )
    session.add(
        Encounter(
            submission=submission,
            path="/data",
            site_id=submission.site_id,
            kind="arrivee",
            at=now,
            origin=CANARIES["D2"],
        )
    )
    session.flush()
    return person


def add_doubt(session: Session, person: Person, now: datetime) -> tuple[LinkDecision, LinkInquiry]:
    """Another record that may be of this person: a question, a decision, and a question to the site."""
    (known,) = person.records
    rival = Person(reference=make_reference("f04_arrivee", "uuid:1", "/data/personnes[2]"))
    session.add(rival)
    session.flush()
    other = PersonRecord(
        person=rival, home=rival, submission_id=known.submission_id, path="/data/personnes[2]", ended_at=now,
        reference=rival.reference, family_name=CANARIES["D3"], given_names="Adama", sex="1", site_id=known.site_id,
    )  # fmt: skip
    session.add(other)
    session.flush()
    linked = {one.home_id: read_link_record(one) for one in (known, other)}
    fold_links(session.connection(), {}, linked, now)
    session.add(
        LinkQuestion(
            one_id=person.id, other_id=rival.id, one_identity_id=1, other_identity_id=2, bits=9.5, reason="margin",
            opened_at=now,
        )
    )  # fmt: skip
    word = Word(None, now, "à revoir", needs_second=True)
    decision = decide_unsure(session, person.reference, rival.reference, word)
    return decision, ask_site(session, known, other, ["sex"], "", _add_actor(session, now), now)


def _add_actor(session: Session, now: datetime) -> int:
    actor = Actor(kind="user", display_name="Relecteur", created_at=now)
    session.add(actor)
    session.flush()
    return actor.id


def add_stay(session: Session, submission: Submission, now: datetime) -> Entity:
    values = {"ref": CANARIES["D3"], "urgence": CANARIES["D4"], "sexe": "2", "etat": "arrive", "site_id": "DKR-C"}
    stay = Entity(
        list_name="dossiers", uuid="5f0c1f3e-1d2a-4b6c-8d3e-000000000001", label=CANARIES["D3"], properties=values,
        version=1, exists=True, is_open=True, open_conflicts=1, site_code="DKR-C", label_key=fold_label(CANARIES["D3"]),
    )  # fmt: skip
    session.add(stay)
    session.flush()
    keep_words(session, stay)
    said = EntityContribution(
        entity=stay, submission=submission, list_name="dossiers", path="/data/personnes[1]", root_id="uuid:1",
        action="create", label=stay.label, properties=values, counts=True,
    )  # fmt: skip
    session.add(said)
    first = ["f04_arrivee uuid:1 /data/personnes[1]", CANARIES["D3"]]
    decided = {"value": CANARIES["D3"], "shown": [first], "shown_version": 1, "decided_at": now}
    stay.decisions.append(EntityDecision(uuid="d" * 36, property_name="ref", **decided))
    rivals = [first, ["f07 uuid:2 /data", "autre"]]
    stay.conflicts.append(EntityConflict(property_name="ref", candidates=rivals, base=CANARIES["D3"], opened_at=now))
    session.flush()
    return stay


def add_event(session: Session, site: Site, now: datetime) -> Entity:
    """An event whose head-count does not close; its name holds a mark, for only those to find who read events."""
    values = {
        "type": "secours_mer", "date": (now - timedelta(days=9)).isoformat(), "site_debarq": site.code,
        "n_vivants": "7", "n_morts": "1", "etat": "ouvert",
    }  # fmt: skip
    event = Entity(
        list_name="evenements", uuid="5f0c1f3e-1d2a-4b6c-8d3e-000000000009", label=CANARIES["D2"], properties=values,
        version=1, exists=True, site_code=site.code, label_key=fold_label(CANARIES["D2"]),
    )  # fmt: skip
    session.add(event)
    session.flush()
    keep_words(session, event)
    return event


def arrival_xml(version: str, instance: str) -> bytes:
    return f"""<data xmlns:jr="http://openrosa.org/javarosa" id="f04_arrivee" version="{version}">
      <start>2026-11-20T08:00:00.000Z</start><end>2026-11-20T08:09:00.000Z</end>
      <deviceid>{CANARIES["D7"]}</deviceid><seq>{CANARIES["D1"]}</seq><site>DKR-C</site>
      <arrivee><quand>2026-11-20T07:45:00.000Z</quand><depart>{CANARIES["D2"]}</depart></arrivee>
      <personnes>
        <identite><prenoms>Awa</prenoms><nom>{CANARIES["D3"]}</nom><sexe>2</sexe><naissance>1991-04-12</naissance></identite>
        <accueil><situation>{CANARIES["D4"]}</situation></accueil>
      </personnes>
      <meta><audit>audit.csv</audit><instanceID>{instance}</instanceID></meta>
    </data>""".encode()
