import pytest

from forms.itext import Itext, read_itext
from forms.xml import child, parse_xml

MODEL = b"""<model xmlns:o="urn:o"><itext>
  <translation lang="fr">
    <text id="a"><value>Nom de <output value=" ../prenom "/> <b>et</b> suite</value>
      <value form="image">jr://images/a.png</value><value o:form="guidance">Lire</value></text>
    <text id="b"><value form="short">Court</value></text><text id="d"><value>-</value></text>
  </translation>
  <translation lang="en" default="true()"><text id="a"><value form="long">Name</value></text></translation>
</itext></model>"""


def itext() -> Itext:
    return read_itext(parse_xml(MODEL))


def test_languages_stand_in_their_order_and_one_is_the_default() -> None:
    assert (itext().languages, itext().default_language) == (("fr", "en"), "en")


def test_first_language_is_the_default_where_none_is_marked() -> None:
    read = read_itext(parse_xml(MODEL.replace(b'default="true()"', b"")))
    assert read.default_language == "fr"


def test_outputs_show_as_the_designer_wrote_them() -> None:
    assert itext().text("jr:itext('a')") == {"fr": "Nom de ${prenom} et suite", "en": "Name"}


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        pytest.param("jr:itext('b')", {"fr": "Court"}, id="short form stands in"),
        pytest.param("jr:itext('d')", {}, id="pyxform's dash is no text"),
        pytest.param("jr:itext('nada')", {}, id="unknown id"),
        pytest.param("Votre nom", {"": "Votre nom"}, id="plain words have no language"),
        pytest.param("", {}, id="nothing"),
    ],
)
def test_reference_becomes_its_text(reference: str, text: dict[str, str]) -> None:
    assert itext().text(reference) == text


def test_media_are_named_once() -> None:
    assert itext().media == ("jr://images/a.png",)


def test_form_without_itext_has_no_language() -> None:
    read = read_itext(parse_xml(b"<model/>"))
    assert (read.texts, read.languages, read.default_language) == ({}, (), None)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (b"<label ref=\"jr:itext('b')\"/>", {"fr": "Court"}),
        (b"<label>Bonjour <output ref='/d/a'/></label>", {"": "Bonjour ${a}"}),
        (b"<hint/>", {}),
    ],
)
def test_label_is_read_by_reference_or_by_its_words(label: bytes, text: dict[str, str]) -> None:
    assert itext().of(child(parse_xml(b"<input>" + label + b"</input>"), "label")) == text
