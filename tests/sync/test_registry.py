"""The registry follows from what was said and decided, never from when it came: one digest for any order."""

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from server import create_app
from server.config import Settings
from server.extensions import db
from server.processing import process_pending
from sync.db import Base, begin_write
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from sync.models import PersonRecord, Submission
from sync.publishing import publish_form
from sync.quarantine import accept, reject
from sync.registry import registry_digest
from tests.conftest import SECRET
from tests.postgres import create_database, drop_database
from tests.sync.factory import NOW, form_file, xml

AWA = {"prenoms": "Awa", "nom": "Ndiaye", "sexe": "2", "age": "31"}
MODOU = {"prenoms": "Modou", "nom": "Faye", "sexe": "1", "age": "19"}
WRONG = {"prenoms": "Fatou", "nom": "Sow", "sexe": "9", "age": "vingt"}
FORMS = {"forms", "form_versions", "form_attachments", "catalogue"}


@dataclass(frozen=True)
class Told:
    """One record as a tablet tells it, and what a person decides about it in the end."""

    instance_id: str
    people: tuple[dict[str, str], ...]
    deprecated_id: str | None = None
    decision: str | None = None

    @property
    def body(self) -> bytes:
        return xml(self.instance_id, list(self.people), deprecated_id=self.deprecated_id)


def named(name: str) -> tuple[dict[str, str], ...]:
    return ({**AWA, "prenoms": name},)


HISTORY = (
    Told("uuid:1", (AWA, MODOU)),
    Told("uuid:2", named("Awa Marie"), "uuid:1"),
    Told("uuid:3", named("Awa Louise"), "uuid:2"),
    Told("uuid:4", named("Astou"), "uuid:1"),  # a rival edit that nobody decided about
    Told("uuid:5", (WRONG,)),
    Told("uuid:6", (WRONG,), decision="accept"),
    Told("uuid:7", (MODOU,), decision="reject"),
    Told("uuid:8", named("Coumba")),
    Told("uuid:8", named("Coumba Diop")),  # twins
    Told("uuid:9", named("Dior")),
    Told("uuid:9", named("Dior Fall"), decision="accept"),  # twins, one of them chosen
    Told("uuid:10", named("Penda"), "uuid:absent"),  # its original never comes
    Told("uuid:11", (WRONG,), "uuid:8"),  # an edit with errors
    Told("uuid:13", named("Rokhaya"), "uuid:12", decision="accept"),
    Told("uuid:14", named("Sokhna"), "uuid:12"),
    Told("uuid:12", named("Ramata")),
)


def deliver(session: Session, told: Told) -> None:
    record = IncomingRecord("passage", "1", told.instance_id, told.deprecated_id)
    begin_write(session)
    receive_submission(session, record, Upload(told.body, sha256(told.body).hexdigest()), Sender(), NOW)
    session.commit()


def decide(session: Session, history: Sequence[Told]) -> None:
    """A person decides when all has come; in which order they look at it is theirs."""
    for number, told in enumerate(history):
        if told.decision is None:
            continue
        begin_write(session)
        rows = session.scalars(select(Submission).where(Submission.instance_id == told.instance_id))
        row = next(one for one in rows if one.xml == told.body)
        verb = accept if told.decision == "accept" else reject
        verb(session, row, None, "vu avec le poste", NOW + timedelta(minutes=number))
        session.commit()


def tell(session: Session, seed: int) -> str:
    """Deliver the history shuffled, a part of it twice, judging now and then; return the digest."""
    order = random.Random(seed)
    history = list(HISTORY)
    deliveries = [*history, *order.sample(history, 6)]
    order.shuffle(deliveries)
    order.shuffle(history)
    for told in deliveries:
        deliver(session, told)
        if order.random() < 0.4:
            process_pending()
    process_pending()
    decide(session, history)
    process_pending()
    session.expire_all()
    return registry_digest(session)


def prepare(session: Session) -> None:
    publish_form(session, form_file(), {}, None, NOW)
    session.commit()


def forget(session: Session) -> None:
    """Empty everything but the forms."""
    session.rollback()
    with db.engine.execution_options(write=True).begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in FORMS:
                connection.execute(table.delete())
    session.expire_all()


def collect_digests(session: Session, seeds: range) -> set[str]:
    prepare(session)
    digests = set()
    for seed in seeds:
        digests.add(tell(session, seed))
        forget(session)
    return digests


@pytest.mark.both_databases
def test_any_order_gives_one_digest(session: Session) -> None:
    assert len(collect_digests(session, range(4))) == 1


@pytest.mark.slow
@pytest.mark.both_databases
def test_any_of_many_orders_gives_one_digest(session: Session) -> None:
    assert len(collect_digests(session, range(100, 160))) == 1


def test_what_counts_is_what_was_said_last_and_decided(session: Session) -> None:
    prepare(session)
    tell(session, 7)
    counting = set(session.scalars(select(PersonRecord.given_names)))
    assert {"Awa Louise", "Fatou", "Dior Fall", "Rokhaya"} <= counting
    assert not {"Awa", "Modou", "Astou", "Dior", "Penda", "Sokhna", "Ramata"} & counting
    assert len(counting & {"Coumba", "Coumba Diop"}) == 1


def test_both_databases_give_the_same_digest(tmp_path: Path, sqlite_template: Path, postgres_url: str) -> None:
    shutil.copy(sqlite_template, tmp_path / "teral.db")
    address = create_database(postgres_url, "test_one_digest", "teral")
    digests = set()
    for url in ("", address):
        app = create_app(Settings(data_dir=str(tmp_path), database_url=url, secret_key=SECRET))
        with app.app_context():
            prepare(db.session())
            digests.add(tell(db.session(), 11))
            db.session.remove()
            db.engine.dispose()
    drop_database(postgres_url, "test_one_digest")
    assert len(digests) == 1


def test_digest_tells_a_changed_value(session: Session) -> None:
    prepare(session)
    before = tell(session, 3)
    session.scalars(select(PersonRecord)).first().age = 99  # type: ignore[union-attr]
    session.flush()
    assert registry_digest(session) != before
