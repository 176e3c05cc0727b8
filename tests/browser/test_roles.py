"""Somebody with several roles chooses as which one they work."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from atoll.testing.client import Account

from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import sign_in

pytestmark = pytest.mark.anyio

KIM = Account(username="kim", password="kim-12345", email="kim@example.com")


async def test_a_role_is_chosen_and_kept(page: Page, installation: Installation) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        roles = [{"name": "admin"}, {"name": "member"}]
        values = {"username": KIM.username, "password": KIM.password, "email": KIM.email, "roles": roles}
        await client.call("users:create", values)
    await sign_in(page, KIM)
    navigation = page.get_by_role("navigation", name="Main navigation")
    await page.get_by_role("button", name="Account of").click()
    await expect(page.get_by_role("menuitemradio")).to_have_count(2)
    assert await all_looks(page, "choice of a role") == []
    await page.get_by_role("menuitemradio", name="Member").click()
    await expect(navigation.get_by_role("link", name="Applications")).to_have_count(0)
    await page.get_by_role("button", name="Account of").click()
    await expect(page.get_by_role("menuitemradio", name="Member")).to_be_checked()
    await page.get_by_role("menuitemradio", name="Admin").click()
    await expect(navigation.get_by_role("link", name="Applications")).to_be_visible()
