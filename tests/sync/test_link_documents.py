"""What documents say about whose records are whose."""

import pytest
from sqlalchemy.orm import Session

from sync.link_documents import Documents, compare_documents
from sync.link_models import find_linking
from tests.sync.people import add_record

NEITHER, SAME, OTHER = Documents(), Documents(same_number=True), Documents(other_number=True)


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
    session: Session, mine: list[str], theirs: list[str], said: Documents
) -> None:
    sides = []
    for papers in (mine, theirs):
        kinds = [paper.partition(" ") for paper in papers]
        sides.append([add_record(session, document_type=one[0], document_number=one[2]) for one in kinds])
    assert compare_documents(find_linking(session), *sides) == said


def test_before_any_record_was_read_documents_say_nothing() -> None:
    assert compare_documents(None, [], []) == NEITHER
