"""What people are looked up by: words of their names and mothers, telephones and documents, as the model reads them."""

from sqlalchemy import PrimaryKeyConstraint, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from sync.db import Base

# Beginnings of words are pieces of the table, so that words are in the order of their bytes, whatever the database's.
_WORD = String(40).with_variant(String(40, collation="C"), "postgresql")


class LinkWord(Base):
    """A word of an identity (models/linkage.py), by sound and so in any spelling; its first sign tells of what.

    Clustered by the word, so that a part of a name is a piece of the table. No foreign keys, as in LinkKey.
    """

    __tablename__ = "link_words"
    __table_args__ = (
        # PostgreSQL clusters nothing: with the year its index answers alone, and no row need be fetched.
        PrimaryKeyConstraint("model_id", "word", "identity_id", postgresql_include=["year"]),
        {"sqlite_with_rowid": False},
    )

    model_id: Mapped[int] = mapped_column(SmallInteger)
    word: Mapped[str] = mapped_column(_WORD)
    identity_id: Mapped[int]
    year: Mapped[int | None] = mapped_column(SmallInteger)  # of birth
