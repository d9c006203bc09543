import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from forms.xml import FORM_LIMITS, Limits, XmlRefused, attributes_of, child, local_name, parse_xml, text_of

LAUGHS = b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
EXTERNAL = (
    b'<?xml version="1.0"?>\n<!-- <a> --><?x y?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
)


def code_of(data: bytes, limits: Limits = FORM_LIMITS) -> str:
    with pytest.raises(XmlRefused) as refused:
        parse_xml(data, limits)
    assert str(refused.value)
    return refused.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(LAUGHS, "xml_doctype", id="billion laughs"),
        pytest.param(EXTERNAL, "xml_doctype", id="external entity behind comments"),
        pytest.param("<!DOCTYPE a><a/>".encode("utf-16"), "xml_doctype", id="UTF-16 doctype with a byte order mark"),
        pytest.param("<!DOCTYPE a><a/>".encode("utf-16-be"), "xml_doctype", id="UTF-16 doctype without one"),
        pytest.param(b"\xef\xbb\xbf <!doctype a><a/>", "xml_doctype", id="lower-case doctype behind a UTF-8 mark"),
        pytest.param(b"<a>" * 100_000 + b"</a>" * 100_000, "xml_too_deep", id="a hundred thousand levels"),
        pytest.param(b"<a>" * 101 + b"</a>" * 101, "xml_too_deep", id="one level more than allowed"),
        pytest.param(b"<a>&x;</a>", "not_xml", id="entity that nobody declared"),
        pytest.param(b"<a>\0</a>", "not_xml", id="nul byte in the text"),
        pytest.param(b"<a/>\0", "not_xml", id="nul byte at the end"),
        pytest.param(b"<a><b></a>", "not_xml", id="tags that do not match"),
        pytest.param(b"<a>\xe9</a>", "not_xml", id="latin-1 that claims to be UTF-8"),
        pytest.param(b"", "not_xml", id="nothing"),
        pytest.param(b"hello", "not_xml", id="plain text"),
        pytest.param("<a/>".encode("utf-32"), "not_xml", id="UTF-32"),
        pytest.param(b"\xff\xfe<\0a", "xml_encoding", id="UTF-16 cut in half"),
        pytest.param(b'<?xml version="1.0" encoding="utf-7"?><a/>', "xml_encoding", id="UTF-7"),
        pytest.param(b'<?xml version="1.0" encoding="nada"?><a/>', "xml_encoding", id="unknown encoding"),
    ],
)
def test_dangerous_or_broken_xml_is_refused(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_too_many_bytes_are_refused() -> None:
    assert code_of(b"<a>" + b"x" * 2_000_000 + b"</a>", Limits(size=1_000_000)) == "xml_too_large"


def test_too_many_elements_are_refused_before_a_tree_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etree, "fromstring", None)
    assert code_of(b"<a>" + b"<b/>" * 2_000_001 + b"</a>") == "xml_too_many_elements"


def test_too_many_attributes_on_one_element_are_refused() -> None:
    attributes = " ".join(f'a{number}=""' for number in range(101))
    assert code_of(f"<a><b {attributes}/></a>".encode()) == "xml_too_many_attributes"


def test_many_attributes_spread_over_elements_are_read() -> None:
    assert len(parse_xml(b"<a>" + b'<b c="1"/>' * 200 + b"</a>")) == 200


def test_a_hundred_levels_are_read() -> None:
    assert parse_xml(b"<a>" * 100 + b"</a>" * 100).tag == "a"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("<a>é</a>".encode(), id="UTF-8"),
        pytest.param("\n\n<a>é</a>".encode(), id="blank lines first"),
        pytest.param("\ufeff<a>é</a>".encode(), id="UTF-8 with a byte order mark"),
        pytest.param('<?xml version="1.0" encoding="UTF-16"?><a>é</a>'.encode("utf-16"), id="UTF-16"),
        pytest.param('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode("latin-1"), id="latin-1"),
        pytest.param("<a><!-- <!DOCTYPE b> --><![CDATA[é]]></a>".encode(), id="comment and CDATA"),
    ],
)
def test_harmless_xml_is_read(data: bytes) -> None:
    assert text_of(parse_xml(data)) == "é"


def test_children_are_found_in_any_namespace() -> None:
    root = parse_xml(b'<a xmlns:o="urn:o"><o:meta x="1"> v </o:meta></a>')
    meta = child(root, "meta")
    assert meta is not None
    assert (local_name(meta), text_of(meta), attributes_of(meta)) == ("meta", "v", {"x": "1"})
    assert child(root, "other") is None
    assert text_of(None) == ""


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with contextlib.suppress(XmlRefused):
        parse_xml(b"<a>" + data)
