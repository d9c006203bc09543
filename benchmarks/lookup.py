"""How quickly a person is looked up among many: every way in which officers ask, beside the bare reading of its words.

The registry is filled by writing rows, with invented people (benchmarks/regional) of whom each further site has fewer;
asking is sync/lookup.py in one session, by somebody who may see all of them and by the staff of the smallest centre.
The floor is one query for the rows of the rarest word that was asked for, ranked and joined with nothing.
"""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.orm import Session

from benchmarks.entity_rows import analyse, open_engine
from benchmarks.regional.recording import make_records
from server.cli.setup import set_up
from sync.link_models import Linking, list_linkings
from sync.linkage.features import pack
from sync.linkage.model import find_size
from sync.linkage.record import parse_record
from sync.linkage.words import list_asked_words, list_words, read_clues
from sync.lookup import Description, look_up
from sync.models import LinkIdentity, LinkMember, LinkProgress, LinkWord, Person, PersonRecord, Site, Submission
from sync.policy import Viewer
from sync.references import make_reference
from tests.live import demo_settings

RECORDS = 1_000_000
_AT_ONCE, _PER_SUBMISSION, _ASKED = 20_000, 1000, 200
_TEXTS = ("family_name", "birth_place", "mother_name", "phone", "document_type", "document_number", "nationality")

Row = dict[str, str]


def run(folder: Path, database_url: str, _floor: str, _seconds: float, _rate: float, total: int = RECORDS) -> None:
    settings = demo_settings(folder / "server", database_url)
    set_up(settings, demo=True)
    engine, begun = open_engine(settings.sqlalchemy_url), time.monotonic()
    sample = fill(engine, total)
    analyse(engine)
    print(f"{total} person records, written in {time.monotonic() - begun:.0f} s", flush=True)
    with Session(engine) as session:
        smallest = session.scalars(select(Site.id).order_by(Site.id.desc()).limit(1)).one()
        for viewer in (Viewer(1, "data_steward"), Viewer(1, "centre_staff", smallest)):
            print(f"asked by {viewer.role}:", flush=True)
            for name, ask in WAYS.items():
                _measure(session, viewer, name, [ask(one) for one in sample])
    engine.dispose()


# The same person as somebody else writes them: a record of the sample says it in its own way, the officer in theirs.
WAYS: dict[str, Callable[[Row], Description]] = {
    "names": lambda one: Description(f"{one['given_name']} {one['family_name']}"),
    "names crossed, with the year": lambda one: Description(
        f"{one['family_name']} {one['given_name']} {one['birth_date'][:4]}"
    ),
    "parts of names": lambda one: Description(f"{one['given_name'][:4]} {one['family_name'][:4]}"),
    "a name and two letters": lambda one: Description(f"{one['given_name']} {one['family_name'][:2]}"),
    "two letters alone": lambda one: Description(one["family_name"][:2]),
    "given name and mother": lambda one: Description(one["given_name"], one["mother_name"]),
    "family name alone": lambda one: Description(one["family_name"]),
    "telephone": lambda one: Description(one["phone"] or one["document_number"] or one["family_name"]),
    "reference": lambda one: Description(one["reference"]),
}


def fill(engine: Engine, total: int) -> list[Row]:
    """Write so many records with all that a look-up reads; return some of them."""
    sample: list[Row] = []
    dice, now = random.Random(7), datetime.now(UTC)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        linking = next(one for one in list_linkings(connection, now) if one.active)
        sites = connection.execute(select(Site.id).order_by(Site.id)).scalars().all()
        for start in range(0, total, _AT_ONCE):
            rows, _truth = make_records(min(_AT_ONCE, total - start), start)
            for place, row in enumerate(rows):
                row["reference"] = make_reference("banc", "uuid:banc", str(start + place))
            at = dice.choices(sites, [1 / place for place in range(1, len(sites) + 1)], k=len(rows))
            _write(connection, linking, list(zip(rows, at, strict=True)), start + 1, now)
            sample += dice.sample(rows, min(len(rows), max(1, _ASKED * _AT_ONCE // total)))
        connection.execute(update(LinkProgress).values(records=total, size=find_size(total)))
    return [one for one in sample if one["family_name"] and one["given_name"]][:_ASKED]


def _write(connection: Connection, linking: Linking, rows: list[tuple[Row, int]], first: int, now: datetime) -> None:
    submission = 1_000_000_000 + first
    connection.execute(insert(Submission), [_submission(submission, now)])
    numbered = [(number, row, site) for number, (row, site) in enumerate(rows, first)]
    connection.execute(insert(Person), [{"id": number, "reference": row["reference"]} for number, row, _ in numbered])
    records = [_record(number, row, submission, now) | {"site_id": site} for number, row, site in numbered]
    connection.execute(insert(PersonRecord), records)
    read = [(number, linking.model.cleaner.clean(parse_record(row))) for number, row, _ in numbered]
    connection.execute(insert(LinkIdentity), [_identity(number, pack(one), linking) for number, one in read])
    members = [
        {"model_id": linking.model_id, "home_id": number, "identity_id": number, "site_id": site}
        for number, _, site in numbered
    ]
    connection.execute(insert(LinkMember), members)
    words = [
        {"model_id": linking.model_id, "word": word, "identity_id": number, "year": one.birth_year}
        for number, one in read
        for word in list_words(linking.model.cleaner, one)
    ]
    connection.execute(insert(LinkWord), words)


def _submission(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number, "form_id": "banc", "version": "1", "instance_id": f"uuid:banc-{number}", "xml": b"",
        "state": "merged", "xml_sha256": f"{number:064}", "is_draft": False, "received_at": now, "processed_at": now,
    }  # fmt: skip


def _record(number: int, row: Row, submission: int, now: datetime) -> dict[str, Any]:
    read = parse_record(row)
    return {
        "id": number, "person_id": number, "home_id": number, "submission_id": submission, "path": f"/data/p[{number}]",
        "reference": row["reference"], "ended_at": now, "given_names": row["given_name"], "sex": read.sex or None,
        "birth_date": read.birth_date, "age": read.age, **{name: row[name] or None for name in _TEXTS},
    }  # fmt: skip


def _identity(number: int, packed: bytes, linking: Linking) -> dict[str, Any]:
    return {
        "id": number, "model_id": linking.model_id, "fingerprint": number.to_bytes(16), "features": packed,
        "records": 1, "own_bits": 0.0, "own_corroborated": True,
    }  # fmt: skip


def _measure(session: Session, viewer: Viewer, name: str, asked: list[Description]) -> None:
    now = datetime.now(UTC)
    took = list(_time(lambda one: look_up(session, viewer, one, now), asked))
    bottom = list(_time(lambda one: _read_rarest(session, one, now), asked))
    p95, floor = quantiles(took, n=20)[-1], quantiles(bottom, n=20)[-1]
    print(
        f"look-up by {name:30} median {median(took):7.1f} ms  p95 {p95:7.1f} ms"
        f"   floor p95 {floor:6.1f} ms  {p95 / floor:5.1f}×",
        flush=True,
    )


def _time(work: Callable[[Description], object], asked: list[Description]) -> Iterator[float]:
    work(asked[0])
    for one in asked:
        begun = time.perf_counter()
        work(one)
        yield (time.perf_counter() - begun) * 1000


def _read_rarest(session: Session, asked: Description, now: datetime) -> object:
    linking = next(one for one in list_linkings(session.connection(), now) if one.active)
    words = list_asked_words(read_clues(asked.text, asked.mother, "", now.date()), linking.model.cleaner)
    rows = select(LinkWord.identity_id).where(
        LinkWord.model_id == linking.model_id, LinkWord.word == max(words, key=len, default="")
    )
    return session.execute(rows.limit(250)).all()
