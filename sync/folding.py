"""Texts without case and accents, as they are sorted, searched and compared. In SQL: folded_column.py."""

import unicodedata


def fold_letters(text: str) -> str:
    """A text without case and accents."""
    return "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))


def fold_text(text: str) -> str:
    """A text without case, accents and spaces too many."""
    return " ".join(fold_letters(text).split())
