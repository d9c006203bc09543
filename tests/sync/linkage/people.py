"""Invented records for the tests of linkage, and a model that knows no frequencies."""

from dataclasses import replace
from datetime import date

from sync.linkage.features import Features
from sync.linkage.model import LinkModel, default_model
from sync.linkage.record import LinkRecord

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
