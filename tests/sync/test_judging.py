"""What judging gives for processing to write, beyond the findings that the validator's own tests hold."""

from sync.judging import Work, judge
from tests.forms.test_entity_claims import ID, claiming
from tests.sync.factory import NOW


def test_a_claim_becomes_an_entity_s_update() -> None:
    xml = f'<data id="essai" version="1"><id>{ID}</id><a>sorti</a><b/></data>'.encode()
    [change] = judge(Work(1, xml, NOW, "fr", definition=claiming())).entities
    assert (change.list_name, change.id, change.action, change.values) == ("suivi", ID, "update", {"etat": "sorti"})
