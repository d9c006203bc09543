import pytest

from sync.linkage.countries import find_country


@pytest.mark.parametrize(
    ("text", "code"),
    [("SEN", "SEN"), ("sen", "SEN"), ("Sénégal", "SEN"), ("GUINÉE BISSAU", "GNB"), ("Ivory Coast", None), ("", None)],
)
def test_countries_are_read_by_code_and_by_name(text: str, code: str | None) -> None:
    assert find_country(text) == code
