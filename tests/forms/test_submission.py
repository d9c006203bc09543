import pytest

from forms.errors import FormsError
from forms.submission import SubmissionRefused, attachment_names, list_answers, parse_submission
from tests.forms.samples import SAMPLES, definition, sample_form, sample_submission, submission

ENVELOPE = b"""<data xmlns="http://www.opendatakit.org/xforms/encrypted" encrypted="yes" id="secret" version="3">
  <base64EncryptedKey>KEY</base64EncryptedKey>
  <orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:instanceID>uuid:1</orx:instanceID></orx:meta>
  <media><file>1.jpg.enc</file></media><media><file>2.jpg.enc</file></media>
  <encryptedXmlFile>submission.xml.enc</encryptedXmlFile>
  <base64EncryptedElementSignature>SIG</base64EncryptedElementSignature></data>"""


def test_record_names_its_form_version_and_identity() -> None:
    read = sample_submission("accueil.xml")
    assert (read.form_id, read.version) == ("accueil", "2026-01")
    assert read.instance_id == "uuid:6f1f7f9e-1b53-4f35-9d0f-0f8f6a1b2c3d"
    assert (read.instance_name, read.deprecated_id, read.envelope) == ("entree", None, None)


@pytest.mark.parametrize(
    ("xml", "form_id", "version", "instance_id"),
    [
        pytest.param(b'<data id="f"/>', "f", "", None, id="no version and no instanceID"),
        pytest.param(b'<data id="f" uiVersion="7"/>', "f", "7", None, id="old uiVersion"),
        pytest.param(b'<x:data xmlns:x="urn:x" id="f" version="2"/>', "f", "2", None, id="prefixed root"),
        pytest.param(b'<data xmlns="urn:form"/>', "urn:form", "", None, id="form id in the namespace"),
        pytest.param(b'<data id="f" instanceID="uuid:9"/>', "f", "", "uuid:9", id="instanceID on the root"),
        pytest.param(
            b'<data id="f"><meta><instanceID> </instanceID></meta></data>', "f", "", None, id="blank instanceID"
        ),
    ],
)
def test_odd_but_real_records_are_read(xml: bytes, form_id: str, version: str, instance_id: str | None) -> None:
    read = parse_submission(xml)
    assert (read.form_id, read.version, read.instance_id) == (form_id, version, instance_id)


def test_edit_names_the_record_it_replaces() -> None:
    meta = "<meta><instanceID>uuid:2</instanceID><deprecatedID>uuid:1</deprecatedID></meta>"
    assert submission(meta).deprecated_id == "uuid:1"


def test_record_of_no_form_is_refused() -> None:
    with pytest.raises(SubmissionRefused, match="which form"):
        parse_submission(b"<data/>")


def test_broken_record_is_refused() -> None:
    with pytest.raises(FormsError) as refused:
        parse_submission(b"<data")
    assert refused.value.code == "not_xml"


def test_envelope_tells_its_files_and_nothing_else() -> None:
    read = parse_submission(ENVELOPE)
    assert read.envelope is not None
    assert (read.envelope.encrypted_key, read.envelope.signature) == ("KEY", "SIG")
    assert attachment_names(read, None) == ["1.jpg.enc", "2.jpg.enc", "submission.xml.enc"]


def test_envelope_without_its_xml_file_names_only_media() -> None:
    read = parse_submission(b'<data id="f" encrypted="yes"><media><file>1.jpg.enc</file></media></data>')
    assert attachment_names(read, None) == ["1.jpg.enc"]


def test_answers_name_their_files() -> None:
    assert attachment_names(sample_submission("accueil.xml"), sample_form("accueil.md").definition) == [
        "1769.jpg",
        "audit.csv",
    ]


def test_without_a_form_no_answer_is_known_to_be_a_file() -> None:
    assert attachment_names(sample_submission("accueil.xml"), None) == []


def test_repeat_answers_carry_their_index() -> None:
    answers = list_answers(sample_submission("accueil.xml"), sample_form("accueil.md").definition)
    named = {one.path: one.text for one in answers}
    assert named["/data/personnes[2]/prenom"] == "Moussa"
    assert named["/data/personnes[1]/etat/age"] == "31"
    assert named["/data/personnes[1]/meta/entity/@create"] == "1"
    assert all(one.field for one in answers)


def test_attributes_that_the_form_does_not_have_are_no_answers() -> None:
    assert [one.path for one in list_answers(submission('<a x="1">2</a>'), definition("<a/>"))] == ["/data/a"]


def test_record_is_walked_anew_for_another_form() -> None:
    record, first, second = submission("<a>1</a>"), definition("<a/>"), definition("<b/>")
    assert list_answers(record, first) is list_answers(record, first)
    assert [one.field for one in list_answers(record, second)] == [None]
    assert [one.field for one in list_answers(record, first)] == [first.by_path["/data/a"]]


def test_answers_come_in_document_order() -> None:
    form = definition("<a/><g><b/></g>")
    assert [one.path for one in list_answers(submission("<g><b>1</b></g><a>2</a>"), form)] == ["/data/g/b", "/data/a"]


def test_unknown_nodes_have_no_field_and_twins_an_index() -> None:
    answers = list_answers(submission("<x>1</x><x>2</x><y><z/></y>"), definition("<a/>"))
    assert [(one.path, one.field) for one in answers] == [
        ("/data/x[1]", None),
        ("/data/x[2]", None),
        ("/data/y/z", None),
    ]


def test_empty_group_and_empty_repeat_are_no_answers() -> None:
    form = definition("<g><b/></g>", body='<group ref="/data/g"><input ref="b"/></group>')
    assert list_answers(submission("<g/>"), form) == []


PHOTO = '<upload ref="/data/photo" mediatype="image/*"/>'


def test_a_form_that_asks_for_no_file_names_none() -> None:
    assert attachment_names(submission("<a>x.jpg</a>"), definition("<a/>", body='<input ref="/data/a"/>')) == []


def test_a_node_of_the_same_name_elsewhere_is_no_file() -> None:
    form = definition("<photo/><g><photo/></g>", '<bind nodeset="/data/photo" type="binary"/>', PHOTO)
    record = submission("<photo>a.jpg</photo><g><photo>b.jpg</photo></g>")
    assert list(attachment_names(record, form)) == ["a.jpg"]


def test_of_attributes_only_those_of_the_form_are_answers() -> None:
    xml = (SAMPLES / "accueil.xml").read_bytes().replace(b'create="1"', b'create="1" other="2"')
    answers = list_answers(parse_submission(xml), sample_form("accueil.md").definition)
    names = {one.path.rpartition("@")[2] for one in answers if "@" in one.path}
    assert ("create" in names, "other" in names) == (True, False)
