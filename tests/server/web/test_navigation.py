"""The menu and the first page of each role."""

import pytest
from flask import Flask

from server.web.navigation import MENU, landing_page, list_entries
from sync.policy import PERMISSIONS, ROLES


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_offers_what_the_role_may_open(app: Flask, role: str) -> None:
    with app.test_request_context():
        entries = list_entries(role)
        assert entries
        assert all(role in PERMISSIONS[one.permission] for one in entries)
        assert landing_page(role).startswith("/")


def test_every_entry_leads_to_a_page(app: Flask) -> None:
    assert {one.endpoint for one in MENU} <= set(app.view_functions)


def test_a_role_without_pages_lands_at_its_own_account(app: Flask) -> None:
    with app.test_request_context():
        assert landing_page("nobody") == "/account/password"
