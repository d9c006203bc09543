"""Invented records for the tests of linkage, and a model that knows no frequencies."""

from dataclasses import replace
from datetime import date
from itertools import cycle

from benchmarks.regional.recording import make_records
from sync.linkage.features import Features
from sync.linkage.model import LinkModel, default_model
from sync.linkage.record import LinkRecord, parse_record

BANDS = ("0_4", "5_11", "12_17", "18_24", "25_59", "60_plus")
MODEL: LinkModel = default_model()
FATOU = LinkRecord(
    "a",
    family_name="Diallo",
    given_name="Fatoumata",
    sex="2",
    birth_date=date(1990, 5, 17),
    nationality="GIN",
    birth_place="Labé",
    mother_name="Aissatou Barry",
    phone="+224 620 11 22 33",
    document_type="P",
    document_number="O1234567",
    recorded_on=date(2026, 6, 1),
)


def clean(record_id: str = "a", **changes: object) -> Features:
    """The features of a record like Fatou's but for the changes."""
    return MODEL.cleaner.clean(replace(FATOU, record_id=record_id, **changes))  # type: ignore[arg-type]


def invent_records(count: int, seed: int) -> list[LinkRecord]:
    """Invented records, of which every fourth knows no more than a band of ages."""
    records = [parse_record(row) for row in make_records(count, seed)[0]]
    for place, band in zip(range(0, len(records), 4), cycle(BANDS), strict=False):
        records[place] = replace(records[place], birth_date=None, age=None, age_band=band)
    return records
