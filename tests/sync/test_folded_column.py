"""The database takes case and accents off as Python does, whichever it is."""

import pytest
from sqlalchemy import String, literal, select
from sqlalchemy.orm import Session

from sync.folded_column import Folded
from sync.folding import fold_letters

# Names of the region, in Latin and Arabic letters, composed and decomposed; and what is no name.
TEXTS = [
    "Élise",
    "E\u0301LISE",
    "ÑUUL Ŋoom",
    "Ɓoyi Ɗemba Ƴero",
    "Œuvre",
    "Çà et là",
    "أَحمد إِبراهيم مؤمن",
    "İzmir",
    "50 %_'",
    "",
]


@pytest.mark.both_databases
def test_both_databases_fold_as_python_does(session: Session) -> None:
    folded = [session.scalar(select(Folded(literal(text, String)))) for text in TEXTS]
    assert folded == [fold_letters(text) for text in TEXTS]
