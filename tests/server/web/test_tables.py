"""Whatever a record says, a spreadsheet that opens our table calculates nothing and reads the same words."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from server.web.tables import stream_csv

ACTIVE = "=+-@\t\r"
# Texts near the danger: what starts a formula, what is skipped before it, and anything.
TEXTS = st.text(st.one_of(st.sampled_from(f"{ACTIVE} \ufeff\n\"',;"), st.characters(codec="utf-8")), max_size=12)


def read(table: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_no_cell_is_a_formula_and_no_word_is_lost(texts: list[str]) -> None:
    (cells,) = read(b"".join(stream_csv(["a"], [texts])))[1:]
    assert [cell.lstrip(" \ufeff\n")[:1] in tuple(ACTIVE) for cell in cells] == [False] * len(texts)
    assert all(cell in (text, f"'{text}") for cell, text in zip(cells, texts, strict=True))


def test_a_long_table_comes_in_pieces() -> None:
    lines = [[number, "x" * 100] for number in range(1000)]
    pieces = list(stream_csv(["a", "b"], iter(lines), mark=b""))
    assert max(len(one) for one in pieces) < 20_000
    assert read(b"".join(pieces))[1:] == [[str(number), text] for number, text in lines]
