"""What judging gives for processing to write, beyond the findings that the validator's own tests hold."""

from datetime import UTC, datetime

import pytest

from sync.judging import Work, judge, to_utc
from tests.forms.test_entity_claims import ID, claiming
from tests.sync.factory import NOW


def test_a_claim_becomes_an_entity_s_update() -> None:
    xml = f'<data id="essai" version="1"><id>{ID}</id><a>sorti</a><b/></data>'.encode()
    [change] = judge(Work(1, xml, NOW, "fr", definition=claiming())).entities
    assert (change.list_name, change.id, change.action, change.values) == ("suivi", ID, "update", {"etat": "sorti"})


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("2026-11-20T08:00:00+02:00", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-12:00", None),
    ],
)
def test_a_moment_is_one_with_which_can_be_reckoned(said: str, taken: datetime | None) -> None:
    assert to_utc(datetime.fromisoformat(said)) == taken
