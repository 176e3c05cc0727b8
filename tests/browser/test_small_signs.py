"""What screens say beside their main matter: what an app is for, how many rows there are, who uses it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import go, open_menu, sign_in

pytestmark = pytest.mark.anyio


async def test_the_launcher_says_what_an_app_is_for(page: Page, installation: Installation) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("hires", ["env_a"])
        await client.call("applications:update/hires", {"options": {"description": "Who applied for what"}})
    await sign_in(page, ACCOUNT, "/admin/apps")
    card = page.get_by_role("link", name="hires")
    await expect(card.get_by_text("Who applied for what")).to_be_visible()
    await page.get_by_role("textbox", name="Search apps").fill("applied")
    await expect(card).to_be_visible()
    found = await all_looks(page, "launcher with a description")
    assert found == [], "\n".join(found)


async def test_one_place_of_the_page_is_read_out(page: Page, installation: Installation) -> None:
    """Lists and toasts share it."""
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("aloud", ["env_a"])
    await sign_in(page, ACCOUNT)
    await go(page, "Applications")
    said = page.locator("[aria-live=polite]")
    await page.get_by_role("searchbox", name="Search").fill("aloud")
    await expect(said).to_have_text("1 result")
    await page.context.grant_permissions(["clipboard-write"])
    await open_menu(page, "aloud", "Copy address")
    await expect(said).to_have_text("Address copied.")
    await expect(page.locator("[aria-live=assertive]")).to_have_text("")
