"""The migrated schema and the models say the same, and migrations are numbered."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.database import MIGRATIONS, _config, list_differences, migrate
from server.extensions import db
from sync.answers import read_unread
from sync.devices import change_device_state
from sync.freed_files import AT_ONCE, list_due, list_unsettled, note_files, settle_files
from sync.intake import Sender
from sync.link_fold import is_linking_due, link_some, read_link_record
from sync.linkage.model import default_model, parse_model
from sync.linkage.score import Scorer
from sync.models import (
    AnswerValue,
    AuditEvent,
    Decision,
    EntityRelease,
    Erasure,
    IssuedVersion,
    LinkMember,
    LinkModelVersion,
    LinkQuestion,
    LinkWord,
    PeerReceipt,
    RelayedDevice,
    SubmissionAttachment,
)
from sync.relaying.down import list_down
from sync.relaying.lines import DeviceLine, StateLine, digest_of, of_kind
from sync.relaying.up import take_up
from sync.sending import send_record
from tests.server.rest.samples import record
from tests.sync.arrivals import a_file, receive
from tests.sync.entities import add_arrival, add_update, publish_entity_forms
from tests.sync.factory import NOW, add_site
from tests.sync.people import AWA, add_record
from tests.sync.relaying.conftest import add_relay
from tests.sync.test_answers import sent
from tests.sync.test_processing import settle

__all__ = ["sent"]

_ADD_WORD = text(
    "INSERT INTO link_words (model_id, word, identity_id) "
    "SELECT model_id, :word, identity_id FROM link_words WHERE word = :beside"
)


@pytest.mark.both_databases
def test_migrated_schema_equals_the_models(app: Flask) -> None:
    assert list_differences(db.engine) == []


@pytest.mark.both_databases
def test_migrating_again_changes_nothing(app: Flask) -> None:
    migrate(db.engine)
    assert list_differences(db.engine) == []


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


@pytest.mark.both_databases(postgresql="slow")
def test_entities_of_an_older_schema_get_their_keys(app: Flask) -> None:
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0002")
        columns = ("list_name", "uuid", "label", "properties", "version", "site_code", "open_conflicts", "claimed")
        values = "'dossiers', 'u', 'Lit Nº 3 – Été', '{}', 1, 'KLK', 0, 1, :yes, :yes, :yes"
        written = f'INSERT INTO entities ({", ".join(columns)}, "exists", is_open, is_settled) VALUES ({values})'
        connection.execute(text(written), {"yes": True})
        command.upgrade(_config(connection), "head")
        assert connection.scalar(text("SELECT label_key FROM entities")) == "lit no 3 – ete"


@pytest.mark.both_databases(postgresql="slow")
def test_what_was_released_and_served_under_an_older_schema_keeps_its_meaning(session: Session) -> None:
    publish_entity_forms(session)
    add_arrival(session)
    settle(session)
    add_update(session, "uuid:a9", 9, on="A")
    settle(session)
    session.rollback()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0004")
        moment = {"at": "2026-03-02 09:30:00+00:00"}
        connection.execute(text("UPDATE entity_contributions SET forced_at = :at WHERE waits_for IS NOT NULL"), moment)
        connection.execute(text("UPDATE issued_versions SET added = '[\"arrivee uuid:c /data\"]' WHERE number = 1"))
        command.upgrade(_config(connection), "head")
    assert session.scalars(select(EntityRelease.record)).all() == ["assistance uuid:a9 1"]
    assert session.scalars(select(IssuedVersion.added).where(IssuedVersion.number == 1)).one() == ["arrivee uuid:c 1"]


@pytest.mark.both_databases(postgresql="slow")
def test_a_mark_of_which_a_post_never_heard_outlives_its_next_word(session: Session) -> None:
    """0020 wrote the centre's own moment down for each tablet, as if the post had told it."""
    marked_at, active = NOW + timedelta(days=1), DeviceLine("R-1", "ROS", "active", "fr", NOW, NOW, None, None, None)
    relay = add_relay(session)
    take_up(session, relay, [active], NOW)
    [known] = session.scalars(select(RelayedDevice))
    change_device_state(session, known.device, "lost", marked_at)
    known.state_changed_at, known.taken_at = marked_at, None
    session.add_all(PeerReceipt(peer_id=0, name=digest_of(one), digest="") for one in ("device R-1", "site ROS"))
    session.commit()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0029")
        command.upgrade(_config(connection), "head")
    session.expire_all()
    take_up(session, relay, [replace(active, last_contact_at=marked_at)], marked_at)
    assert known.device.state == "lost"
    [told] = of_kind(list(list_down(session, relay, marked_at)), StateLine)
    assert (told.state, told.instead_of) == ("lost", NOW)
    assert session.scalars(select(PeerReceipt.name)).all() == [digest_of("site ROS")]


@pytest.mark.both_databases(postgresql="slow")
def test_people_of_an_older_schema_are_found_by_how_their_names_begin(session: Session) -> None:
    add_record(session, **AWA, age=30)
    add_record(session, given_names="Mamadou Moussa", family_name="Ba", age=20)
    session.commit()
    words = select(LinkWord.word, LinkWord.identity_id, LinkWord.year).order_by(LinkWord.word, LinkWord.identity_id)
    before = session.execute(words).all()
    session.rollback()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0026")
        assert not connection.scalar(text("SELECT count(*) FROM link_words WHERE word LIKE 'b%'"))
        command.upgrade(_config(connection), "head")
    assert session.execute(words).all() == before


@pytest.mark.both_databases(postgresql="slow")
def test_a_model_of_an_older_schema_learns_what_a_band_of_ages_says(session: Session) -> None:
    child, adult = (add_record(session, **AWA, age_band=band) for band in ("0_4", "18_24"))
    read = [read_link_record(record) for record in (child, adult)]
    session.commit()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0030")
        before = connection.execute(text("SELECT version, content FROM link_models")).one()
        command.upgrade(_config(connection), "head")
    assert (before.version != default_model().version, "age band" in before.content) == (True, False)
    kept = session.scalars(select(LinkModelVersion)).one()
    upgraded = parse_model(kept.content)
    assert (kept.version, is_linking_due(session)) == (upgraded.version, True)
    weighed = [Scorer(model, 2).score(*map(model.cleaner.clean, read)) for model in (upgraded, default_model())]
    assert weighed[0] == pytest.approx(weighed[1], abs=1e-3)


@pytest.mark.both_databases(postgresql="slow")
def test_a_model_of_an_older_schema_hears_names_anew_and_keeps_how_common_they_are(session: Session) -> None:
    for given_names, family_name in (("Sona", "Camara"), ("Bineta", "Kamara"), ("Modou", "Sidibeh")):
        add_record(session, given_names=given_names, family_name=family_name, age=30)
    session.commit()
    words = select(LinkWord.word).order_by(LinkWord.word)
    before = session.execute(words).all()
    session.rollback()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0034")
        content = json.loads(connection.scalar(text("SELECT content FROM link_models")))
        older = connection.scalar(text("SELECT version FROM link_models"))
        told = content["teral"]
        told["frequencies"]["family_key"] = {"cmr": 0.03, "kmr": 0.01, "jl": 0.05}
        told["frequencies"]["mother_key"] = {"fl cmr": 0.003, "cm jl": 0.002}
        told["frequencies"]["place_key"] = {"camberen": 0.004}
        told["name_order"] = {"camara": [30, 1], "kamara": [10, 2], "ami": [0, 9]}
        connection.execute(text("UPDATE link_models SET content = :now"), {"now": json.dumps(content)})
        # As the older program wrote them; Sidibeh's record, which says the same to both, is not written once more.
        for word, beside in (("ncmr", "bso"), ("bca", "bso"), ("nsdb", "bsi"), ("nsdp", "bsi")):
            connection.execute(_ADD_WORD, {"word": word, "beside": beside})
        command.upgrade(_config(connection), "head")
    session.expire_all()
    kept = session.scalars(select(LinkModelVersion)).one()
    upgraded = parse_model(kept.content)
    assert (kept.version, is_linking_due(session)) == (upgraded.version, True)
    [event] = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1))
    assert (event.action, event.target) == ("link_model.rewritten", f"link_model:{kept.id}")
    assert event.details == {"before": older, "after": kept.version}
    assert upgraded.frequencies["family_key"] == {"kmr": pytest.approx(0.04), "jl": 0.05}
    assert upgraded.frequencies["mother_key"] == {"fl kmr": 0.003, "cm jl": 0.002}
    assert upgraded.frequencies["place_key"] == {"kamberen": 0.004}
    assert upgraded.name_order == {"kamara": (40, 3), "ami": (0, 9)}
    while link_some(session, NOW):
        session.commit()
    assert session.execute(words).all() == before


@pytest.mark.both_databases(postgresql="slow")
def test_records_of_an_older_schema_are_looked_for_at_their_site(session: Session) -> None:
    for site in (add_site(session).id, None):
        add_record(session, **AWA, age=30, site_id=site)
    session.commit()
    sites = select(LinkMember.home_id, LinkMember.site_id).order_by(LinkMember.home_id)
    before = session.execute(sites).all()
    session.rollback()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0033")
        command.upgrade(_config(connection), "head")
    assert (len(before), session.execute(sites).all()) == (2, before)


@pytest.mark.both_databases(postgresql="slow")
def test_long_answers_of_an_older_schema_are_found_by_filters(sent: Session) -> None:
    long = f"<fruit>{'a' * 300}</fruit><boxes>3</boxes><seller><stall>{'b' * 256}</stall></seller>"
    send_record(sent, "market", record("long", long), Sender(), NOW)
    while read_unread(sent, "market"):
        sent.commit()
    values = select(AnswerValue.submission_id, AnswerValue.path, AnswerValue.text, AnswerValue.whole)
    before = sent.execute(values.order_by(AnswerValue.submission_id, AnswerValue.path)).all()
    sent.rollback()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0035")
        assert connection.scalar(text("SELECT max(length(text)) FROM answer_values")) == len("mango")
        command.upgrade(_config(connection), "head")
    found = sent.execute(values.order_by(AnswerValue.submission_id, AnswerValue.path)).all()
    assert (found, [len(one.whole) for one in found if one.whole]) == (before, [300, 256])


@pytest.mark.both_databases(postgresql="slow")
def test_questions_of_an_older_schema_are_as_urgent_as_new_ones(session: Session) -> None:
    add_record(session, **AWA, birth_date=date(2010, 4, 12), hours=90)
    add_record(session, **AWA | {"mother_name": ""}, age=16, hours=50)
    session.commit()
    urgency = select(LinkQuestion.one_id, LinkQuestion.urgency, LinkQuestion.met_at)
    before = session.execute(urgency).all()
    session.rollback()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0040")
        command.upgrade(_config(connection), "head")
    assert ([one.urgency for one in before], session.execute(urgency).all()) == ([2], before)


@pytest.mark.both_databases(postgresql="slow")
def test_what_an_older_schema_left_of_erased_records_goes(session: Session) -> None:
    erased, living = (
        receive(session, f"uuid:{number}", a_file("awa.jpg", b"%d" % number)).submission_id for number in (1, 2)
    )
    for record_id in (erased, living):
        session.add(Decision(submission_id=record_id, decided_at=NOW, kind="accept", reason="Awa, vue avec le poste"))
    session.add(Erasure(submission_id=erased, retained={}, reason="durée de conservation", erased_at=NOW))
    session.commit()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0047")
        command.upgrade(_config(connection), "head")
    assert session.scalars(select(SubmissionAttachment.submission_id)).all() == [living]
    reasons = select(Decision.submission_id, Decision.reason).order_by(Decision.submission_id)
    assert session.execute(reasons).all() == [(erased, ""), (living, "Awa, vue avec le poste")]
    noted = list(list_unsettled(session))
    settle_files(session, noted)
    assert noted == list_due(session, AT_ONCE) == [a_file("awa.jpg", b"1").stored.sha256]


@pytest.mark.both_databases(postgresql="slow")
def test_notes_of_files_that_an_older_schema_made_are_by_no_clock(session: Session) -> None:
    now = datetime.now(UTC)
    for name, days in (("erased", -1), ("stray", 20), ("far", 3650)):
        note_files(session.connection(), [name], now + timedelta(days=days))
    session.commit()
    with db.engine.connect().execution_options(write=True) as connection, connection.begin():
        command.downgrade(_config(connection), "0048")
        command.upgrade(_config(connection), "head")
    assert list_due(session, AT_ONCE) == list_due(session, now) == ["erased"]
    assert set(list_due(session, now + timedelta(days=21))) == {"erased", "stray"}
    assert len(list_due(session, now + timedelta(days=31))) == 3
