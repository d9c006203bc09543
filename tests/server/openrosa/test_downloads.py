"""Form list, manifest, form and files, as Collect demands them."""

import hashlib

from tests.server.openrosa.tablet import MANIFEST, Tablet, entries


def test_hash_in_the_list_is_that_of_the_form_served(tablet: Tablet) -> None:
    (form,) = tablet.list_forms()
    body = tablet.get(form["downloadUrl"]).data
    assert form["hash"] == f"md5:{hashlib.md5(body).hexdigest()}"


def test_hashes_in_the_manifest_are_those_of_the_files_served(tablet: Tablet) -> None:
    (form,) = tablet.list_forms()
    files = entries(tablet.get(form["manifestUrl"]), MANIFEST)
    assert [one["filename"] for one in files] == ["sites.csv", "villages.csv"]
    for one in files:
        assert one["hash"] == f"md5:{hashlib.md5(tablet.get(one['downloadUrl']).data).hexdigest()}"
