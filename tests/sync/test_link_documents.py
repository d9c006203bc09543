"""What documents say about whose records are whose."""

import pytest

from sync.link_documents import Documents, compare_documents
from sync.link_models import Linking
from sync.linkage.model import default_model
from sync.linkage.score import Scorer
from sync.models import PersonRecord

NEITHER, SAME, OTHER = Documents(), Documents(same_number=True), Documents(other_number=True)


def record_of(paper: str) -> PersonRecord:
    kind, _, number = paper.partition(" ")
    return PersonRecord(reference=paper, document_type=kind, document_number=number)


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        (["P A1234567"], ["P A1234567"], SAME),
        (["P A1234567"], ["P B7654321"], OTHER),
        (["P A1234567"], ["I B7654321"], NEITHER),
        (["P A1234567"], [""], NEITHER),
        (["P A1234567", ""], ["", "P B7654321"], OTHER),
        # Who had a passport renewed shows two numbers: the one that both sides show tells more.
        (["P A1234567", "P B7654321"], ["P B7654321"], SAME),
        (["P A1234567"], [], NEITHER),
    ],
)
def test_one_document_of_both_sides_speaks_against_parting_them(
    mine: list[str], theirs: list[str], said: Documents
) -> None:
    model = default_model()
    linking = Linking(1, model, Scorer(model, 1000), active=True)
    assert compare_documents(linking, map(record_of, mine), map(record_of, theirs)) == said


def test_before_any_record_was_read_documents_say_nothing() -> None:
    assert compare_documents(None, [], []) == NEITHER
