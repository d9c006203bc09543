"""`teral answers`."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.processing import process_pending
from sync.models import AnswerRow, AnswerValue
from tests.server.cli.conftest import Run
from tests.sync.test_answers import sent

__all__ = ["sent"]


def test_what_was_lost_is_written_down_again(sent: Session, run: Run) -> None:
    process_pending()
    before = sent.scalar(select(func.count()).select_from(AnswerRow))
    sent.execute(delete(AnswerRow))
    sent.execute(delete(AnswerValue))
    sent.commit()
    assert run("answers", "rebuild", "--missing").exit_code == 0
    assert sent.scalar(select(func.count()).select_from(AnswerRow)) == before
