import pytest

from forms.definition import Field, FormDefinition, SecondaryInstance

FIELD = Field("/data/meta/entity/@id", "meta")


def test_field_is_found_by_its_path_and_named_by_its_last_step() -> None:
    form = FormDefinition("essai", "", "Essai", "data", (FIELD,))
    assert form.by_path["/data/meta/entity/@id"] is FIELD
    assert FIELD.name == "@id"


def test_what_is_derived_does_not_make_versions_differ() -> None:
    first, second = (FormDefinition("essai", "", "Essai", "data", (FIELD,)) for _ in range(2))
    first.derived["schema"] = object()
    assert first == second


@pytest.mark.parametrize(
    ("src", "filename"),
    [("jr://file-csv/sites.csv", "sites.csv"), ("jr://instance/last-saved", None), (None, None), ("", None)],
)
def test_list_names_its_file(src: str | None, filename: str | None) -> None:
    assert SecondaryInstance("sites", src).filename == filename
