"""The texts of an XForm in its languages (ODK XForms spec, "Languages"): itext and plain labels alike."""

from dataclasses import dataclass, field

from lxml import etree

from forms.definition import Text
from forms.xml import attributes_of, child, local_name, without_namespace

# The key of a text that stands in the form itself, outside every language.
NO_LANGUAGE = ""
_ITEXT_CALL = "jr:itext("
# What pyxform writes where a language has no text.
_UNTRANSLATED = "-"


@dataclass(frozen=True, slots=True)
class Itext:
    """Texts by id, and the jr:// addresses of the media that go with them."""

    texts: dict[str, Text] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    default_language: str | None = None
    media: tuple[str, ...] = ()

    def text(self, reference: str) -> Text:
        """The text that `jr:itext('id')` names; any other wording is a text itself."""
        if not reference:
            return {}
        if not is_itext(reference):
            return {NO_LANGUAGE: reference}
        return self.texts.get(itext_argument(reference).strip("'\""), {})

    def of(self, element: etree._Element | None) -> Text:
        """The text of a label, hint or help element."""
        if element is None:
            return {}
        reference = element.get("ref", "")
        return self.text(reference) if is_itext(reference) else self.text(mixed_text(element))


def is_itext(reference: str) -> bool:
    """Whether this is a call of jr:itext()."""
    return reference.strip().startswith(_ITEXT_CALL)


def itext_argument(reference: str) -> str:
    """What stands between the brackets of jr:itext(…): a quoted id, or the name of the column that holds it."""
    return reference.strip()[len(_ITEXT_CALL) :].rstrip().removesuffix(")").strip()


def mixed_text(element: etree._Element) -> str:
    """The words of an element in one line; an <output> shows as ${name}, as the designer wrote it."""
    parts = [element.text or ""]
    for one in element:
        parts.append(_output(one) if local_name(one) == "output" else mixed_text(one))
        parts.append(one.tail or "")
    return " ".join("".join(parts).split())


def read_itext(model: etree._Element) -> Itext:
    """Read all translations of the model; a form without itext has no language."""
    block = child(model, "itext")
    translations = [one for one in block if local_name(one) == "translation"] if block is not None else []
    texts: dict[str, Text] = {}
    media: list[str] = []
    for translation in translations:
        _read_translation(translation, texts, media)
    languages = tuple(dict.fromkeys(one.get("lang", NO_LANGUAGE) for one in translations))
    marked = next((one.get("lang") for one in translations if one.get("default")), None)
    return Itext(texts, languages, marked or (languages[0] if languages else None), tuple(dict.fromkeys(media)))


def _read_translation(translation: etree._Element, texts: dict[str, Text], media: list[str]) -> None:
    language = translation.get("lang", NO_LANGUAGE)
    for text in translation:
        media.extend(_media_of(text))
        words = _words_of(text)
        if words and words != _UNTRANSLATED:
            texts.setdefault(text.get("id", ""), {})[language] = words


def _form_of(value: etree._Element) -> str:
    return next((content for name, content in attributes_of(value).items() if without_namespace(name) == "form"), "")


def _words_of(text: etree._Element) -> str:
    # `short` stands in for a missing plain value; `guidance` and media forms are not the label.
    by_form = {_form_of(value): mixed_text(value) for value in text}
    return by_form.get("") or by_form.get("long") or by_form.get("short") or ""


def _media_of(text: etree._Element) -> list[str]:
    return [words for words in map(mixed_text, text) if words.startswith("jr://")]


def _output(element: etree._Element) -> str:
    expression = (element.get("value") or element.get("ref") or "").strip()
    return "${" + expression.rpartition("/")[2] + "}"
