"""`teral sites`: added once, listed for machines and for people."""

import json
from typing import Any

import pytest


def test_an_added_site_is_listed(run: Any) -> None:
    run("sites", "add", "ROS", "--name", "Rosso", "--kind", "border_post", "--region", "SN-SL")
    assert json.loads(run("sites", "list", "--json").output) == [
        {"code": "ROS", "name": "Rosso", "kind": "border_post", "region": "SN-SL", "capacity": None, "closed": False}
    ]
    assert "Rosso" in run("sites", "list").output


@pytest.mark.parametrize("code", ["ROS", "no code"], ids=["taken", "not a code"])
def test_what_cannot_be_a_site_is_refused_in_one_line(run: Any, code: str) -> None:
    run("sites", "add", "ROS", "--name", "Rosso", "--kind", "border_post")
    result = run("sites", "add", code, "--name", "Rosso", "--kind", "border_post", "--json")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
