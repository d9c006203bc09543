import pytest

from forms.references import absolute_path, ancestor_paths, parent_path, plain_path


@pytest.mark.parametrize(
    ("reference", "base", "path"),
    [
        ("/data/a", "/data/r", "/data/a"),
        ("a", "/data/r", "/data/r/a"),
        ("./a", "/data/r", "/data/r/a"),
        (" ../b ", "/data/r", "/data/b"),
        ("../../x/c", "/data/r/s", "/data/x/c"),
        ("/data/orx:meta/orx:instanceID", "/data", "/data/meta/instanceID"),
        ("/data/r[position() = 1]/a", "/data", "/data/r/a"),
        ("/data/r[/data/s[x = 1]/y = 2]/a", "/data", "/data/r/a"),
        ("current()/../a", "/data/r/b", "/data/r/a"),
        ("/data/meta/entity/@e:id", "/data", "/data/meta/entity/@id"),
    ],
)
def test_reference_becomes_the_path_of_its_node(reference: str, base: str, path: str) -> None:
    assert absolute_path(reference, base) == path


def test_plain_path_keeps_relative_steps() -> None:
    assert plain_path("x:name[1]") == "name"


def test_containers_come_nearest_first() -> None:
    assert ancestor_paths("/data/r/g/a") == ["/data/r/g", "/data/r", "/data"]
    assert parent_path("/data/a") == "/data"
