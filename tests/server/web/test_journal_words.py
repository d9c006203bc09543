"""Every act of the journal and every purpose has a word."""

import ast
from pathlib import Path

from server.web.journal_words import JOURNAL_LABELS
from server.web.labels import LABELS
from sync.policy import PURPOSES

ROOT = Path(__file__).parents[3]


def test_every_act_of_the_journal_has_a_word() -> None:
    written = {
        argument.value
        for package in ("server", "sync")
        for path in (ROOT / package).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("add_audit_event", "note_reading")
        for argument in call.args
        if isinstance(argument, ast.Constant) and "." in str(argument.value)
    }
    assert written
    assert written <= set(JOURNAL_LABELS["act"])


def test_every_purpose_has_a_word() -> None:
    assert set(PURPOSES) <= set(JOURNAL_LABELS["purpose"])
    assert JOURNAL_LABELS.keys() <= LABELS.keys()
