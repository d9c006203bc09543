import pytest
from urllib3 import HTTPHeaderDict

from server.tablets.client import Answer
from server.tablets.listing import NotOpenRosa, read_form_list, read_integrity, read_manifest

LIST = "http://openrosa.org/xforms/xformsList"
MANIFEST = "http://openrosa.org/xforms/xformsManifest"
FORM = "<formID>a</formID><name>A</name><version>1</version><hash>md5:1</hash><downloadUrl>u</downloadUrl>"
FILE = "<filename>x/a.csv</filename><hash>md5:2</hash><downloadUrl>u</downloadUrl>"


def answer(body: str, status: int = 200, **headers: str) -> Answer:
    given = {"X-OpenRosa-Version": "1.0", "Content-Type": "text/xml", **headers}
    return Answer(status, HTTPHeaderDict({name: value for name, value in given.items() if value}), body.encode())


def form_list(entries: str, namespace: str = LIST) -> str:
    return f'<xforms xmlns="{namespace}">{entries}</xforms>'


def test_form_is_read_with_its_hash() -> None:
    [form] = read_form_list(answer(form_list(f"<xform>{FORM}</xform>")))
    assert (form.form_id, form.version, form.hash, form.manifest_url) == ("a", "1", "1", None)


def test_namespace_may_be_spelled_in_any_case() -> None:
    assert len(read_form_list(answer(form_list(f"<xform>{FORM}</xform>", LIST.upper())))) == 1


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(answer(form_list(""), 404), id="not found"),
        pytest.param(answer(form_list(""), **{"X-OpenRosa-Version": ""}), id="no OpenRosa header"),
        pytest.param(answer(form_list(""), **{"Content-Type": "text/html"}), id="a page"),
        pytest.param(answer("<xforms/>"), id="no namespace"),
        pytest.param(answer("<html"), id="no XML"),
        pytest.param(
            answer(form_list(f"<xform>{FORM}</xform><xform><formID>b</formID></xform>")), id="one without URL"
        ),
        pytest.param(answer(form_list(f"<xform>{FORM.replace('md5:', '')}</xform>")), id="a hash without its kind"),
    ],
)
def test_one_fault_voids_the_whole_list(given: Answer) -> None:
    with pytest.raises(NotOpenRosa):
        read_form_list(given)


def test_manifest_gives_base_names_and_types() -> None:
    body = f'<manifest xmlns="{MANIFEST}"><mediaFile type="entityList">{FILE}</mediaFile></manifest>'
    [file] = read_manifest(answer(body))
    assert (file.name, file.hash, file.type, file.entity_list) == ("a.csv", "2", "entityList", "a")


GONE = '<entity id="a"><deleted>true</deleted></entity>'
HERE = '<entity id="b"><deleted>false</deleted></entity>'


def integrity(entities: str) -> str:
    return f"<data><entities>{entities}</entities></data>"


def test_integrity_answer_tells_what_is_deleted() -> None:
    assert read_integrity(answer(integrity(GONE + HERE))) == {"a": True, "b": False}
    assert read_integrity(answer("<data><entities/></data>")) == {}


@pytest.mark.parametrize(
    "body",
    [
        "<data/>",
        "<entities/>",
        integrity(f" {GONE}"),
        integrity(f"{GONE} {HERE}"),
        integrity(GONE.replace("true", "1")),
    ],
    ids=["no entities", "another root", "a space before", "a space between", "neither true nor false"],
)
def test_integrity_answer_that_collect_stumbles_over_is_refused(body: str) -> None:
    with pytest.raises(NotOpenRosa):
        read_integrity(answer(body))


def test_manifest_with_a_file_without_hash_is_void() -> None:
    broken = FILE.replace("<hash>md5:2</hash>", "")
    with pytest.raises(NotOpenRosa):
        read_manifest(answer(f'<manifest xmlns="{MANIFEST}"><mediaFile>{broken}</mediaFile></manifest>'))
