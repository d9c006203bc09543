"""Entities are found by any word of their label and of what the programme names, and by nothing that they said once."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import entity_words
from sync.entity_acts import NewEntity, add_entities, change_entity
from sync.entity_browsing import EntityFilters, list_entities
from sync.entity_lists import register_list
from sync.entity_words import split_words
from sync.models import EntityWord
from tests.sync.entities import STAY
from tests.sync.factory import NOW


@pytest.fixture
def stays(session: Session) -> Session:
    """Two stays and one of a twin's label."""
    register_list(session, "dossiers", ["ref", "bracelet", "sexe", "site_id", "etat"])
    said = {"ref": "CADKR-00012", "bracelet": "Bleu 77", "sexe": "femme"}
    new = [NewEntity("CADKR-00012 · F · Côte d'Ivoire", said, STAY), NewEntity("CADKR-00013 · H · Lit 12")]
    add_entities(session, "dossiers", new, None, NOW)
    session.commit()
    return session


def found(session: Session, asked: str) -> list[str]:
    rows = list_entities(session, None, "dossiers", EntityFilters(asked=asked)).rows
    return [one.label[6:11] for one in rows]


ASKED = [
    ("ivoire", ["00012"]), ("COTE", ["00012"]), ("cadkr", ["00012", "00013"]), ("cadkr-00013", ["00013"]),
    ("lit 00013", ["00013"]), ("lit 00012", []), ("77", ["00012"]), ("bleu cad", ["00012"]), ("femme", []),
    ("voire", []), ("·", []), ("c", ["00012", "00013"]),
]  # fmt: skip


@pytest.mark.both_databases
@pytest.mark.parametrize("most", [5000, 0], ids=["looked up", "looked for along the list"])
def test_every_word_is_found_as_it_begins(stays: Session, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(entity_words, "MOST_HITS", most)
    assert {asked: found(stays, asked) for asked, _ in ASKED} == dict(ASKED)


@pytest.mark.both_databases
def test_what_an_entity_says_no_more_finds_it_no_more(stays: Session) -> None:
    later = NOW + timedelta(hours=1)
    change_entity(stays, "dossiers", STAY, "CADKR-00012 · F · Mali", {"bracelet": "Vert 8"}, None, None, later)
    assert [found(stays, one) for one in ("ivoire", "bleu", "mali", "vert")] == [[], [], ["00012"], ["00012"]]
    words = stays.scalars(select(EntityWord.word).where(EntityWord.word.like("b%") | EntityWord.word.like("m%")))
    assert list(words) == ["mali"]


@pytest.mark.both_databases
def test_a_pasted_text_is_looked_for_by_its_longest_words(stays: Session) -> None:
    assert found(stays, "d'ivoire " * 2000) == ["00012"]
    assert found(stays, "ivoire " + " ".join(f"x{one}" for one in range(2000))) == []


def test_a_label_without_end_keeps_its_first_words() -> None:
    kept = split_words(" ".join(f"mot{one}" for one in range(2000)))
    assert kept == {f"mot{one}" for one in range(200)}


def test_words_are_without_case_accents_and_signs_and_no_single_letters() -> None:
    assert split_words("Ndèye-Fatou, l'ÉTÉ_2026 · x") == {"ndeye", "fatou", "ete", "2026"}
    assert split_words("a" * 40) == {"a" * 32}
    assert split_words("·  -") == set()
