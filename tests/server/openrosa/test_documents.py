"""The XML that Collect reads: well-formed whatever is in it, and complete."""

from xml.etree import ElementTree

import pytest

from server.openrosa.catalogue import FileFacts, FormFacts
from server.openrosa.documents import (
    render_draft_list,
    render_form_list,
    render_integrity,
    render_manifest,
    render_response,
)
from tests.server.openrosa.tablet import LIST, MANIFEST

BASE = "https://teral.example/v1/key/abc/projects/1"
FILE = FileFacts("a b&c.csv", "list", "f" * 32)
ENTITIES = FileFacts("personnes.csv", "list", "e" * 32, entity_list="personnes")


def form(*files: FileFacts) -> FormFacts:
    return FormFacts(7, "pass&age", "1<2", "Passage & <co>", "open", "0" * 32, "", None, files)


def read(document: bytes, namespace: str) -> list[dict[str, str | None]]:
    return [{part.tag.removeprefix(namespace): part.text for part in one} for one in ElementTree.fromstring(document)]


def test_message_is_text_whatever_it_says() -> None:
    root = ElementTree.fromstring(render_response("a < b & c", "error"))
    assert [(one.text, one.attrib) for one in root] == [("a < b & c", {"nature": "error"})]


def test_entry_of_the_list_names_all_that_collect_needs() -> None:
    assert read(render_form_list([form(FILE)], BASE), LIST) == [
        {
            "formID": "pass&age", "name": "Passage & <co>", "version": "1<2", "hash": f"md5:{'0' * 32}",
            "downloadUrl": f"{BASE}/forms/7/form.xml", "manifestUrl": f"{BASE}/forms/7/manifest",
        }
    ]  # fmt: skip


def test_form_without_files_names_no_manifest() -> None:
    (entry,) = read(render_form_list([form()], BASE), LIST)
    assert "manifestUrl" not in entry


def test_empty_list_is_a_list() -> None:
    assert read(render_form_list([], BASE), LIST) == []


def test_draft_lies_at_its_own_address() -> None:
    (entry,) = read(render_draft_list(form(FILE), f"{BASE}/draft"), LIST)
    assert (entry["downloadUrl"], entry["manifestUrl"]) == (f"{BASE}/draft/form.xml", f"{BASE}/draft/manifest")


def test_file_is_named_as_it_is_and_addressed_as_one_segment() -> None:
    (entry,) = read(render_manifest(form(FILE), BASE), MANIFEST)
    assert entry == {
        "filename": "a b&c.csv", "hash": f"md5:{'f' * 32}", "downloadUrl": f"{BASE}/attachments/a%20b%26c.csv",
    }  # fmt: skip


def test_entity_list_says_that_it_is_one() -> None:
    document = render_manifest(form(ENTITIES), BASE)
    (entry,) = read(document, MANIFEST)
    assert entry["integrityUrl"] == f"{BASE}/entities/personnes/integrity"
    assert [one.attrib for one in ElementTree.fromstring(document)] == [{"type": "entityList"}]


@pytest.mark.parametrize(("gone", "said"), [(True, "true"), (False, "false")])
def test_integrity_says_true_or_false_and_nothing_else(gone: bool, said: str) -> None:
    root = ElementTree.fromstring(render_integrity({"uuid&1": gone}))
    (entity,) = root.iter("entity")
    assert (entity.get("id"), [one.text for one in entity]) == ("uuid&1", [said])
