"""Every message that anybody can see has its French words."""

import io
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent.parent
TRANSLATIONS = ROOT / "server/translations"
KEYWORDS = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2), "_setting": (2,)}


@pytest.fixture(scope="module")
def french() -> Catalog:
    with (TRANSLATIONS / "fr/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="fr")


@pytest.fixture(scope="module")
def used() -> set[str]:
    """The messages that stand in code and templates today, by the mapping that `make translations` uses."""
    mapping, options = parse_mapping_cfg(io.StringIO((TRANSLATIONS / "babel.cfg").read_text()))
    rooms = [(ROOT / room, room) for room in ("forms", "sync", "server")]
    found = set()
    for folder, room in rooms:
        local = [(pattern.removeprefix(f"{room}/"), method) for pattern, method in mapping]
        for _file, _line, message, *_rest in extract_from_dir(folder, local, options, KEYWORDS):
            found.add(message[0] if isinstance(message, tuple) else message)
    return found


def test_messages_are_found(used: set[str]) -> None:
    assert {"Log in", "Sync status", "This is not well-formed XML."} <= used


def test_every_message_has_french_words(used: set[str], french: Catalog) -> None:
    worded = {one.id[0] if isinstance(one.id, tuple) else one.id: one for one in french if one.id}
    bare = sorted(one for one in used if one not in worded or not worded[one].string or not all(worded[one].string))
    assert bare == []


def test_nothing_is_left_to_be_confirmed(french: Catalog) -> None:
    assert [one.id for one in french if one.fuzzy and one.id] == []


def test_french_words_take_the_same_parameters(french: Catalog) -> None:
    wrong = [(one.id, errors) for one in french if one.id and (errors := [str(error) for error in one.check(french)])]
    assert wrong == []
