"""`teral users`: made with a password from the environment, listed, given a new password."""

import json
from typing import Any

import click
import pytest

from server.extensions import db

PASSWORD = "baobab-sous-la-pluie"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAL_PASSWORD", PASSWORD)


def test_an_added_account_is_listed_without_its_password(run: Any) -> None:
    assert run("users", "add", "Awa@Teral.test", "--role", "auditor").exit_code == 0
    listed = run("users", "list", "--json").output
    assert json.loads(listed) == [
        {"email": "awa@teral.test", "role": "auditor", "site": None, "language": "fr", "disabled": False}
    ]
    assert "awa@teral.test" in run("users", "list").output


@pytest.mark.parametrize(
    "words",
    [
        ("awa@teral.test", "--role", "queen"),
        ("awa", "--role", "auditor"),
        ("awa@teral.test", "--role", "site_supervisor"),
        ("awa@teral.test", "--role", "site_supervisor", "--site", "NOWHERE"),
    ],
    ids=["role", "address", "no site", "unknown site"],
)
def test_what_cannot_be_an_account_is_refused_in_one_line(run: Any, words: tuple[str, ...]) -> None:
    result = run("users", "add", *words)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert json.loads(run("users", "list", "--json").output) == []


def test_a_weak_password_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERAL_PASSWORD", "short")
    assert run("users", "add", "awa@teral.test", "--role", "auditor").exit_code == 1


def test_nobody_waits_for_who_types_a_password(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[bool] = []

    def type_slowly(*_words: Any, **_options: Any) -> str:
        waiting.append(db.session().in_transaction())
        return PASSWORD

    monkeypatch.delenv("TERAL_PASSWORD")
    monkeypatch.setattr(click, "prompt", type_slowly)
    assert run("users", "add", "awa@teral.test", "--role", "auditor").exit_code == 0
    assert waiting == [False]


def test_a_new_password_is_printed_once_and_differs(run: Any) -> None:
    run("users", "add", "awa@teral.test", "--role", "auditor")
    first, second = (run("users", "reset-password", "awa@teral.test").output.strip() for _ in range(2))
    assert len(first) > 15
    assert first != second
    assert run("users", "reset-password", "nobody@teral.test").exit_code == 1
