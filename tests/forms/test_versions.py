"""A form under another version name."""

import pytest

from forms.errors import FormRefused
from forms.versions import rename_version
from forms.xform import parse_form

FORM = b"""<h:html xmlns:h="http://www.w3.org/1999/xhtml" xmlns="http://www.w3.org/2002/xforms">
<h:head><h:title>M</h:title><model><instance><data id="market" %s><fruit/></data></instance>
<bind nodeset="/data/fruit" type="string"/></model></h:head>
<h:body><input ref="/data/fruit"><label>Fruit</label></input></h:body></h:html>"""


@pytest.mark.parametrize("written", [b'version="1"', b"", b'uiVersion="1"'])
def test_only_the_version_changes(written: bytes) -> None:
    before, after = parse_form(FORM % written), parse_form(rename_version(FORM % written, "2 <é>"))
    assert after.version == "2 <é>"
    assert (after.form_id, after.title, after.fields) == (before.form_id, before.title, before.fields)


def test_what_is_no_form_is_refused() -> None:
    with pytest.raises(FormRefused):
        rename_version(b"<data/>", "2")


def test_a_name_that_no_xml_can_hold_is_refused() -> None:
    with pytest.raises(FormRefused) as refused:
        rename_version(FORM % b"", "2\x11")
    assert refused.value.code == "form_version_unwritable"
