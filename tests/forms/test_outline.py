"""What the parts of a form may refer to."""

from forms.outline import is_path, read_outline
from forms.xform import parse_form
from forms.xml import FORM_LIMITS, parse_xml
from tests.forms.refused import FORM


def test_an_outline_knows_what_may_be_referred_to() -> None:
    outline = read_outline(parse_xml(FORM.encode(), FORM_LIMITS), parse_form(FORM.encode()))
    assert outline.has_node(outline.root)
    assert not outline.has_node(f"{outline.root}/nowhere")
    assert (outline.bind_ids, outline.texts) == ({"b": "/data/q"}, {"q:label"})


def test_a_path_is_no_other_expression() -> None:
    told = {text: is_path(text) for text in ("/data/a", "../b", "instance('x')/root/item", "1 + 1", "'a'", "", "]")}
    assert [text for text, found in told.items() if found] == ["/data/a", "../b", "instance('x')/root/item"]
