"""Answers kept flat, as lists and exports read them. Everything here is made from the records and can be made again."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.db import Base

LONGEST_VALUE = 255
# In the order of bytes, as SQLite has it: the beginnings of two texts then stand in the order of the texts.
_VALUE = String(LONGEST_VALUE).with_variant(String(LONGEST_VALUE, collation="C"), "postgresql")
_WHOLE = Text().with_variant(Text(collation="C"), "postgresql")


class AnswerRow(Base):
    """A row of a form's table (forms/tables.py): the record's own (table "") or one turn of a repeat."""

    __tablename__ = "answer_rows"
    __table_args__ = (Index("ix_answer_rows_table", "form_id", "table_name", "submission_id", "number"),)

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    form_id: Mapped[str] = mapped_column(String(255))
    table_name: Mapped[str] = mapped_column(String(255))
    parent: Mapped[int | None]
    key: Mapped[str] = mapped_column(Text)
    # JSON as bytes: read whole, by us alone, and parsed five times as fast as what a JSON column hands out.
    answers: Mapped[bytes] = mapped_column(LargeBinary)
    # The same as the cells of a line of CSV, and the AnswerLayout that says which: none where no definition was known,
    # and in rows from before cells were kept. No foreign key: SQLite would write every row anew to add it.
    layout_id: Mapped[int | None] = mapped_column(BigInteger)
    cells: Mapped[bytes | None] = mapped_column(LargeBinary)


class AnswerLayout(Base):
    """What the kept cells of some rows are of: of one table, in all form versions that have the same columns."""

    __tablename__ = "answer_layouts"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    form_id: Mapped[str] = mapped_column(String(255), index=True)
    table_name: Mapped[str] = mapped_column(String(255))
    cells: Mapped[list[Any]]


class AnswerValue(Base):
    """One answer of the record's own table, so that a filter finds it by an index."""

    __tablename__ = "answer_values"
    __table_args__ = (
        Index("ix_answer_values_text", "form_id", "path", "text"),
        Index(
            "ix_answer_values_number", "form_id", "path", "number",
            sqlite_where=text("number IS NOT NULL"), postgresql_where=text("number IS NOT NULL"),
        ),
    )  # fmt: skip

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    path: Mapped[str] = mapped_column(String(255), primary_key=True)
    form_id: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(_VALUE)
    # What `text` is the beginning of: an index takes no longer one.
    whole: Mapped[str | None] = mapped_column(_WHOLE)
    number: Mapped[float | None]
