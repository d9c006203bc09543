import pytest

from sync.linkage.names import PET_FORMS, NameKeys, consonants, fold, sound, without_titles

SPELLINGS = {
    "Diallo": ("Dialo", "Djallo", "Jallow", "Jalloh", "Jàllo", "Djaló", "DIALLO"),
    "Ndiaye": ("N'Diaye", "Njie", "Njai", "Njaay", "Ndiaie"),
    "Diop": ("Jobe", "Jóob", "Diope"),
    "Thiam": ("Tiam", "Cham", "Caam", "Tchiam"),
    "Touré": ("Toure", "Touray", "Tuure", "Turé"),
    "Diouf": ("Joof", "Juuf", "Diuf"),
    "Cissé": ("Ceesay", "Sissé", "Siise"),
    "Ouattara": ("Watara", "Uatara", "Wattara"),
    "Mballo": ("Embaló", "M'Ballo", "Mbaalo"),
    "Cheikh": ("Sheikh", "Cheick", "Seex"),
    "Ba": ("Bah", "Bâ", "Baa"),
    "Sow": ("So", "Sowe", "Só"),
    "Hawa": ("Awa", "Aawa"),
    "Camara": ("Kamara", "Camará", "Camarra"),
    "Sidibé": ("Sidibeh", "Sidibe"),
    "Thierno": ("Cherno", "Ceerno", "Tierno"),
}


@pytest.mark.parametrize(("name", "others"), SPELLINGS.items(), ids=SPELLINGS)
def test_four_spelling_systems_give_one_key(name: str, others: tuple[str, ...]) -> None:
    keys = {consonants(sound(fold(one)[0])) for one in (name, *others)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("Diallo", "Diop"), ("Sow", "Sy"), ("Ba", "Bo"), ("Traoré", "Touré"), ("Cissé", "Sissoko"), ("Camara", "Cham")],
    ids=lambda text: text,
)
def test_other_names_keep_other_keys(one: str, other: str) -> None:
    assert consonants(sound(fold(one)[0])) != consonants(sound(fold(other)[0]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  El-Hadji  Ousmane ", ("el", "hadji", "ousmane")),
        ("N’Diaye", ("ndiaye",)),
        ("Ñaŋ", ("gnang",)),
        ("محمد", ("mhmd",)),
        ("مُحَمَّد جالو", ("mhmd", "jalu")),
        ("", ()),
        ("??", ()),
    ],
    ids=["words", "apostrophe", "national letters", "Arabic", "Arabic with vowel signs", "empty", "no letters"],
)
def test_folding(text: str, words: tuple[str, ...]) -> None:
    assert fold(text) == words


def test_titles_go_where_a_name_is_left() -> None:
    assert without_titles(fold("El Hadji Cheikh Moussa")) == ("moussa",)


def test_a_title_that_stands_alone_is_the_name() -> None:
    assert without_titles(fold("Cheikh")) == ("cheikh",)


def test_pet_forms_have_the_key_of_the_full_name() -> None:
    keys = NameKeys(PET_FORMS)
    assert keys.find_key("astou") == keys.find_key("aissatou")


def test_an_alias_holds_in_every_spelling() -> None:
    keys = NameKeys({"khady": "khadidiatou"})
    assert keys.find_key("xadi") == keys.find_key("khadidiatou") != keys.find_key("awa")


def test_arabic_and_latin_script_meet() -> None:
    keys = NameKeys({})
    assert keys.find_key(fold("محمد")[0]) == keys.find_key(fold("Mohamed")[0])
